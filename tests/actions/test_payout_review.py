"""Administrative review: a failed payout is sent again, once, by the same or another method; its past stays past."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from core.actions.milestones import verification
from core.actions.payouts import payout_owners, payout_review, withdrawals
from core.actions.payouts.payout_owners import CannotOwn, PayoutOver
from core.actions.payouts.payout_review import NothingToWaive, OutcomeStillUnknown, PayoutNotInReview
from core.actions.risk import holds
from core.db import Database
from core.errors import ReasonMissing
from core.gateways.payments import ProviderRefused
from core.ledger import accounts, journal_store
from core.money import Money
from core.policy import WithdrawalMethod
from core.processes.outgoing import failures
from core.queries import invariants, payout_progress, payouts, payouts_ahead
from core.records import Milestone, Notification, OutgoingOperation, Payout, StripeBalance
from core.rules import payout_failures
from core.rules.payout_failures import WillFailAgain
from core.rules.payouts import PayoutStatus
from core.rules.permissions import NotPermitted, Role, StepUpRequired
from core.rules.references import reference
from tests import builders
from tests.builders import Town

METHOD = WithdrawalMethod


@pytest.fixture
def town(database: Database) -> Town:
    """A decision has released everything; the transfer is queued."""
    town = builders.a_town(database)
    told = builders.in_mediation(town)
    builders.decided(town, told)
    return town


def the_payout(town: Town) -> Payout:
    return town.read(lambda s: s.scalars(select(Payout)).one())


def operation(town: Town, kind: str, number: int = -1) -> OutgoingOperation:
    wanted = select(OutgoingOperation).where(OutgoingOperation.kind == kind).order_by(OutgoingOperation.id)
    return town.read(lambda s: s.scalars(wanted).all()[number])


def bank_says(town: Town, status: str, number: int = -1) -> None:
    """News of a payout: `paid`, or `failed` with a reason."""
    asked = operation(town, "PAYOUT", number)

    def news(session):
        row = session.get_one(OutgoingOperation, asked.id, with_for_update=True)
        amount = Money(row.amount_minor, row.currency)
        settle, snapshot = builders.SNAPSHOTS["PAYOUT"](row, amount, f"po_{row.id}", town.now)
        failure = "account_closed" if status == "failed" else None
        settle(session, row, replace(snapshot, status=status, failure_code=failure), now=town.now)

    town.database.run(news)


def transfer_refused(town: Town) -> None:
    asked = operation(town, "TRANSFER")

    def refused(session):
        row = session.get_one(OutgoingOperation, asked.id)
        withdrawals.move(the_row(session), withdrawals.PayoutEvent.SEND, now=builders.NOW)
        refusal = ProviderRefused(provider_code="account_invalid", reason="No such destination")
        failures.refused(session, row.id, refusal=refusal, now=town.now)

    town.database.run(refused)


def the_row(session) -> Payout:
    return session.scalars(select(Payout)).one()


def told(town: Town) -> tuple[str, str]:
    """Which letter the payee got last about it, and what finance read."""
    rows = town.read(lambda s: s.scalars(select(Notification).order_by(Notification.id)).all())
    (last,) = [each for each in rows if each.template == "payout_to_review"][-1:]
    return [each.template for each in rows if each.template.startswith("payout_") and each.party_id][
        -1
    ], last.text


def retry(town: Town, who: str = "fay", **more: object) -> Payout:
    given = {
        "payout_id": the_payout(town).id,
        "reason": "The bank details were corrected.",
        "anyway": True,
        **more,
    }
    return town.act(payout_review.retry, town.as_staff(who), **given)


def entries(town: Town, action: str) -> list:
    wanted = text("select before, after from audit_entries where action = :action order by id")
    return list(town.read(lambda s: s.execute(wanted, {"action": action}).all()))


def laws_hold(town: Town) -> bool:
    return [each.name for each in town.read(invariants.run) if not each.holds] == []


def balance(town: Town, code: str) -> int:
    return town.read(lambda s: journal_store.balance(s, code, "USD")).minor


def test_a_failed_payout_waits_for_a_person_and_is_sent_again_as_another_movement(town: Town) -> None:
    builders.carry_out(town, payouts_too=False)
    bank_says(town, "failed")
    assert the_payout(town).status == PayoutStatus.ADMINISTRATIVE_REVIEW
    first = operation(town, "PAYOUT")
    assert first.status == "REFUSED"
    letter, review = told(town)
    assert (letter, "came back" in review) == ("payout_failed", True)
    assert reference("payout", the_payout(town).id) in review
    retry(town)
    second = operation(town, "PAYOUT")
    assert (second.key, second.amount_minor) == (f"{first.key}.2", first.amount_minor)
    assert the_payout(town).status == PayoutStatus.TRANSFERRED
    bank_says(town, "paid")
    assert the_payout(town).status == PayoutStatus.PAID
    assert balance(town, accounts.connected_balance(town.payee_id)) == 0
    assert balance(town, accounts.connected_in_transit(town.payee_id)) == 0
    assert laws_hold(town)


def test_late_news_of_the_failed_payout_does_not_touch_the_one_sent_in_its_place(town: Town) -> None:
    builders.carry_out(town, payouts_too=False)
    bank_says(town, "failed")
    retry(town)
    bank_says(town, "in_transit")
    bank_says(town, "failed", number=0)
    assert the_payout(town).status == PayoutStatus.IN_TRANSIT
    bank_says(town, "paid")
    assert the_payout(town).status == PayoutStatus.PAID
    assert laws_hold(town)


def test_it_may_fail_and_be_sent_again_any_number_of_times(town: Town) -> None:
    builders.carry_out(town, payouts_too=False)
    for number in range(2, 5):
        bank_says(town, "failed")
        retry(town)
        assert operation(town, "PAYOUT").key.endswith(f".payout.{number}")
    bank_says(town, "paid")
    assert balance(town, accounts.connected_in_transit(town.payee_id)) == 0


def test_another_method_after_the_transfer_costs_its_fee_out_of_what_was_transferred(town: Town) -> None:
    builders.carry_out(town, payouts_too=False)
    bank_says(town, "failed")
    before = the_payout(town)
    after = retry(town, method=METHOD.INSTANT)
    assert (after.method, before.fee_minor, after.fee_minor) == ("instant", 0, 2700)
    sent = operation(town, "PAYOUT")
    assert (sent.payload["method"], sent.amount_minor) == ("instant", before.amount_minor - 2700)
    assert operation(town, "REVERSAL").amount_minor == 2700
    assert balance(town, "withdrawal_fee_revenue") == 2700
    assert balance(town, accounts.receivable_payee(town.payee_id)) == 2700
    bank_says(town, "paid")
    assert the_payout(town).status == PayoutStatus.PAID
    assert balance(town, accounts.connected_balance(town.payee_id)) == 2700  # what the reversal takes
    letters = town.read(lambda s: s.scalars(select(Notification).order_by(Notification.id)).all())
    assert [each.template for each in letters if "27.00" in each.text] == ["payout_method_changed"]


def test_who_waives_the_fee_of_another_method_stands_on_the_payout_and_in_the_log(town: Town) -> None:
    builders.carry_out(town, payouts_too=False)
    bank_says(town, "failed")
    with pytest.raises(NotPermitted):
        retry(town, "ada", method=METHOD.INSTANT, waive_fee=True)
    with pytest.raises(NothingToWaive):
        retry(town, waive_fee=True)
    after = retry(town, method=METHOD.INSTANT, waive_fee=True)
    assert (after.fee_minor, after.fee_waived_minor, after.fee_waived_by) == (0, 2700, town.staff["fay"])
    (entry,) = entries(town, "staff:payout:retry")
    assert (entry.after["fee_waived"], entry.after["fee_waived_by"]) == (2700, town.staff["fay"])
    assert balance(town, "withdrawal_fee_revenue") == 0
    bank_says(town, "paid")
    assert laws_hold(town)


def test_of_a_method_that_costs_nothing_nothing_is_waived(town: Town) -> None:
    builders.carry_out(town, payouts_too=False)
    bank_says(town, "failed")
    after = retry(town, method=METHOD.INSTANT)
    bank_says(town, "failed")
    after = retry(town, method=METHOD.STANDARD, waive_fee=True)
    assert (after.fee_waived_minor, after.fee_waived_by) == (0, None)


def test_a_waived_fee_of_a_refused_transfer_leaves_the_whole_amount_to_the_payee(town: Town) -> None:
    transfer_refused(town)
    after = retry(town, method=METHOD.INSTANT, waive_fee=True)
    assert (after.fee_minor, after.fee_waived_minor) == (0, 2700)
    assert operation(town, "TRANSFER").amount_minor == after.amount_minor
    builders.carry_out(town)
    assert balance(town, "withdrawal_fee_revenue") == 0
    assert laws_hold(town)


def test_the_database_refuses_a_waived_fee_that_nobody_waived(town: Town) -> None:
    with pytest.raises(IntegrityError, match="fee_waived_by_someone"):
        town.database.run(lambda s: s.execute(text("update payouts set fee_waived_minor = 1")))


def test_the_same_account_is_not_asked_again_unless_somebody_says_so_or_it_is_another_one(town: Town) -> None:
    builders.carry_out(town, payouts_too=False)
    bank_says(town, "failed")
    line = town.read(lambda s: payout_progress.one(s, the_payout(town).id))
    assert line.why == "The bank account is closed."
    assert line.next == "Ask the payee to add another bank account first."
    with pytest.raises(WillFailAgain, match="The bank account is closed"):
        retry(town, anyway=False)

    assert retry(town).status == PayoutStatus.TRANSFERRED
    assert payout_failures.repeats("account_closed", bank_changed=True, account=None, currency="USD") is None


def test_a_payout_has_an_owner_who_may_review_it_and_every_change_is_in_the_log(town: Town) -> None:
    builders.carry_out(town, payouts_too=False)
    number = the_payout(town).id
    give = {"payout_id": number, "owner_id": town.staff["fay"]}
    with pytest.raises(NotPermitted):
        town.act(payout_owners.assign, town.as_staff("cora"), **give)
    with pytest.raises(CannotOwn, match="Cora"):
        town.act(payout_owners.assign, town.as_staff("fay"), payout_id=number, owner_id=town.staff["cora"])
    town.act(payout_owners.assign, town.as_staff("ada"), **give)
    town.act(payout_owners.assign, town.as_staff("fay"), payout_id=number, owner_id=None)
    for _ in range(2):
        town.act(payout_owners.assign, town.as_staff("ada"), **give)
    assert town.read(lambda s: payout_progress.one(s, number)).owner == "Fay Moreno"
    found = entries(town, "staff:payout:assign")
    nobody, fay = {"owner": None}, {"owner": town.staff["fay"]}
    assert [(each.before, each.after) for each in found] == [(nobody, fay), (fay, nobody), (nobody, fay)]
    mine = payouts.PayoutFilter(owner=str(town.staff["fay"]))
    assert [each.id for each in town.read(lambda s: payout_progress.page(s, mine))] == [number]
    nobodys = payouts.PayoutFilter(owner=payouts.UNOWNED)
    assert town.read(lambda s: payout_progress.page(s, nobodys)) == []
    bank_says(town, "paid")
    with pytest.raises(PayoutOver):
        town.act(payout_owners.assign, town.as_staff("fay"), payout_id=number, owner_id=None)


def test_a_payout_says_what_stops_it_and_what_comes_next(town: Town) -> None:
    number = the_payout(town).id
    line = town.read(lambda s: payout_progress.one(s, number))
    assert (line.why, line.next) == ("", "Transferred")
    hold = town.act(
        holds.place, town.as_staff("cora"), milestone_id=the_payout(town).milestone_id, reason="Looks odd"
    )
    line = town.read(lambda s: payout_progress.one(s, number))
    assert line.why == f"Hold H-{hold.id} is in place: Looks odd."
    assert line.next == "Checked again, and sent when nothing stops it"
    due = town.read(lambda s: payouts_ahead.ahead(s, now=town.now))
    assert [(each.kind, each.why, each.at) for each in due.due] == [("PAYOUT", line.why, None)]
    (cash,) = due.cash
    assert (cash.needed.minor, cash.stopped.minor, cash.short) == (0, line.sent.minor, None)
    town.act(holds.lift, town.as_staff("ada"), hold_id=hold.id, reason="It was not")
    town.database.run(
        lambda s: s.add(
            StripeBalance(
                currency="USD", looked_at=town.now, at_stripe_minor=900_000, owed_minor=0, on_its_way_minor=0,
                available_minor=line.sent.minor - 1,
            )
        )
    )  # fmt: skip
    (cash,) = town.read(lambda s: payouts_ahead.ahead(s, now=town.now)).cash
    assert (cash.needed, cash.short.minor, cash.read_at) == (line.sent, 1, town.now)


def test_what_silence_approves_by_tomorrow_night_is_ahead_and_later_is_not(database: Database) -> None:
    town = builders.a_town(database)
    told = builders.funded(town)
    town.act(verification.submit, town.payee, milestone_id=told.milestone)
    at = town.read(lambda s: s.get_one(Milestone, told.milestone).auto_approve_at)
    kinds = lambda now: [e.kind for e in town.read(lambda s: payouts_ahead.ahead(s, now=now)).due]  # noqa: E731
    assert kinds(at - timedelta(days=1)) == ["APPROVAL"]
    assert kinds(at - timedelta(days=2)) == []


def test_a_refused_transfer_is_sent_again_under_a_new_key_of_the_same_operation(town: Town) -> None:
    transfer_refused(town)
    asked = operation(town, "TRANSFER")
    assert (asked.status, the_payout(town).status) == ("REFUSED", PayoutStatus.ADMINISTRATIVE_REVIEW)
    letter, review = told(town)
    assert (letter, "Stripe refused it" in review, "bank did not" in review) == (
        "payout_delayed",
        True,
        False,
    )
    retry(town)
    again = operation(town, "TRANSFER")
    assert (again.id, again.status, again.attempt) == (asked.id, "QUEUED", asked.attempt + 1)
    assert the_payout(town).status == PayoutStatus.REQUESTED
    builders.carry_out(town)
    assert the_payout(town).status == PayoutStatus.PAID
    assert laws_hold(town)


def test_another_method_for_a_refused_transfer_takes_its_own_fee(town: Town) -> None:
    transfer_refused(town)
    first = operation(town, "TRANSFER")
    after = retry(town, method=METHOD.INSTANT)
    second = operation(town, "TRANSFER")
    assert after.fee_minor == 2700
    assert second.key == f"{first.key}.2"
    assert second.amount_minor == after.amount_minor - 2700
    builders.carry_out(town)
    assert the_payout(town).status == PayoutStatus.PAID
    assert balance(town, "withdrawal_fee_revenue") == 2700
    assert laws_hold(town)


def test_a_transfer_of_unknown_outcome_is_looked_for_before_it_is_sent_and_keeps_its_method(
    town: Town,
) -> None:
    asked = operation(town, "TRANSFER")

    def lost(session):
        withdrawals.move(the_row(session), withdrawals.PayoutEvent.SEND, now=builders.NOW)
        session.get_one(OutgoingOperation, asked.id).first_sent_at = town.now
        failures.for_review(session, asked.id, reason="no trace of it was found", now=town.now)

    town.database.run(lost)
    letter, review = told(town)
    assert (letter, "Whether it was sent is not known" in review) == ("payout_delayed", True)
    with pytest.raises(OutcomeStillUnknown):
        retry(town, method=METHOD.INSTANT)
    town.wait(days=2)
    retry(town)
    again = operation(town, "TRANSFER")
    assert (again.attempt, again.tries, again.status) == (asked.attempt, 0, "QUEUED")
    assert again.first_sent_at == town.now  # sent before: so its trace is looked for first


@pytest.mark.parametrize("who", ["mia", "cora"])
def test_only_finance_and_administrators_may(town: Town, who: str) -> None:
    transfer_refused(town)
    with pytest.raises(NotPermitted):
        retry(town, who)
    assert town.roles["ada"] == {Role.ADMINISTRATOR}
    retry(town, "ada")


def test_it_takes_a_reason_a_fresh_sign_in_and_a_payout_in_review(town: Town) -> None:
    with pytest.raises(PayoutNotInReview):
        retry(town)
    transfer_refused(town)
    with pytest.raises(ReasonMissing):
        retry(town, reason="  ")
    signed_in = town.as_staff("fay")
    town.wait(minutes=6)
    with pytest.raises(StepUpRequired):
        town.act(payout_review.retry, signed_in, payout_id=the_payout(town).id, reason="again")
    retry(town)
    with pytest.raises(PayoutNotInReview):
        retry(town)
