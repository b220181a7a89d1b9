"""From a complaint to its end: between the parties, by silence, or by a mediator's decision."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from core.actions.cases import conversation, disputes, mediator_assignment
from core.actions.funding import fund
from core.actions.milestones import verification
from core.actions.staff import members, ties
from core.money import Money
from core.processes import timers
from core.records import Case, Decision, Message, Milestone, Notification, PartyRequest, Project, Refund
from core.rules.cases import DisputeReason, DisputeWindowClosed
from core.rules.grounds import DecisionOutcome, Ground
from core.rules.permissions import Role
from core.rules.transitions import IllegalMove
from tests import builders
from tests.builders import Told
from tests.sandbox_desk import Market

FEES = {"processing_fee_recovery": 3_092, "processor_fees": 3_092}


def usd(minor: int) -> Money:
    return Money(minor, "USD")


def refund_draft(told: Told, ground: Ground = Ground.WORK_NOT_AS_AGREED, **also: Any) -> Any:
    return builders.a_draft(told, outcome=DecisionOutcome.FULL_REFUND, ground=ground, **also)


def case(market: Market, told: Told) -> Case:
    found: Case = market.get(Case, told.case)
    return found


# The three endings


def test_a_full_release_pays_everything_to_the_payee_and_earns_the_whole_fee(market: Market) -> None:
    told = market.in_mediation()
    decision = builders.decided(market, told)
    assert decision.status == "EXECUTED"
    assert market.books() == {
        "stripe_balance": 102_500,
        "payee_payable": 100_000,
        "platform_fee_revenue": 2_500,
        **FEES,
    }
    market.later(days=1)
    market.later(days=3)
    assert market.books() == {"stripe_balance": 2_500, "platform_fee_revenue": 2_500, **FEES}
    milestone = market.get(Milestone, told.milestone)
    assert (milestone.status, milestone.outcome) == ("COMPLETED", "RELEASED")
    assert (market.state(told), market.order(told)) == ("RELEASED", {"released": 100_000})
    assert (case(market, told).status, case(market, told).resolution) == ("RESOLVED", "FULL_RELEASE")
    market.lawful()


def test_a_partial_release_divides_what_is_held_and_returns_the_fee_in_proportion(market: Market) -> None:
    told = market.in_mediation()
    builders.decided(market, told, builders.a_draft(told, release=usd(40_000)))
    assert market.books() == {
        "stripe_balance": 102_500,
        "payee_payable": 40_000,
        "refund_payable": 60_000 + 1_500,
        "platform_fee_revenue": 1_000,
        **FEES,
    }
    assert market.order(told) == {"payable": 40_000, "refundable": 60_000}
    assert market.state(told) == "REFUND_PENDING"
    market.work()
    market.later(days=3)
    assert market.books() == {"stripe_balance": 1_000, "platform_fee_revenue": 1_000, **FEES}
    assert market.order(told) == {"released": 40_000, "refunded": 60_000}
    assert market.state(told) == "PARTIALLY_RELEASED"
    milestone = market.get(Milestone, told.milestone)
    assert (milestone.status, milestone.outcome) == ("COMPLETED", "SPLIT")
    (refund,), (transfer,) = market.sent("/v1/refunds"), market.sent("/v1/transfers")
    assert (refund["body"]["amount"], transfer["body"]["amount"]) == ("61500", "40000")
    assert [each.status for each in market.milestones(told.project)] == ["COMPLETED", "AWAITING_FUNDING"]
    market.lawful()


def test_a_full_refund_returns_what_was_held_with_the_platform_fee(market: Market) -> None:
    told = market.in_mediation()
    builders.decided(market, told, refund_draft(told))
    assert market.books() == {"stripe_balance": 102_500, "refund_payable": 102_500, **FEES}
    market.work()
    assert market.books() == FEES
    assert market.order(told) == {"refunded": 100_000}
    assert (market.status(told), market.state(told)) == ("REFUNDED", "REFUNDED")
    assert [each.status for each in market.milestones(told.project)] == ["REFUNDED", "AWAITING_FUNDING"]
    market.lawful()


def test_for_a_no_show_the_platform_bears_the_processors_fee_too(market: Market) -> None:
    market.pay_in(10_000)
    told = market.funded()
    opened = market.act(
        disputes.open_dispute, market.payer, milestone_id=told.milestone, reason=DisputeReason.NO_SHOW
    )
    market.act(disputes.ask_mediation, market.payer, milestone_id=told.milestone)
    told = Told(told.project, told.milestone, opened.id)
    decision = builders.decided(market, told, refund_draft(told, Ground.PROVIDER_NO_SHOW))
    assert decision.plan["amounts"]["payer_net_cost"] == 0
    assert market.books() == {
        "stripe_balance": 10_000 + 102_500,
        "bank": -10_000,
        "refund_payable": 105_592,
        "refund_concession": 3_092,
        **FEES,
    }
    market.work()
    assert market.books() == {
        "stripe_balance": 10_000 - 3_092,
        "bank": -10_000,
        "refund_concession": 3_092,
        **FEES,
    }
    (refund,) = market.all(Refund)
    assert (refund.amount_minor, refund.milestone_part_minor, refund.status) == (
        105_592,
        100_000,
        "SUCCEEDED",
    )
    market.lawful()


@pytest.mark.parametrize(
    ("currency", "held", "release"), [("JPY", 150_000, 50_001), ("KWD", 310_000, 77_770)]
)
def test_a_split_leaves_nothing_behind_in_any_currency(
    market: Market, currency: str, held: int, release: int
) -> None:
    market.newcomers(currency)
    told = market.in_mediation(Money(held, currency), Money(held, currency))
    builders.decided(market, told, builders.a_draft(told, release=Money(release, currency)))
    market.work()
    market.later(days=3)
    assert market.order(told) == {"released": release, "refunded": held - release}
    books = market.books(currency)
    assert not books.keys() & {"held", "deferred_platform_fee", "payee_payable", "refund_payable"}
    assert books["stripe_balance"] == books["platform_fee_revenue"] - books["fee_variance"]
    market.lawful()


def test_a_refund_of_the_last_milestone_after_a_paid_one_completes_the_project(market: Market) -> None:
    told = market.submitted()
    market.act(verification.approve, market.payer, milestone_id=told.milestone)
    market.later(days=1)
    second = market.milestones(told.project)[1]
    market.act(fund.fund, market.payer, milestone_id=second.id)
    market.work()
    last = builders.in_mediation(market, Told(told.project, second.id))
    builders.decided(market, last, refund_draft(last))
    market.later(days=1)
    assert market.get(Project, told.project).status == "COMPLETED"
    assert [each.status for each in market.milestones(told.project)] == ["COMPLETED", "REFUNDED"]
    market.lawful()


def test_both_parties_read_of_the_decision_with_its_reasons(market: Market) -> None:
    told = market.in_mediation()
    builders.decided(market, told, builders.a_draft(told, release=usd(40_000)))
    letters = [each for each in market.all(Notification) if each.template == "decision_partial_release"]
    assert sorted(each.party_id for each in letters) == [market.payer_id, market.payee_id]
    assert all(builders.REASONS in each.html for each in letters)


# Between the parties


def test_a_withdrawn_complaint_puts_the_milestone_back_with_new_clocks(market: Market) -> None:
    told = builders.disputed(market, market.funded())
    market.wait(hours=5)
    market.act(disputes.withdraw, market.payer, milestone_id=told.milestone)
    milestone = market.get(Milestone, told.milestone)
    assert (milestone.status, case(market, told).status) == ("PENDING_VERIFICATION", "WITHDRAWN")
    assert milestone.completion_notice_at == market.now
    assert milestone.auto_approve_at == market.now + timedelta(days=7)
    market.act(verification.approve, market.payer, milestone_id=told.milestone)
    market.work()
    assert market.status(told) == "COMPLETED"
    market.lawful()


def test_a_complaint_about_work_never_begun_is_withdrawn_to_where_it_was(market: Market) -> None:
    told = market.funded()
    market.act(
        disputes.open_dispute, market.payer, milestone_id=told.milestone, reason=DisputeReason.NOT_STARTED
    )
    market.act(disputes.withdraw, market.payer, milestone_id=told.milestone)
    assert market.status(told) == "FUNDED"
    market.act(verification.submit, market.payee, milestone_id=told.milestone)
    assert market.status(told) == "PENDING_VERIFICATION"


def test_rework_settles_the_case_and_starts_every_clock_anew(market: Market) -> None:
    told = builders.disputed(market, market.funded())
    market.wait(hours=40)
    market.act(disputes.resubmit, market.payee, milestone_id=told.milestone)
    milestone = market.get(Milestone, told.milestone)
    assert (milestone.status, case(market, told).resolution) == ("PENDING_VERIFICATION", "REWORKED")
    assert milestone.dispute_until == market.now + timedelta(days=5)
    assert (milestone.reminder_level, milestone.next_reminder_at) == (0, market.now + timedelta(hours=72))
    market.act(
        disputes.open_dispute, market.payer, milestone_id=told.milestone, reason=DisputeReason.DEFECTIVE
    )
    assert market.count(Case) == 2
    market.lawful()


# By the clock


def test_after_three_days_a_dispute_goes_to_mediation_by_itself(market: Market) -> None:
    told = builders.disputed(market, market.funded())
    opened = case(market, told).opened_at
    market.now = opened + timedelta(days=3, seconds=-1)
    market.later()
    assert market.status(told) == "DISPUTED"
    market.later(seconds=1)
    assert market.status(told) == "IN_MEDIATION"
    assert case(market, told).mediator_id in (market.staff["mia"], market.staff["max"])


def test_seven_days_of_silence_approve_and_pay(market: Market) -> None:
    told = market.submitted()
    market.later(days=7, seconds=-1)
    assert market.status(told) == "PENDING_VERIFICATION"
    market.later(seconds=1)
    assert market.status(told) == "COMPLETED"
    assert market.order(told) == {"released": 100_000}
    reminders = [each for each in market.all(Notification) if each.template == "verification_reminder"]
    assert reminders
    market.lawful()


def test_reminders_come_after_72_hours_and_then_every_day_until_silence_approves(market: Market) -> None:
    told = market.submitted()
    levels = []
    for _ in range(8):
        market.later(days=1)
        levels.append(market.get(Milestone, told.milestone).reminder_level)
    assert levels == [0, 0, 1, 2, 3, 4, 4, 4]


def test_the_dispute_window_closes_after_five_days_inclusive(market: Market) -> None:
    told = market.submitted()
    market.wait(days=5)
    market.act(disputes.open_dispute, market.payer, milestone_id=told.milestone, reason=DisputeReason.OTHER)
    late = market.submitted()
    market.wait(days=5, seconds=1)
    with pytest.raises(DisputeWindowClosed):
        market.act(
            disputes.open_dispute, market.payer, milestone_id=late.milestone, reason=DisputeReason.OTHER
        )


def test_nobody_deciding_for_seven_days_brings_the_case_to_the_administrators(market: Market) -> None:
    told = market.in_mediation()
    market.later(days=7)
    assert case(market, told).escalated
    decision = builders.decided(market, told, by="ada")
    assert decision.status == "EXECUTED"
    market.lawful()


def test_a_case_waits_for_a_party_and_goes_on_when_it_answers(market: Market) -> None:
    told = market.in_mediation()
    due = market.now + timedelta(days=2)
    ask = {"case_id": told.case, "party_id": market.payee_id, "question": "When?", "answer_due_at": due}
    market.act(conversation.ask, market.as_staff("mia"), **ask)
    assert (case(market, told).status, case(market, told).due_at) == ("WAITING_PARTY", due)
    market.act(conversation.say, market.payer, milestone_id=told.milestone, body="I wait as well.")
    assert case(market, told).status == "WAITING_PARTY"
    market.act(conversation.say, market.payee, milestone_id=told.milestone, body="On Thursday.")
    assert (case(market, told).status, case(market, told).waiting_on) == ("UNDER_REVIEW", None)


def test_a_case_whose_party_does_not_answer_in_time_goes_on_without(market: Market) -> None:
    told = market.in_mediation()
    due = market.now + timedelta(days=2)
    ask = {"case_id": told.case, "party_id": market.payee_id, "question": "When?", "answer_due_at": due}
    market.act(conversation.ask, market.as_staff("mia"), **ask)
    market.later(days=2)
    assert case(market, told).status == "UNDER_REVIEW"


def test_a_case_is_decided_even_while_it_waits_for_a_party(market: Market) -> None:
    told = market.in_mediation()
    due = market.now + timedelta(days=2)
    ask = {"case_id": told.case, "party_id": market.payee_id, "question": "When?", "answer_due_at": due}
    market.act(conversation.ask, market.as_staff("mia"), **ask)
    assert builders.decided(market, told).status == "EXECUTED"
    assert (case(market, told).status, case(market, told).waiting_on) == ("RESOLVED", None)
    market.lawful()


def test_the_case_goes_to_the_mediator_with_the_least_load_and_no_tie(market: Market) -> None:
    mia, top = market.staff["mia"], market.as_staff("ada")
    market.act(ties.declare_tie, top, staff_id=mia, party_id=market.payee_id, reason="Cousins")
    for _ in range(2):
        told = builders.disputed(market, market.funded())
        market.act(disputes.ask_mediation, market.payer, milestone_id=told.milestone)
        assert case(market, told).mediator_id == market.staff["max"]


@pytest.mark.parametrize("why", ["left", "no mediator any more", "tied"])
def test_a_case_whose_mediator_may_not_decide_it_any_more_goes_to_another(market: Market, why: str) -> None:
    told, top = market.in_mediation(), market.as_staff("ada")
    mia = market.staff["mia"]
    market.act(mediator_assignment.assign, market.as_staff("mia"), case_id=told.case, staff_id=mia)
    timers.run_due(market.desk)
    assert case(market, told).mediator_id == mia, "whoever may decide it keeps it"
    change = {"staff_id": mia, "reason": "So it is from now on."}
    if why == "left":
        market.act(members.set_active, top, active=False, **change)
    elif why == "tied":
        market.act(ties.declare_tie, top, party_id=market.payer_id, **change)
    else:
        market.act(members.take_roles, top, roles=[Role.MEDIATOR], **change)
    timers.run_due(market.desk)
    assert case(market, told).mediator_id == market.staff["max"]
    market.act(members.set_active, top, staff_id=market.staff["max"], active=False, reason="Moves away.")
    timers.run_due(market.desk)
    assert case(market, told).mediator_id is None, "with nobody free it is in the queue, and is counted there"
    assert case(market, told).status == "UNDER_REVIEW"


def test_a_disputed_milestone_cannot_be_approved_by_hand_or_by_silence(market: Market) -> None:
    told = builders.disputed(market, market.funded())
    with pytest.raises(IllegalMove):
        market.act(verification.approve, market.payer, milestone_id=told.milestone)
    market.later(days=2)
    assert market.get(Milestone, told.milestone).auto_approve_at is None
    assert market.order(told) == {"held": 100_000}


def test_a_case_given_back_to_the_queue_can_be_taken_by_another(market: Market) -> None:
    told = market.in_mediation()
    mia, other = market.as_staff("mia"), market.as_staff("max")
    market.act(mediator_assignment.assign, mia, case_id=told.case, staff_id=None)
    assert case(market, told).mediator_id is None
    market.act(mediator_assignment.assign, other, case_id=told.case, staff_id=market.staff["max"])
    assert builders.decided(market, told, by="max").maker_id == market.staff["max"]
    assert market.count(Decision) == 1


def test_an_unanswered_request_ends_at_its_instant_and_not_a_microsecond_before(market: Market) -> None:
    """Through the worker's own sweep; the mediator finds a note that only staff can read."""
    told = market.in_mediation()
    due = market.now + timedelta(days=2)
    ask = {"case_id": told.case, "party_id": market.payee_id, "question": "When?", "answer_due_at": due}
    market.act(conversation.ask, market.as_staff("mia"), **ask)
    market.later(days=2, microseconds=-1)
    assert case(market, told).status == "WAITING_PARTY"
    market.later(microseconds=1)
    assert case(market, told).status == "UNDER_REVIEW"
    assert [each.status for each in market.all(PartyRequest)] == ["UNANSWERED"]
    notes = [each for each in market.all(Message) if each.author_kind == "system"]
    assert [(each.audience, "“When?”" in each.body) for each in notes] == [("STAFF", True)]
    market.later(days=1)
    assert len([each for each in market.all(Message) if each.author_kind == "system"]) == 1
    market.lawful()


def test_an_answer_a_microsecond_before_the_end_is_in_time(market: Market) -> None:
    told = market.in_mediation()
    due = market.now + timedelta(days=2)
    ask = {"case_id": told.case, "party_id": market.payee_id, "question": "When?", "answer_due_at": due}
    market.act(conversation.ask, market.as_staff("mia"), **ask)
    market.later(days=2, microseconds=-1)
    market.act(conversation.say, market.payee, milestone_id=told.milestone, body="On Thursday.")
    market.later(microseconds=1)
    assert [each.status for each in market.all(PartyRequest)] == ["ANSWERED"]
    assert [each for each in market.all(Message) if each.author_kind == "system"] == []
