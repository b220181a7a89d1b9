"""Webhooks come twice, late, early and shuffled, over real HTTP with real signatures; the books do not care."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import requests
import uvicorn
from starlette.applications import Starlette

from core.actions.funding import fund
from core.actions.milestones import verification
from core.db import Database
from core.money import Money
from core.processes import webhook_processing
from core.processes.outgoing import dispatch
from core.records import Payout, WebhookEvent
from core.rules.grounds import DecisionOutcome, Ground
from core.webhooks import routes
from tests import builders, patience
from tests.builders import Told
from tests.db_snapshot import nothing_changes
from tests.faults.concurrency import at_once
from tests.sandbox_desk import Market


@pytest.fixture
def url(market: Market) -> Iterator[str]:
    """Where this market's webhooks arrive; the sandbox knows the address."""
    open_socket = socket.socket()
    open_socket.bind(("127.0.0.1", 0))
    address = f"http://127.0.0.1:{open_socket.getsockname()[1]}/webhooks/stripe"
    secret = market.control.add_endpoint(address)
    settings = market.desk.settings.model_copy(update={"stripe_webhook_secret": secret})
    market.desk = replace(market.desk, settings=settings)
    config = uvicorn.Config(Starlette(routes=routes(market.desk)), log_level="error", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [open_socket]}, daemon=True)
    thread.start()
    yield address
    market.control.remove_endpoints()
    server.should_exit = True
    thread.join(10)
    open_socket.close()


def news(market: Market) -> None:
    """Everything that waits at the sandbox is delivered, and what came in is applied."""
    market.control.set_clock(market.now)
    market.control.deliver()
    webhook_processing.sweep(market.desk)


def a_whole_life(market: Market, *, deliver: bool) -> Told:
    """Charge, split decision, refund, transfer, payout; `deliver`: the news come at every step, else at the end."""
    told = market.funded()
    if deliver:
        news(market)
    told = builders.in_mediation(market, told)
    builders.decided(market, told, builders.a_draft(told, release=Money(40_000, "USD")))
    market.work()
    for _ in range(4):
        market.later(days=1)
        if deliver:
            news(market)
    news(market)
    return told


@pytest.mark.parametrize("deliver", [True, False], ids=["at every step", "all at the end"])
@pytest.mark.parametrize(
    "habits",
    [{}, {"duplicate": 2}, {"shuffle": True}, {"duplicate": 1, "shuffle": True}],
    ids=["once", "three times", "shuffled", "shuffled and twice"],
)
def test_the_books_are_the_same_however_the_news_come(
    market: Market, url: str, habits: dict[str, Any], deliver: bool
) -> None:
    market.control.webhooks(auto=False, **habits)
    told = a_whole_life(market, deliver=deliver)
    assert market.order(told) == {"released": 40_000, "refunded": 60_000}
    assert [each.status for each in market.all(Payout)] == ["PAID"]
    assert market.books() == {
        "stripe_balance": 1_000,
        "platform_fee_revenue": 1_000,
        "processing_fee_recovery": 3_092,
        "processor_fees": 3_092,
    }
    events = market.all(WebhookEvent)
    assert len(events) > 5
    assert {each.status for each in events} <= {"APPLIED", "IGNORED"}
    market.lawful()


def test_news_that_come_before_the_answer_are_booked_once(market: Market, url: str) -> None:
    """The charge succeeds, its answer is lost, the webhook is faster than the next try."""
    project = market.agreed()
    told = Told(project.id, market.milestones(project.id)[0].id)
    market.act(fund.fund, market.payer, milestone_id=told.milestone)
    market.control.fault("drop", method="POST", path="/v1/payment_intents", when="after")
    market.work()
    assert market.status(told) == "AWAITING_FUNDING"
    news(market)
    assert (market.status(told), market.order(told)) == ("FUNDED", {"held": 100_000})
    market.later(hours=2)
    assert len(market.sent("/v1/payment_intents")) == 1
    assert [each.status for each in market.operations("CHARGE")] == ["SUCCEEDED"]
    market.lawful()


def test_news_and_answer_at_the_same_instant_are_booked_once(market: Market, url: str) -> None:
    told = market.submitted()
    market.act(verification.approve, market.payer, milestone_id=told.milestone)
    (transfer,) = market.operations("TRANSFER")
    market.control.fault("drop", method="POST", path="/v1/transfers", when="after")
    dispatch.send(market.desk, transfer.id)
    market.control.deliver()
    events = [each.id for each in market.all(WebhookEvent) if each.kind.startswith("transfer")]
    market.wait(minutes=2)
    at_once(
        *(lambda event=event: webhook_processing.apply(market.desk, event) for event in (*events, *events)),  # type: ignore[misc]
        *(lambda: dispatch.send(market.desk, transfer.id) for _ in range(3)),
    )
    assert market.order(told) == {"released": 100_000}
    assert len(market.sent("/v1/transfers")) == 1
    market.work()
    market.lawful()


