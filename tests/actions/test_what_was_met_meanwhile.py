"""What falls due, and what is told late, is looked at once more under its lock: where somebody was quicker, or it was
done before, nothing is done and nothing breaks."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core.actions.cases import mediator_assignment, names_hidden, settlement_proposals
from core.actions.chargebacks import (
    chargeback_acceptance,
    chargeback_letters,
    chargeback_lines,
    refund_offsets,
)
from core.actions.decisions import confirmation, drafts, planned_calls, recorded_decision
from core.actions.demo import clock
from core.actions.funding import card_retries, charges, fund, settlement_currency
from core.actions.milestones import completion, ratings, verification
from core.actions.milestones.milestone_context import open_case, open_milestone
from core.actions.operations import operation_retry, operation_states
from core.actions.parties import payment_method_setups
from core.actions.payouts import pending_withdrawals, reversals, withdrawals
from core.actions.payouts.payout_review import OutcomeStillUnknown
from core.actions.refunds.hand_refunds import NoRefundOwed
from core.actions.risk import external_movements
from core.actions.staff import policy_change, proposals, sessions
from core.db import Database
from core.gateways.snapshots import RefundSnapshot, SetupSnapshot
from core.money import Money
from core.policy import HOME_SERVICES, WithdrawalMethod
from core.policy.limits import PROPOSAL_STANDS
from core.processes import returned_proposals
from core.processes.outgoing import dispatch, failures
from core.records import (
    Chargeback,
    Decision,
    Notification,
    OutgoingOperation,
    Payout,
    PolicyProposal,
    PolicyVersion,
    Recusal,
)
from core.rules import proposals as rules
from core.rules.payouts import PayoutEvent
from core.rules.proposals import ProposalKind, RecusedFromCase
from core.rules.suspense import SettledAs
from tests import builders
from tests.actions import test_duplicate_payments, test_reversals
from tests.actions import test_payout_review as payout_review
from tests.actions import test_second_person as second_person
from tests.actions.deadline_stories import cooling_off
from tests.actions.stripe_events import bank_says, chargeback, charged_back
from tests.actions.test_decisions import ABOVE
from tests.builders import Town
from tests.db_snapshot import nothing_changes
from tests.sandbox_desk import Market


@pytest.fixture
def town(database: Database) -> Town:
    return builders.a_town(database)


def test_what_is_over_is_not_done_again(town: Town, owner: Database) -> None:
    told = builders.in_mediation(town)
    offer = town.act(
        settlement_proposals.propose, town.payer, case_id=told.case, release=Money(100_000, "USD")
    )
    made = builders.decided(town, told)
    assert made.status == "EXECUTED"
    late = {"now": town.now + timedelta(days=30)}
    assert town.database.run(
        lambda session: settlement_proposals.expire(session, proposal_id=offer.id, **late)
    ), "with its case"
    with nothing_changes(owner):
        for act in (
            lambda session: settlement_proposals.expire(session, proposal_id=offer.id, **late),
            lambda session: mediator_assignment.pass_on(session, case_id=told.case, **late),
            lambda session: mediator_assignment.escalate(session, case_id=told.case, **late),
            lambda session: confirmation.execute_if_due(session, session.get_one(Decision, made.id), **late),
            lambda session: charges.expire(session, milestone_id=told.milestone, **late),
            lambda session: card_retries.retry(session, milestone_id=told.milestone, **late),
            lambda session: ratings.reveal_if_due(session, 987_654, **late),
        ):
            assert not town.database.run(act)


def test_a_case_that_has_a_mediator_is_given_to_no_other(town: Town, owner: Database) -> None:
    told = builders.in_mediation(town)

    def again(session: Any) -> int | None:
        context, case = open_case(session, told.case)
        mediator_assignment.assign_best(session, context, case, now=town.now)
        return case.mediator_id

    with nothing_changes(owner):
        assert town.database.run(again) == town.staff["mia"]


def test_a_milestone_that_is_neither_verified_nor_refunded_does_not_end(town: Town, owner: Database) -> None:
    told = builders.in_mediation(town)
    with nothing_changes(owner):
        town.database.run(
            lambda session: completion.finish(session, open_milestone(session, told.milestone), now=town.now)
        )


def test_news_of_what_is_nobodys_here_change_nothing(town: Town, owner: Database) -> None:
    setup = SetupSnapshot("seti_nobody", "succeeded", town.now, None, None, None, None)
    amount = Money(1_000, "USD")
    refund = RefundSnapshot(
        "re_nobody", "succeeded", amount, town.now, None, None, "pi_nobody", None, None, None, None, None
    )
    with nothing_changes(owner):
        assert not town.database.run(lambda s: payment_method_setups.follow(s, setup, now=town.now))
        assert not town.database.run(
            lambda s: external_movements.refund_made_outside(s, refund, now=town.now)
        )


def test_a_move_of_the_clock_that_arrived_is_not_ended_twice(market: Market) -> None:
    market.database.run(lambda session: clock.arrive(session, now=market.now))
    market.database.run(lambda session: clock.note_trouble(session, "The sandbox is away."))
    market.database.run(lambda s: clock.advance(s, market.as_staff("mia"), now=market.now, by="1h"))
    market.database.run(lambda session: clock.arrive(session, now=market.now))
    trouble = text("select trouble from demo_clock")
    market.database.run(lambda session: clock.note_trouble(session, "Too late."))
    assert market.read(lambda session: session.scalar(trouble)) is None


def test_ones_own_session_is_ended_once_and_by_oneself(town: Town) -> None:
    token = town.database.run(lambda s: sessions.sign_in(s, staff_id=town.staff["mia"], now=town.now))
    me = town.read(lambda s: sessions.resolve(s, token, now=town.now, touch=False))
    assert me is not None
    entries = text("select count(*) from audit_entries where action = 'staff:session:revoke'")
    for _ in range(2):
        town.database.run(
            lambda s: sessions.revoke(
                s, session_id=me.session_id, actor=me.actor, now=town.now, reason="A lost laptop."
            )
        )
        assert town.read(lambda session: session.scalar(entries)) == 1


# The bank, and what it settles by itself


def test_the_bank_that_has_decided_is_answered_and_accepted_no_more(market: Market) -> None:
    told = market.funded()
    dispute = charged_back(market, told)
    proposal = market.act(
        chargeback_acceptance.propose,
        market.as_staff("fay"),
        chargeback_id=chargeback(market).id,
        reason="The payer is right.",
    )
    number = chargeback(market).id
    bank_says(market, dispute, "lost")
    market.work()
    row = market.get(Chargeback, number)
    assert row.status == "lost"
    assert market.read(lambda s: chargeback_acceptance.fallen(s, proposal, now=market.now))
    assert not market.database.run(
        lambda s: chargeback_letters.alarm(s, now=market.now, chargeback_id=number, days=2)
    )


def test_an_operation_that_is_no_refund_is_no_refund_that_came_back(market: Market, owner: Database) -> None:
    market.funded()
    charge = market.operations("CHARGE")[0].id
    with nothing_changes(owner):
        market.database.run(
            lambda s: refund_offsets.on_refund_failed(s, s.get_one(OutgoingOperation, charge), now=market.now)
        )


def test_late_news_of_a_call_that_ended_leave_it_ended(market: Market) -> None:
    market.funded()
    charge = market.operations("CHARGE")[0]

    def late(session: Any) -> str:
        row = session.get_one(OutgoingOperation, charge.id)
        operation_states.waiting(row, provider_id=row.provider_id, now=market.now)
        return str(row.status)

    assert market.database.run(late) == charge.status == "SUCCEEDED"


@pytest.mark.parametrize("kind", ["TRANSFER", "REFUND"])
def test_what_is_made_is_booked_with_its_line_and_once(town: Town, kind: str) -> None:
    """Stripe may say that it is done before it says what it cost: until then it is looked at again."""
    told = builders.in_mediation(town)
    builders.decided(town, told, builders.a_draft(told, release=Money(60_000, "USD")))
    made: dict[str, Any] = {}

    def say(session: Session, *, lined: bool) -> tuple[str, int]:
        call = session.scalars(select(OutgoingOperation).where(OutgoingOperation.kind == kind)).one()
        if not made:
            if kind == "TRANSFER":
                withdrawals.move(session.scalars(select(Payout)).one(), PayoutEvent.SEND, now=town.now)
            amount = Money(call.amount_minor, call.currency)
            made["settle"], made["said"] = builders.SNAPSHOTS[kind](call, amount, kind.lower(), town.now)
        said = made["said"] if lined else replace(made["said"], lines=())
        made["settle"](session, call, said, now=town.now)
        return call.status, session.scalar(text("select count(*) from journals")) or 0

    waiting, before = town.database.run(lambda s: say(s, lined=False))
    done, after = town.database.run(lambda s: say(s, lined=True))
    assert (waiting, done) == ("QUEUED", "SUCCEEDED")
    assert after > before
    assert town.database.run(lambda s: say(s, lined=True)) == ("SUCCEEDED", after)


def test_a_reversal_is_booked_once_however_often_it_is_told(market: Market) -> None:
    told = test_reversals.transferred(market)
    bank_says(market, charged_back(market, told), "lost")
    market.work()
    (reversal,) = market.operations("REVERSAL")
    transfer = market.at_stripe("/v1/transfers")[0]["id"]
    said = market.desk.payments.reversal_by_id(transfer, reversal.provider_id or "")
    books = market.books()
    for each in (replace(said, lines=()), said):
        market.database.run(
            lambda s, each=each: dispatch.settle(s, reversal.id, snapshot=each, now=market.now)  # type: ignore[misc]
        )
    assert market.books() == books
    assert market.operations("REVERSAL")[0].status == "SUCCEEDED"


# What waits for a second person


def test_a_proposal_that_still_stands_is_not_returned(market: Market) -> None:
    story = second_person.policy(market)
    (row,) = market.all(PolicyProposal)
    assert not returned_proposals.give_back(market.desk, ProposalKind.POLICY_CHANGE, row.id)
    assert market.read(story.status) == "PROPOSED"


def test_a_checker_reads_why_a_proposal_fell_and_a_maker_who_left_gets_no_letter(market: Market) -> None:
    second_person.second_administrator(market)
    story = second_person.policy(market)
    (row,) = market.all(PolicyProposal)
    market.database.run(lambda s: second_person.happen(rules.GONE, market, story, s))
    waiting = market.read(lambda s: policy_change.waiting_of(s, row.id))
    said = market.read(lambda s: proposals.why_not(s, market.as_staff("alf"), waiting, now=market.now))
    assert rules.GONE in (said or "")
    assert returned_proposals.return_stale(market.desk) == 1
    assert "proposal_returned" not in {each.template for each in market.all(Notification)}


def test_a_proposal_falls_with_the_version_that_it_changes(market: Market, owner: Database) -> None:
    second_person.policy(market)
    (row,) = market.all(PolicyProposal)
    newer = HOME_SERVICES.revised(decisions_a_day=3)
    with owner.transaction() as session:
        session.add(
            PolicyVersion(profile=newer.name, version=2, snapshot=newer.snapshot(), effective_at=market.now)
        )
    fallen = market.read(lambda s: policy_change.fallen(s, row, now=market.now))
    assert fallen == "Version 2 was published since."


def test_whoever_was_recused_from_the_case_proposes_nothing_about_its_money(market: Market) -> None:
    told = market.in_mediation()
    charged_back(market, told)

    def recused(session: Session) -> None:
        session.add(
            Recusal(case_id=told.case, staff_id=market.staff["fay"], reason="A cousin.", at=market.now)
        )

    market.database.run(recused)
    with pytest.raises(RecusedFromCase):
        market.act(
            chargeback_acceptance.propose,
            market.as_staff("fay"),
            chargeback_id=chargeback(market).id,
            reason="The payer is right.",
        )


def test_a_decision_that_nobody_approved_in_time_is_found(market: Market) -> None:
    told = market.in_mediation(*ABOVE)
    builders.decided(market, told)
    late = market.now + PROPOSAL_STANDS + timedelta(seconds=1)
    assert market.read(lambda s: recorded_decision.changed(s, now=market.now)) == []
    assert market.read(lambda s: recorded_decision.changed(s, now=late)) == [told.milestone]


def test_a_decision_that_waits_is_void_when_the_bank_has_taken_the_money(market: Market) -> None:
    told = market.in_mediation(*ABOVE)
    made = builders.decided(market, told)
    assert made.status == "AWAITING_APPROVAL"
    bank_says(market, charged_back(market, told), "lost")
    market.work()
    assert market.get(Decision, made.id).status == "VOIDED"
    assert market.status(told) == "REFUNDED"
    market.lawful()


def test_a_decision_whose_case_is_another_when_its_time_comes_is_void(town: Town, owner: Database) -> None:
    cooling_off(town)
    (made,) = town.read(lambda s: s.scalars(select(Decision)).all())
    with owner.transaction() as session:
        session.execute(text("update projects set scope = 'Another lease altogether.'"))
    town.wait(hours=25)
    assert not town.database.run(
        lambda s: confirmation.execute_if_due(s, s.get_one(Decision, made.id), now=town.now)
    )
    assert town.read(lambda s: s.get_one(Decision, made.id).status) == "VOIDED"


# Withdrawals


def test_a_withdrawal_that_may_have_been_sent_is_not_called_off(town: Town) -> None:
    told = builders.funded(town)
    town.act(verification.submit, town.payee, milestone_id=told.milestone)
    town.act(verification.approve, town.payer, milestone_id=told.milestone)

    def canceled(session: Session, *, sent: bool) -> int:
        call = session.scalars(select(OutgoingOperation).where(OutgoingOperation.kind == "TRANSFER")).one()
        call.first_sent_at = town.now if sent else None
        context = open_milestone(session, told.milestone)
        return pending_withdrawals.cancel(session, context, reason="Charged back.", now=town.now).minor

    assert town.database.run(lambda s: canceled(s, sent=True)) == 0
    assert town.database.run(lambda s: canceled(s, sent=False)) > 0


def test_a_withdrawal_that_was_refused_is_called_off(town: Town) -> None:
    told = builders.funded(town)
    town.act(verification.submit, town.payee, milestone_id=told.milestone)
    town.act(verification.approve, town.payer, milestone_id=told.milestone)
    payout_review.transfer_refused(town)

    def canceled(session: Session) -> int:
        context = open_milestone(session, told.milestone)
        return pending_withdrawals.cancel(session, context, reason="Charged back.", now=town.now).minor

    assert town.database.run(canceled) > 0


def test_what_is_too_small_for_the_quick_way_goes_the_standard_one(town: Town) -> None:
    told = builders.funded(town)

    def method(session: Session) -> WithdrawalMethod:
        context = open_milestone(session, told.milestone)
        return planned_calls.terms(context, Money(40, "USD"), method=WithdrawalMethod.INSTANT).method

    assert town.database.run(method) is WithdrawalMethod.STANDARD


def test_only_what_certainly_lies_at_the_payee_is_asked_back(town: Town) -> None:
    told = builders.funded(town)
    town.act(verification.submit, town.payee, milestone_id=told.milestone)
    town.act(verification.approve, town.payer, milestone_id=told.milestone)
    builders.carry_out(town, payouts_too=False)

    def asked(session: Session, debt: int, *, sent: bool) -> int:
        call = session.scalars(select(OutgoingOperation).where(OutgoingOperation.kind == "PAYOUT")).one()
        call.first_sent_at = town.now if sent else None
        context = open_milestone(session, told.milestone)
        return reversals.request(session, context, Money(debt, "USD"), key="test", now=town.now).minor

    assert town.database.run(lambda s: asked(s, 50_000, sent=True)) == 0
    assert town.database.run(lambda s: asked(s, 0, sent=False)) == 0
    assert town.database.run(lambda s: asked(s, 50_000, sent=False)) == 50_000


def test_a_payout_of_unknown_outcome_is_looked_for_and_keeps_its_method(town: Town) -> None:
    told = builders.funded(town)
    town.act(verification.submit, town.payee, milestone_id=told.milestone)
    town.act(verification.approve, town.payer, milestone_id=told.milestone)
    builders.carry_out(town, payouts_too=False)
    asked = payout_review.operation(town, "PAYOUT")

    def lost(session: Session) -> None:
        session.get_one(OutgoingOperation, asked.id).first_sent_at = town.now
        failures.for_review(session, asked.id, reason="no trace of it was found", now=town.now)

    town.database.run(lost)
    with pytest.raises(OutcomeStillUnknown):
        payout_review.retry(town, method=WithdrawalMethod.INSTANT)
    payout_review.retry(town)
    again = payout_review.operation(town, "PAYOUT")
    assert (again.id, again.status) == (asked.id, "QUEUED")


# What finance explains, and sends again


def test_a_charge_in_review_is_looked_for_before_it_is_sent_again(market: Market) -> None:
    project = market.agreed(Money(100_000, "USD"))
    (first,) = market.milestones(project.id)
    market.act(fund.fund, market.payer, milestone_id=first.id)
    (charge,) = market.operations("CHARGE")

    def lost(session: Session) -> None:
        session.get_one(OutgoingOperation, charge.id).first_sent_at = market.now
        failures.for_review(session, charge.id, reason="no trace of it was found", now=market.now)

    market.database.run(lost)
    market.wait(days=1)
    fay = market.as_staff("fay")
    again = market.act(operation_retry.retry, fay, operation_id=charge.id, reason="Looked at Stripe.")
    assert (again.status, again.first_sent_at) == ("QUEUED", market.now)


def test_a_refund_of_nothing_explains_no_amount(market: Market) -> None:
    item = test_duplicate_payments.unexplained(market)
    with pytest.raises(NoRefundOwed):
        test_duplicate_payments.propose(
            market, item, settled_as=SettledAs.REFUND_OWED, target_id=item.milestone_id
        )


def test_one_finding_of_a_currency_is_written_once(town: Town, owner: Database) -> None:
    town.database.run(lambda s: settlement_currency.converted(s, "SEK", now=town.now))
    with nothing_changes(owner):
        town.database.run(lambda s: settlement_currency.converted(s, "SEK", now=town.now))


def test_names_are_revealed_once_and_the_first_judgement_stays(town: Town) -> None:
    told = builders.in_mediation(town)
    mia = town.as_staff("mia")
    said = {
        "outcome": "FULL_REFUND",
        "ground": "WORK_NOT_AS_AGREED",
        "reasons": "The cabinets were never hung, see photos.",
    }
    town.act(drafts.save, mia, case_id=told.case, content=said)
    first = town.act(names_hidden.reveal, mia, case_id=told.case)
    town.wait(hours=1)
    assert town.act(names_hidden.reveal, mia, case_id=told.case).at == first.at


def test_a_fee_in_a_second_currency_stays_with_its_line() -> None:
    row = Chargeback(fees_minor=0, fees_currency=None)
    for currency, fee in (("USD", 1_500), ("EUR", 1_300), ("USD", 500)):
        line: Any = SimpleNamespace(currency=currency, fee=fee)
        chargeback_lines._bear_fee(row, line)
    assert (row.fees_currency, row.fees_minor) == ("USD", 2_000)
