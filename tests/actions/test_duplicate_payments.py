"""Money that came twice, and money that nobody can explain (payment-escrow-rules, Refund Rules)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.actions.operations import operation_retry
from core.actions.reconciliation import suspense
from core.actions.reconciliation.suspense import AlreadySettled, NotProposed
from core.db import Database
from core.money import Money
from core.processes import reconciliation
from core.queries import reconciliation as queries
from core.records import DuplicatePayment, Notification, Party, ReconciliationRun, SuspenseItem
from core.rules.permissions import SYSTEM, NotPermitted
from core.rules.proposals import MakerIsChecker, ProposalWaits
from core.rules.suspense import (
    CameIn,
    DoNotCancelOut,
    NotAPayment,
    NotARefund,
    OwesLess,
    SettledAs,
    TargetMissing,
)
from tests.actions.stripe_events import told_by_webhook
from tests.builders import Told
from tests.sandbox_desk import Market


def paid_twice(market: Market) -> tuple[Told, str]:
    """Stripe forgot the key and charged again under the same operation; returns the second payment's id."""
    told = market.funded()
    (charge,) = market.operations("CHARGE")
    market.control.set_clock(market.now)
    second = market.desk.payments.charge(
        charge.key, f"{charge.key}:forgotten", amount=Money(charge.amount_minor, "USD"), **charge.payload
    )
    return told, second.id


def test_a_second_payment_is_returned_whole_and_the_payer_is_told(market: Market) -> None:
    told, second = paid_twice(market)
    once = market.books()
    told_by_webhook(market, "payment_intent.succeeded", second)
    (row,) = market.all(DuplicatePayment)
    assert (row.status, row.stripe_payment_intent) == ("RETURNED", second)
    books = market.books()
    assert "unapplied_funds" not in books
    assert books["held"] == once["held"] == 100_000
    assert [each["body"]["payment_intent"] for each in market.sent("/v1/refunds")] == [second]
    assert (market.status(told), market.order(told)) == ("FUNDED", {"held": 100_000})
    assert "duplicate_found" in [each.template for each in market.all(Notification)]
    market.lawful()


def test_until_it_is_returned_it_is_unapplied(market: Market) -> None:
    told, second = paid_twice(market)
    market.control.next_refunds({"status": "pending", "stay": True})
    told_by_webhook(market, "payment_intent.succeeded", second)
    (row,) = market.all(DuplicatePayment)
    assert row.status == "RETURNING"
    market.lawful()
    market.control.move_refund(row.stripe_refund, "failed")
    told_by_webhook(market, "refund.failed", row.stripe_refund)
    assert market.all(DuplicatePayment)[0].status == "FAILED"
    assert market.books()["unapplied_funds"] == row.amount_minor
    market.lawful()
    (refund,) = market.operations("REFUND")
    market.act(operation_retry.retry, market.as_staff("fay"), operation_id=refund.id, reason="Once more.")
    market.work()
    assert market.all(DuplicatePayment)[0].status == "RETURNED"
    assert market.order(told) == {"held": 100_000}
    market.lawful()


def test_the_same_news_of_a_second_payment_returns_it_once(market: Market) -> None:
    _, second = paid_twice(market)
    for _ in range(3):
        told_by_webhook(market, "payment_intent.succeeded", second)
    assert market.count(DuplicatePayment) == 1
    assert len(market.sent("/v1/refunds")) == 1
    market.lawful()


def test_reconciliation_finds_a_second_payment_that_no_webhook_told_of(market: Market) -> None:
    paid_twice(market)
    reconciliation.run(market.desk, SYSTEM)
    market.work()
    assert [each.status for each in market.all(DuplicatePayment)] == ["RETURNED"]
    run = market.get(ReconciliationRun, reconciliation.run(market.desk, SYSTEM))
    assert run.status == "CLEAN"
    market.lawful()


def test_reconciliation_finds_a_chargeback_that_no_webhook_told_of(market: Market) -> None:
    from tests.actions.stripe_events import intent_of

    told = market.funded()
    market.control.set_clock(market.now)
    market.control.dispute(intent_of(market, told))
    run = market.get(ReconciliationRun, reconciliation.run(market.desk, SYSTEM))
    assert (run.status, market.state(told)) == ("CLEAN", "CHARGEBACK_REVIEW")
    market.lawful()


# Unexplained


def by_hand(market: Market, amount: int) -> None:
    """Somebody refunds a part of a payment at Stripe, past the desk."""
    (charge,) = market.operations("CHARGE")
    market.control.set_clock(market.now)
    market.control.session.post(
        f"{market.sandbox.url}/v1/refunds", data={"payment_intent": charge.provider_id, "amount": str(amount)}
    ).raise_for_status()