def test_a_failed_payout_is_learned_from_the_news(market: Market, url: str) -> None:
    market.control.next_payouts({"code": "account_closed", "after_paid": True})
    told = market.submitted()
    market.act(verification.approve, market.payer, milestone_id=told.milestone)
    for _ in range(4):
        market.later(days=1)
        news(market)
    assert [each.status for each in market.all(Payout)] == ["ADMINISTRATIVE_REVIEW"]
    assert market.books()["connected_balance"] == 100_000
    market.lawful()


def test_a_refund_that_comes_back_is_learned_from_the_news(market: Market, url: str) -> None:
    told = market.in_mediation()
    draft = builders.a_draft(told, outcome=DecisionOutcome.FULL_REFUND, ground=Ground.WORK_NOT_AS_AGREED)
    builders.decided(market, told, draft)
    market.work()
    news(market)
    (refund,) = market.at_stripe("/v1/refunds")
    market.control.move_refund(refund["id"], "failed", reason="expired_or_canceled_card")
    news(market)
    assert market.order(told) == {"refundable": 100_000}
    market.lawful()


def test_a_provider_that_is_down_delays_the_news_and_loses_none(market: Market, url: str) -> None:
    project = market.agreed()
    told = Told(project.id, market.milestones(project.id)[0].id)
    market.act(fund.fund, market.payer, milestone_id=told.milestone)
    market.control.fault("drop", method="POST", path="/v1/payment_intents", when="after")
    market.work()
    market.control.deliver()
    market.control.fault("429", method="GET", path="/v1/*", times=3)
    webhook_processing.sweep(market.desk)
    for _ in range(4):
        market.wait(hours=1)
        webhook_processing.sweep(market.desk)
    assert market.order(told) == {"held": 100_000}
    assert {each.status for each in market.all(WebhookEvent)} <= {"APPLIED", "IGNORED"}


def test_a_replayed_event_changes_nothing(market: Market, owner: Database, url: str) -> None:
    """Somebody recorded a delivery, and sends it again: at once, and when its signature is too old."""
    market.funded()
    news(market)
    event = next(each for each in market.all(WebhookEvent) if each.kind == "payment_intent.succeeded")
    body = json.dumps(event.payload).encode()
    with nothing_changes(owner):
        assert send(market, url, body).status_code == 200
        webhook_processing.sweep(market.desk)
    headers = seal(market, body)
    market.wait(minutes=6)
    with nothing_changes(owner):
        late = requests.post(url, body, headers=headers, timeout=patience.SECONDS)
        assert late.status_code == 400
        assert late.json()["error"]


def test_a_forged_event_changes_nothing(market: Market, owner: Database, url: str) -> None:
    market.funded()
    body = json.dumps({"id": "evt_forged", "type": "payment_intent.succeeded"}).encode()
    with nothing_changes(owner):
        for headers in ({}, {"Stripe-Signature": "t=1,v1=00"}, seal(market, b"another body")):
            refused = requests.post(url, body, headers=headers, timeout=patience.SECONDS)
            assert refused.status_code == 400
            assert refused.json()["error"]


def test_a_signed_event_that_tells_lies_is_not_believed(market: Market, url: str) -> None:
    """The event only says where to look: what it claims about the object is not read."""
    told = market.funded()
    (charge,) = market.operations("CHARGE")
    claimed = {"id": charge.provider_id, "object": "payment_intent", "status": "canceled", "amount": 1}
    body = json.dumps(
        {
            "id": "evt_lies",
            "object": "event",
            "type": "payment_intent.canceled",
            "created": int(market.now.timestamp()),
            "livemode": False,
            "data": {"object": claimed},
        }
    ).encode()
    assert send(market, url, body).status_code == 200
    before = market.books()
    webhook_processing.sweep(market.desk)
    assert (market.books(), market.order(told)) == (before, {"held": 100_000})
    market.lawful()


def seal(market: Market, body: bytes) -> dict[str, str]:
    stamp = int(market.now.timestamp())
    secret = market.desk.settings.stripe_webhook_secret.encode()
    mac = hmac.new(secret, f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return {"Stripe-Signature": f"t={stamp},v1={mac}"}


def send(market: Market, url: str, body: bytes) -> requests.Response:
    return requests.post(url, body, headers=seal(market, body), timeout=patience.SECONDS)
