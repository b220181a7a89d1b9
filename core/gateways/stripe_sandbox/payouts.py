"""Payouts to a bank: pending, in transit, paid; or failed, sometimes after they were called paid."""

from __future__ import annotations

from typing import Any

from core.gateways.stripe_sandbox import accounts, balance
from core.gateways.stripe_sandbox.cards import BANKS, FAILURES
from core.gateways.stripe_sandbox.errors import invalid
from core.gateways.stripe_sandbox.listing import listed
from core.gateways.stripe_sandbox.store import Object
from core.gateways.stripe_sandbox.terms import half_up
from core.gateways.stripe_sandbox.world import World, merged, positive

SMALLEST = {"usd": 1, "eur": 100, "gbp": 100, "cad": 1, "aud": 1, "chf": 500, "jpy": 1, "kwd": 1_000}


def create(world: World, params: dict[str, Any]) -> Object:
    """POST /v1/payouts, usually with Stripe-Account"""
    currency, method = params["currency"].lower(), params.get("method", "standard")
    amount = positive(params["amount"], currency)
    if amount < (least := SMALLEST.get(currency, 1)):
        raise invalid(f"Amount must be at least {least}.", code="amount_too_small", param="amount")
    bank = accounts.bank_for(world, currency, params.get("destination"))
    accounts.require_payouts(world)
    fee = half_up(amount * world.terms.instant_fee_bps, 10_000) if method == "instant" else 0
    if balance.available(world, currency) < amount + fee:
        message = "You have insufficient funds in your Stripe account for this transfer."
        raise invalid(message, code="balance_insufficient", param="amount")
    id_ = world.id("po")
    line = balance.book(world, "payout", -amount, currency, id_, fee=fee)
    wait = world.terms.instant_paid_after if method == "instant" else world.terms.payout_paid_after
    payout = world.add(_blank(world, params, id_, bank, line, wait))
    world.emit("payout.created", payout)
    _plan(world, payout, bank, wait)
    return payout


def _blank(
    world: World, params: dict[str, Any], id_: str, bank: Object | None, line: Object, wait: int
) -> Object:
    return {
        "id": id_,
        "object": "payout",
        "amount": params["amount"],
        "application_fee": None,
        "application_fee_amount": None,
        "arrival_date": world.now + wait,
        "automatic": False,
        "balance_transaction": line["id"],
        "created": world.now,
        "currency": params["currency"].lower(),
        "description": params.get("description"),
        "destination": bank and bank["id"],
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "livemode": False,
        "metadata": merged({}, params.get("metadata")),
        "method": params.get("method", "standard"),
        "original_payout": None,
        "payout_method": None,
        "reconciliation_status": "not_applicable",
        "reversed_by": None,
        "source_type": "card",
        "statement_descriptor": params.get("statement_descriptor"),
        "status": "pending",
        "trace_id": None,
        "type": "bank_account",
    }


def _plan(world: World, payout: Object, bank: Object | None, wait: int) -> None:
    """What will happen to it: as ordered by a fault, else as its test bank does."""
    orders = world.store.setting("payout_orders") or []
    test = BANKS.get(bank["_bank"] if bank else "btok_us", BANKS["btok_us"])
    order: dict[str, Any] = {"code": test.fails, "after_paid": test.after_paid}
    if orders:
        order = orders.pop(0)
        world.store.set("payout_orders", orders)
    store, now, id_ = world.store, world.now, payout["id"]
    if payout["method"] == "standard":
        store.later(now + min(wait, world.terms.payout_sent_after), "payout.step", id_, status="in_transit")
    code = order.get("code")
    if not code or order.get("after_paid"):
        store.later(now + wait, "payout.step", id_, status="paid")
    if code:
        after = wait + (world.terms.payout_returned_after if order.get("after_paid") else 0)
        store.later(now + after, "payout.fail", id_, code=code)


def step(world: World, id_: str, status: str) -> None:
    """Timer or control: on its way, or arrived."""
    payout = world.find("payout", id_)
    if (payout["status"], status) in {("pending", "in_transit"), ("pending", "paid"), ("in_transit", "paid")}:
        world.change(payout, "payout.paid" if status == "paid" else "payout.updated", status=status)


def fail(world: World, id_: str, code: str = "could_not_process") -> None:
    """Timer or control: the bank sends it back, and its account is marked `errored`."""
    payout = world.find("payout", id_)
    if payout["status"] in {"failed", "canceled"}:
        return
    _give_back(world, payout, "payout_failure")
    message = FAILURES.get(code, FAILURES["could_not_process"])
    world.change(payout, "payout.failed", status="failed", failure_code=code, failure_message=message)
    accounts.distrust(world, payout["destination"])


def _give_back(world: World, payout: Object, type_: str) -> None:
    paid = world.store.get(payout["balance_transaction"])
    fee = paid[0]["fee"] if paid else 0
    line = balance.book(world, type_, payout["amount"], payout["currency"], payout["id"], fee=-fee)
    payout["failure_balance_transaction"] = line["id"]


def retrieve(world: World, params: dict[str, Any], id: str) -> Object:
    """GET /v1/payouts/{id}"""
    return world.find("payout", id)


def update(world: World, params: dict[str, Any], id: str) -> Object:
    """POST /v1/payouts/{id}: metadata only"""
    payout = world.find("payout", id)
    return world.change(payout, "payout.updated", metadata=merged(payout["metadata"], params.get("metadata")))


def index(world: World, params: dict[str, Any]) -> Object:
    """GET /v1/payouts"""
    return listed(world, "payout", params, "/v1/payouts")


def cancel(world: World, params: dict[str, Any], id: str) -> Object:
    """POST /v1/payouts/{id}/cancel: only while pending"""
    payout = world.find("payout", id)
    if payout["status"] != "pending":
        raise invalid(
            f"A payout that is {payout['status']} cannot be canceled.", code="payout_not_cancelable"
        )
    _give_back(world, payout, "payout_cancel")
    return world.change(payout, "payout.canceled", status="canceled")
