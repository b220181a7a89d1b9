"""Money that came twice, and money that nobody can explain (payment-escrow-rules, Refund Rules; DESIGN 4)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from core.actions import operations_review, reconcile, suspense
from core.actions.suspense import AlreadySettled
from core.money import Money
from core.records import DuplicatePayment, Notification, ReconciliationRun, SuspenseItem
from core.rules.permissions import SYSTEM, NotPermitted
from core.rules.suspense import DoNotCancelOut, SettledAs
from tests.actions.roads import told_by_webhook
from tests.market import Market
from tests.stories import Told


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
    market.act(operations_review.retry, market.as_staff("fay"), operation_id=refund.id, reason="Once more.")
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
    reconcile.run(market.desk, SYSTEM)
    market.work()
    assert [each.status for each in market.all(DuplicatePayment)] == ["RETURNED"]
    run = market.get(ReconciliationRun, reconcile.run(market.desk, SYSTEM))
    assert run.status == "CLEAN"
    market.lawful()


def test_reconciliation_finds_a_chargeback_that_no_webhook_told_of(market: Market) -> None:
    from tests.actions.roads import intent_of

    told = market.funded()
    market.control.set_clock(market.now)
    market.control.dispute(intent_of(market, told))
    run = market.get(ReconciliationRun, reconcile.run(market.desk, SYSTEM))
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
    reconcile.run(market.desk, SYSTEM)
    (item,) = market.all(SuspenseItem)
    assert isinstance(item, SuspenseItem)
    return item


def test_what_is_younger_than_a_day_is_a_break_and_not_yet_suspense(market: Market) -> None:
    market.funded()
    by_hand(market, 777)
    run = market.get(ReconciliationRun, reconcile.run(market.desk, SYSTEM))
    assert (run.status, market.count(SuspenseItem)) == ("BREAKS", 0)


def test_what_nobody_explains_for_a_day_waits_for_a_person(market: Market) -> None:
    item = unexplained(market)
    assert (item.amount_minor, item.status) == (-777, "OPEN")
    assert market.books()["suspense"] == -777
    assert market.get(ReconciliationRun, reconcile.run(market.desk, SYSTEM)).status == "CLEAN"
    assert market.count(SuspenseItem) == 1
    market.lawful()


def settle(market: Market, *items: SuspenseItem, by: str = "fay", **how: Any) -> Any:
    given = {"settled_as": SettledAs.CONCESSION, "reason": "Refunded by hand for goodwill.", **how}
    return market.act(suspense.settle, market.as_staff(by), item_ids=[each.id for each in items], **given)


def test_a_person_says_what_it_was(market: Market) -> None:
    item = unexplained(market)
    with pytest.raises(NotPermitted):
        settle(market, item, by="mia")
    settle(market, item)
    books = market.books()
    assert "suspense" not in books
    assert books["refund_concession"] == 777
    (row,) = market.all(SuspenseItem)
    assert (row.status, row.settled_as, row.settled_by) == ("SETTLED", "CONCESSION", market.staff["fay"])
    with pytest.raises(AlreadySettled):
        settle(market, item)
    market.lawful()


def test_amounts_that_do_not_cancel_out_are_not_settled_against_each_other(market: Market) -> None:
    item = unexplained(market)
    with pytest.raises(DoNotCancelOut):
        settle(market, item, settled_as=SettledAs.EACH_OTHER)
    assert market.books()["suspense"] == -777