def unexplained(market: Market, amount: int = 777) -> SuspenseItem:
    market.funded()
    by_hand(market, amount)
    market.now += timedelta(days=1, hours=1)
    reconciliation.run(market.desk, SYSTEM)
    (item,) = market.all(SuspenseItem)
    assert isinstance(item, SuspenseItem)
    return item


def test_what_is_younger_than_a_day_is_a_break_and_not_yet_suspense(market: Market) -> None:
    market.funded()
    by_hand(market, 777)
    run = market.get(ReconciliationRun, reconciliation.run(market.desk, SYSTEM))
    assert (run.status, market.count(SuspenseItem)) == ("BREAKS", 0)


def test_what_nobody_explains_for_a_day_waits_for_a_person(market: Market) -> None:
    item = unexplained(market)
    assert (item.amount_minor, item.status) == (-777, "OPEN")
    assert market.books()["suspense"] == -777
    assert market.get(ReconciliationRun, reconciliation.run(market.desk, SYSTEM)).status == "SUSPENSE"
    assert market.count(SuspenseItem) == 1
    market.lawful()


def propose(market: Market, *items: SuspenseItem, by: str = "fay", **how: Any) -> Any:
    given = {"settled_as": SettledAs.CONCESSION, "reason": "Refunded by hand for goodwill.", **how}
    return market.act(suspense.propose, market.as_staff(by), item_ids=[each.id for each in items], **given)


def confirm(market: Market, *items: SuspenseItem, by: str = "cora") -> Any:
    numbers = [each.id for each in items]
    return market.act(suspense.approve, market.as_staff(by), item_ids=numbers, reason="Seen at Stripe.")


def settle(market: Market, *items: SuspenseItem, **how: Any) -> Any:
    propose(market, *items, **how)
    return confirm(market, *items)


def test_one_person_says_what_it_was_and_another_agrees(market: Market) -> None:
    item = unexplained(market)
    with pytest.raises(NotProposed):
        confirm(market, item)
    with pytest.raises(NotPermitted):
        propose(market, item, by="mia")
    propose(market, item)
    assert market.books()["suspense"] == -777
    with pytest.raises(MakerIsChecker):
        confirm(market, item, by="fay")
    confirm(market, item)
    books = market.books()
    assert "suspense" not in books
    assert books["refund_concession"] == 777
    (row,) = market.all(SuspenseItem)
    assert (row.status, row.settled_as, row.settled_by) == ("SETTLED", "CONCESSION", market.staff["cora"])
    with pytest.raises(AlreadySettled):
        settle(market, item)
    market.lawful()


def test_what_one_person_said_it_was_is_not_replaced_in_silence(market: Market, owner: Database) -> None:
    """Nor by themselves: it is withdrawn by whoever said it, or rejected by another, and the record says which."""
    item = unexplained(market)
    propose(market, item)
    with pytest.raises(
        ProposalWaits, match=r"Fay.* proposed what -\$7\.77 was, “Refund concession” \(3 Mar 2026, "
    ):
        propose(market, item, settled_as=SettledAs.CHARGEBACK_LOSS)
    replaced = "update suspense_items set proposed_as = 'OWN_MONEY'"
    with (
        pytest.raises(IntegrityError, match="is said to be CONCESSION already"),
        owner.transaction() as session,
    ):
        session.execute(text(replaced))
    numbers = [item.id]
    market.act(suspense.reject, market.as_staff("cora"), item_ids=numbers, reason="It was the bank.")
    with pytest.raises(NotProposed):
        market.act(suspense.reject, market.as_staff("cora"), item_ids=numbers, reason="Once more.")
    propose(market, item, settled_as=SettledAs.CHARGEBACK_LOSS)
    market.act(suspense.reject, market.as_staff("fay"), item_ids=numbers, reason="It was not.")
    settle(market, item)
    entries = text("select action from audit_entries where object_kind = 'suspense' order by id")
    verbs = [each.rpartition(":")[2] for each in market.read(lambda session: session.scalars(entries).all())]
    assert verbs[-6:] == ["propose", "reject", "propose", "withdraw", "propose", "settle"]
    assert market.books()["refund_concession"] == 777
    market.lawful()


def test_the_database_itself_refuses_one_person_for_unexplained_money(
    market: Market, owner: Database
) -> None:
    item = unexplained(market)
    propose(market, item)
    statement = text(
        "update suspense_items set status = 'SETTLED', settled_as = 'CONCESSION', reason = 'x',"
        " settled_by = proposed_by, settled_at = now()"
    )
    with owner.reading() as session, pytest.raises(IntegrityError, match="two_people"):
        session.execute(statement)


