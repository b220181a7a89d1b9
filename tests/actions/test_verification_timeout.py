"""Nobody's money waits for ever: a payer who says something has not approved, a right complaint is paid back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from core.actions.cases import conversation, disputes, settlement_proposals, staff_opening
from core.actions.milestones import payment_schedule, verification
from core.actions.risk import holds
from core.errors import DeskError, ReasonMissing
from core.money import Money
from core.records import Case, Hold, Milestone, Notification
from core.rules.acceptance import AcceptanceRule
from core.rules.cases import AnswerNotDue, DisputeReason, NotAllHeld, ReasonNotYours
from core.rules.grounds import DecisionOutcome, Ground
from core.rules.permissions import NotPermitted
from core.rules.schedule import PlannedMilestone
from core.rules.transitions import IllegalMove
from tests import builders
from tests.builders import Told
from tests.sandbox_desk import Market

TICK = timedelta(microseconds=1)
WEEK = timedelta(days=7)
SEVENTY_TWO = timedelta(hours=72)


def says(market: Market, told: Told, words: str = "The door is missing; please come back.") -> None:
    market.act(conversation.say, market.payer, milestone_id=told.milestone, body=words)


def at(market: Market, told: Told, span: timedelta) -> None:
    """The worker at this span after the notice."""
    notice = market.get(Milestone, told.milestone).completion_notice_at
    market.later(seconds=(notice + span - market.now).total_seconds())


def legal(market: Market, rule: str = "AUTO_RELEASE", **agreed: str) -> Told:
    market.payer_id = market.party("PAYER", platform="legal_services")
    market.payee_id = market.party("PAYEE", platform="legal_services")
    return market.submitted(project_type="DOCUMENT_REVIEW")


def client_confirms(market: Market) -> Told:
    project = market.agreed()
    rule = AcceptanceRule.CLIENT_CONFIRMS
    planned = [
        PlannedMilestone(title="A", deliverable="x", amount=Money(150_000, "USD"), acceptance_rule=rule)
    ]
    market.act(payment_schedule.adjust, market.payer, project_id=project.id, planned=planned)
    return paid_and_done(market, project.id)


def paid_and_done(market: Market, project_id: int) -> Told:
    from core.actions.funding import fund

    (milestone,) = market.milestones(project_id)[:1]
    market.act(fund.fund, market.payer, milestone_id=milestone.id)
    market.work()
    builders.clear_reviews(market, milestone.id)
    market.act(verification.submit, market.payee, milestone_id=milestone.id)
    return Told(project_id, milestone.id)


def letters(market: Market, template: str) -> list[tuple[int | None, int | None]]:
    return [(n.party_id, n.staff_id) for n in market.all(Notification) if n.template == template]


def opened(market: Market, told: Told, by: str = "mia", reason: str = "The complaint looks right.") -> Told:
    case = market.act(staff_opening.by_staff, market.as_staff(by), milestone_id=told.milestone, reason=reason)
    return Told(told.project, told.milestone, case.id)


# -- silence is no response --


def test_what_the_payer_says_is_a_response_and_silence_approves_nothing(market: Market) -> None:
    told = market.submitted()
    market.wait(days=2)
    says(market, told)
    at(market, told, WEEK)
    milestone = market.get(Milestone, told.milestone)
    assert (milestone.status, milestone.unanswered_at, milestone.auto_approve_at) == (
        "PENDING_VERIFICATION",
        market.now,
        None,
    )
    assert letters(market, "answer_wanted") == [(market.payer_id, None)]
    assert (market.payee_id, None) in letters(market, "answer_missing")
    staff = {staff for party, staff in letters(market, "answer_missing") if party is None}
    assert staff == {market.staff["mia"], market.staff["max"]}
    market.later(days=30)
    assert (market.status(told), market.order(told)) == ("PENDING_VERIFICATION", {"held": 100_000})
    assert len(letters(market, "answer_wanted")) == 1
    market.act(verification.approve, market.payer, milestone_id=told.milestone)
    assert market.order(told) == {"payable": 100_000}
    assert market.get(Milestone, told.milestone).unanswered_at is None


def test_who_says_nothing_has_approved(market: Market) -> None:
    told = market.submitted()
    at(market, told, WEEK - TICK)
    assert market.status(told) == "PENDING_VERIFICATION"
    market.later(seconds=TICK.total_seconds())
    assert (market.status(told), letters(market, "answer_wanted")) == ("COMPLETED", [])


@pytest.mark.parametrize(("late", "heard"), [(-TICK, True), (timedelta(0), True), (TICK, False)])
def test_a_word_counts_to_the_last_instant_of_the_time_to_answer(
    market: Market, late: timedelta, heard: bool
) -> None:
    told = market.submitted()
    market.now = market.get(Milestone, told.milestone).answer_due_at + late
    says(market, told)
    market.later(seconds=1)
    assert market.status(told) == ("PENDING_VERIFICATION" if heard else "COMPLETED")


def test_a_word_before_the_notice_is_no_response_to_it(market: Market) -> None:
    told = market.funded()
    says(market, told, "When do you come?")
    market.act(verification.submit, market.payee, milestone_id=told.milestone)
    market.later(days=7)
    assert market.status(told) == "COMPLETED"


@pytest.mark.parametrize("who", ["payee", "staff"])
def test_what_others_say_is_no_response_of_the_payer(market: Market, who: str) -> None:
    told = market.submitted()
    market.wait(days=1)
    actor = market.payee if who == "payee" else market.as_staff("mia")
    market.act(conversation.say, actor, milestone_id=told.milestone, body="Well?")
    at(market, told, WEEK)
    assert market.status(told) == "COMPLETED"


def test_a_stage_fee_is_not_released_where_the_client_has_responded(market: Market) -> None:
    told = legal(market)
    market.wait(hours=10)
    says(market, told)
    at(market, told, SEVENTY_TWO)
    assert (market.status(told), len(letters(market, "answer_wanted"))) == ("PENDING_VERIFICATION", 1)


def test_a_late_complaint_is_a_response_until_it_is_settled(market: Market) -> None:
    told = market.submitted()
    market.wait(days=6)
    complaint = market.act(holds.complain, market.payer, milestone_id=told.milestone, reason="It leaks.")
    at(market, told, WEEK)
    assert market.status(told) == "PENDING_VERIFICATION"
    market.act(
        holds.lift, market.as_staff("cora"), hold_id=complaint.id, reason="It is the neighbour's pipe."
    )
    market.later(seconds=1)
    assert (market.status(told), market.state(told)) == ("COMPLETED", "RELEASED")


# -- nobody's money waits for ever --


@pytest.mark.parametrize(("early", "may"), [(TICK, False), (timedelta(0), True), (-TICK, True)])
def test_a_payee_without_an_answer_may_have_a_mediator_once_the_time_is_over(
    market: Market, early: timedelta, may: bool
) -> None:
    told = client_confirms(market)
    market.now = market.get(Milestone, told.milestone).answer_due_at - early
    if not may:
        with pytest.raises(AnswerNotDue):
            market.act(disputes.ask_mediation, market.payee, milestone_id=told.milestone)
        return
    case = market.act(disputes.ask_mediation, market.payee, milestone_id=told.milestone)
    assert (market.status(told), case.status, case.reason) == (
        "IN_MEDIATION",
        "UNDER_REVIEW",
        "NO_ANSWER",
    )
    assert {party for party, _ in letters(market, "case_opened")} == {market.payer_id, market.payee_id}


def test_a_client_who_never_confirms_is_asked_again_and_the_money_has_a_road(market: Market) -> None:
    told = client_confirms(market)
    for _ in range(40):
        market.later(days=3)
    assert market.status(told) == "PENDING_VERIFICATION"
    assert letters(market, "answer_wanted") == [(market.payer_id, None)]
    case = market.act(disputes.ask_mediation, market.payee, milestone_id=told.milestone)
    builders.decided(market, Told(told.project, told.milestone, case.id))
    market.work()
    assert (market.status(told), market.order(told)) == ("COMPLETED", {"released": 150_000})
    market.lawful()


def test_the_payer_does_not_use_that_road(market: Market) -> None:
    told = client_confirms(market)
    market.later(days=8)
    with pytest.raises(IllegalMove):
        market.act(disputes.ask_mediation, market.payer, milestone_id=told.milestone)


def test_the_other_reasons_are_not_the_payers_to_give(market: Market) -> None:
    told = market.submitted()
    for reason in (DisputeReason.NO_ANSWER, DisputeReason.OPENED_BY_STAFF):
        with pytest.raises(ReasonNotYours):
            market.act(disputes.open_dispute, market.payer, milestone_id=told.milestone, reason=reason)


# -- staff opens a case --


def test_a_late_complaint_that_is_right_is_paid_back(market: Market) -> None:
    told = market.submitted()
    market.wait(days=6)
    market.act(holds.complain, market.payer, milestone_id=told.milestone, reason="The ceiling came down.")
    market.later(days=2)
    told = opened(market, told)
    case, (complaint,) = market.get(Case, told.case), market.all(Hold)
    assert (case.details, case.opened_by_staff) == ("The ceiling came down.", market.staff["mia"])
    assert complaint.release_reason == f"Case D-{told.case} was opened about it."
    draft = builders.a_draft(told, outcome=DecisionOutcome.FULL_REFUND, ground=Ground.WORK_NOT_AS_AGREED)
    builders.decided(market, told, draft)
    market.work()
    assert (market.status(told), market.order(told)) == ("REFUNDED", {"refunded": 100_000})
    market.lawful()


@pytest.mark.parametrize(
    ("share", "end", "order"),
    [
        (None, "COMPLETED", {"released": 100_000}),
        (Money(40_000, "USD"), "COMPLETED", {"released": 40_000, "refunded": 60_000}),
    ],
)
def test_what_was_approved_under_a_hold_can_still_be_decided(
    market: Market, share: Money | None, end: str, order: dict[str, int]
) -> None:
    told = market.submitted()
    kept = market.act(holds.place, market.as_staff("cora"), milestone_id=told.milestone, reason="A report.")
    market.act(verification.approve, market.payer, milestone_id=told.milestone)
    assert market.status(told) == "VERIFIED"
    told = opened(market, told, "ada")
    assert (market.status(told), market.get(Milestone, told.milestone).verified_at) == ("IN_MEDIATION", None)
    with pytest.raises(DeskError, match="Hold"):
        builders.decided(market, told, builders.a_draft(told, release=share))
    market.act(holds.lift, market.as_staff("ada"), hold_id=kept.id, reason="The case decides.")
    assert market.order(told) == {"held": 100_000}
    builders.decided(market, told, builders.a_draft(told, release=share))
    market.work()
    assert (market.status(told), market.order(told)) == (end, order)
    market.lawful()


def test_the_parties_may_settle_such_a_case_themselves(market: Market) -> None:
    told = opened(market, market.submitted())
    offer = market.act(
        settlement_proposals.propose, market.payee, case_id=told.case, release=Money(70_000, "USD")
    )
    market.act(settlement_proposals.accept, market.payer, proposal_id=offer.id)
    market.work()
    assert market.order(told) == {"released": 70_000, "refunded": 30_000}
    market.lawful()


def test_a_legal_dispute_that_nobody_takes_further_is_taken_to_a_mediator_by_staff(market: Market) -> None:
    told = legal(market)
    reason = DisputeReason.DEFECTIVE
    case = market.act(disputes.open_dispute, market.payer, milestone_id=told.milestone, reason=reason)
    market.later(days=20)
    assert market.status(told) == "DISPUTED"
    assert opened(market, told).case == case.id
    assert (market.status(told), market.get(Case, case.id).status) == ("IN_MEDIATION", "UNDER_REVIEW")


def test_work_that_never_began_can_be_taken_up_too(market: Market) -> None:
    told = opened(market, market.funded())
    draft = builders.a_draft(told, outcome=DecisionOutcome.FULL_REFUND, ground=Ground.PROVIDER_NO_SHOW)
    builders.decided(market, told, draft)
    market.work()
    assert market.status(told) == "REFUNDED"


def test_once_something_was_released_no_case_is_opened(market: Market) -> None:
    told = market.submitted()
    market.act(verification.approve, market.payer, milestone_id=told.milestone)
    with pytest.raises(NotAllHeld):
        opened(market, told)
    market.work()
    with pytest.raises(NotAllHeld):
        opened(market, told)


def test_a_case_that_is_with_a_mediator_is_not_opened_again(market: Market) -> None:
    with pytest.raises(IllegalMove):
        opened(market, market.in_mediation())


@pytest.mark.parametrize("who", ["fay", "cora"])
def test_only_mediators_and_administrators_open_a_case(market: Market, who: str) -> None:
    told = market.submitted()
    with pytest.raises(NotPermitted):
        opened(market, told, who)
    with pytest.raises(NotPermitted):
        market.act(staff_opening.by_staff, market.payee, milestone_id=told.milestone, reason="I want it.")


def test_a_case_is_opened_with_a_reason_that_stays_among_staff(market: Market) -> None:
    told = market.submitted()
    with pytest.raises(ReasonMissing):
        opened(market, told, reason=" ")
    opened(market, told, reason="They seem to be cousins.")
    entries = text("select actor_id, reason from audit_entries where action = 'staff:case:open'")
    kept = market.read(lambda s: [tuple(row) for row in s.execute(entries)])
    assert kept == [(market.staff["mia"], "They seem to be cousins.")]
    assert not [each for each in market.all(Notification) if "cousins" in each.text]
