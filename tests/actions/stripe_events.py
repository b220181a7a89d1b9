"""What the provider tells about money on other roads, as events in the inbox."""

from __future__ import annotations

from itertools import count
from typing import Any

from core.processes import webhook_processing
from core.records import Chargeback, PaymentOrder, WebhookEvent
from tests.builders import Told
from tests.sandbox_desk import Market

events = count(1)


def told_by_webhook(
    market: Market, kind: str, object_id: str, account: str | None = None, **body: Any
) -> str:
    """An event that Stripe might send: stored as received, applied when the worker works. Returns its id."""
    number = f"evt_test_{next(events)}"

    def store(session: Any) -> None:
        session.add(
            WebhookEvent(
                id=number,
                kind=kind,
                account=account,
                object_id=object_id,
                payload={"account": account, "data": {"object": {"id": object_id, **body}}},
                next_try_at=market.now,
                created_at=market.now,
                received_at=market.now,
            )
        )

    market.database.run(store)
    market.control.set_clock(market.now)
    webhook_processing.sweep(market.desk)
    market.work()
    return number


def intent_of(market: Market, told: Told) -> str:
    return str(market.get(PaymentOrder, told.milestone).stripe_payment_intent)


def charged(market: Market, told: Told) -> int:
    return int(market.get(PaymentOrder, told.milestone).charge_minor)


def charged_back(market: Market, told: Told, **fields: Any) -> str:
    """The payer's bank disputes the payment and Stripe tells us; returns the dispute's id."""
    market.control.set_clock(market.now)
    dispute = market.control.dispute(intent_of(market, told), **fields)
    told_by_webhook(market, "charge.dispute.created", dispute)
    return dispute


def bank_says(market: Market, dispute: str, verdict: str) -> None:
    market.control.set_clock(market.now)
    market.control.decide_dispute(dispute, verdict)
    told_by_webhook(market, "charge.dispute.closed", dispute)


def chargeback(market: Market) -> Chargeback:
    (row,) = market.all(Chargeback)
    assert isinstance(row, Chargeback)
    return row