def test_money_that_came_in_was_given_to_nobody(market: Market, owner: Database) -> None:
    """Booked as a concession, it would make what the platform bore look smaller."""
    market.control.set_clock(market.now)
    market.control.line("payment", 8_600, "USD")
    market.wait(days=2)
    reconciliation.run(market.desk, SYSTEM)
    (item,) = market.all(SuspenseItem)
    for wrong, refusal in ((SettledAs.CONCESSION, CameIn), (SettledAs.REFUND_OWED, NotARefund)):
        with pytest.raises(refusal):
            propose(market, item, settled_as=wrong, target_id=item.id)
        with owner.transaction() as session, pytest.raises(IntegrityError, match="direction"):
            session.execute(
                text(
                    "update suspense_items set proposed_as = :wrong, proposed_by = :who, proposed_at = now(),"
                    " proposed_reason = 'x'"
                ),
                {"wrong": wrong, "who": market.staff["fay"]},
            )
    assert market.books()["suspense"] == 8_600
    market.wait(hours=1)
    propose(market, item, settled_as=SettledAs.OWN_MONEY)
    confirm(market, item)
    assert market.books()["bank"] == -8_600

    def seen(session: Session) -> tuple[int, int]:
        run = queries.run(session, 1)
        return queries.explained_since(session, run), len(queries.matched(session, run))

    assert market.read(seen) == (1, 0), (
        "what the run saw stays in suspense in it, and is said to be explained since"
    )


def test_amounts_that_do_not_cancel_out_are_not_settled_against_each_other(market: Market) -> None:
    item = unexplained(market)
    with pytest.raises(DoNotCancelOut):
        settle(market, item, settled_as=SettledAs.EACH_OTHER)
    assert market.books()["suspense"] == -777


def paid_by_hand(market: Market, amount: int = 4_200) -> SuspenseItem:
    """Somebody takes a payment from the payer at Stripe, past the desk."""
    told = market.funded()
    payer = market.get(Party, market.payer_id)
    market.control.set_clock(market.now)
    asked = {
        "amount": str(amount),
        "currency": "usd",
        "customer": payer.stripe_customer,
        "payment_method": payer.payment_method,
        "confirm": "true",
        "off_session": "true",
    }
    reply = market.control.session.post(f"{market.sandbox.url}/v1/payment_intents", data=asked)
    reply.raise_for_status()
    market.later(days=1, hours=1)
    reconciliation.run(market.desk, SYSTEM)
    market.later(days=1, hours=1)
    reconciliation.run(market.desk, SYSTEM)
    (item,) = market.all(SuspenseItem)
    assert item.payment_intent == reply.json()["id"]
    assert item.milestone_id == told.milestone
    assert "did not ask for" in item.why
    assert isinstance(item, SuspenseItem)
    return item


def test_a_payment_that_nobody_asked_for_goes_back_to_its_payer(market: Market) -> None:
    market.pay_in(1_000)
    item = paid_by_hand(market)
    with pytest.raises(TargetMissing):
        propose(market, item, settled_as=SettledAs.RETURN_TO_PAYER)
    settle(market, item, settled_as=SettledAs.RETURN_TO_PAYER, target_id=item.milestone_id)
    assert market.books()["unapplied_funds"] == 4_200
    market.work()
    books = market.books()
    assert "unapplied_funds" not in books
    assert "suspense" not in books
    assert [each.status for each in market.all(DuplicatePayment)] == ["RETURNED"]
    (refund,) = market.sent("/v1/refunds")
    assert (refund["body"]["payment_intent"], int(refund["body"]["amount"])) == (item.payment_intent, 4_200)
    letters = [each.template for each in market.all(Notification) if each.party_id == market.payer_id]
    assert letters.count("payment_returned") == 1
    assert market.get(ReconciliationRun, reconciliation.run(market.desk, SYSTEM)).status == "CLEAN"
    market.lawful()


def test_a_refund_by_hand_is_no_payment_that_could_go_back(market: Market) -> None:
    item = unexplained(market)
    with pytest.raises(NotAPayment):
        propose(market, item, settled_as=SettledAs.RETURN_TO_PAYER, target_id=1)


def test_a_payee_who_owes_less_does_not_pay_more_than_the_debt(market: Market) -> None:
    item = paid_by_hand(market)
    with pytest.raises(OwesLess):
        propose(market, item, settled_as=SettledAs.PAYEE_DEBT, target_id=market.payee_id)
