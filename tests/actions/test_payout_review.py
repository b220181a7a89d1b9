"""Administrative review: a failed payout is sent again, once, by the same or another method; its past stays past."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from core.actions.payouts import payout_review, withdrawals
from core.actions.payouts.payout_review import OutcomeStillUnknown, PayoutNotInReview
from core.db import Database
from core.errors import ReasonMissing
from core.gateways.payments import ProviderRefused
from core.ledger import accounts, journal_store
from core.money import Money
from core.policy import WithdrawalMethod
from core.processes.outgoing import failures
from core.queries import invariants
from core.records import Notification, OutgoingOperation, Payout
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
    given = {"payout_id": the_payout(town).id, "reason": "The bank details were corrected.", **more}
    return town.act(payout_review.retry, town.as_staff(who), **given)


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


def test_another_method_after_the_transfer_keeps_the_fee_that_was_taken(town: Town) -> None:
    builders.carry_out(town, payouts_too=False)
    bank_says(town, "failed")
    before = the_payout(town)
    after = retry(town, method=METHOD.INSTANT)
    assert (after.method, after.fee_minor) == ("instant", before.fee_minor)
    assert operation(town, "PAYOUT").payload["method"] == "instant"


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
