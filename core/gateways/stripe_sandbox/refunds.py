"""Refunds: at once, later, or never; and failed ones give the money back to the balance."""

from __future__ import annotations

from typing import Any

from core.gateways.stripe_sandbox import balance
from core.gateways.stripe_sandbox.cards import CARDS
from core.gateways.stripe_sandbox.disputes import OPEN
from core.gateways.stripe_sandbox.errors import invalid, malformed
from core.gateways.stripe_sandbox.listing import listed
from core.gateways.stripe_sandbox.store import Object
from core.gateways.stripe_sandbox.terms import DAY, half_up
from core.gateways.stripe_sandbox.world import World, merged, positive


def create(world: World, params: dict[str, Any]) -> Object:
    """POST /v1/refunds"""
    charge = _charge(world, params)
    left = charge["amount"] - charge["amount_refunded"]
    amount = positive(params.get("amount", left or 1), charge["currency"])
    _refuse(world, charge, amount, left)
    refund = world.add(_blank(world, params, charge, amount))
    world.change(charge, amount_refunded=charge["amount"] - left + amount, refunded=amount == left)
    _send(world, refund, charge)
    world.emit("refund.created", refund)
    world.emit("charge.refunded", charge)
    return refund


def _charge(world: World, params: dict[str, Any]) -> Object:
    if intent_id := params.get("payment_intent"):
        intent = world.find("payment_intent", intent_id, param="payment_intent")
        if intent["status"] != "succeeded":
            raise invalid(f"This PaymentIntent ({intent_id}) does not have a successful charge to refund.")
        return world.find("charge", intent["latest_charge"])
    if charge_id := params.get("charge"):
        return world.find("charge", charge_id, param="charge")
    raise malformed("One of charge or payment_intent is needed.", code="parameter_missing", param="charge")


def _refuse(world: World, charge: Object, amount: int, left: int) -> None:
    if not left:
        raise invalid(f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    disputes = world.store.select("kind = 'dispute' and charge = ?", (charge["id"],))
    firm = [each for each in disputes if not each["is_charge_refundable"]]
    left -= sum(each["amount"] for each in firm if each["status"] == "lost")
    if left <= 0 or any(each["status"] in OPEN for each in firm):
        raise invalid(
            f"Charge {charge['id']} has been charged back; it cannot be refunded.", code="charge_disputed"
        )
    if amount > left:
        raise invalid(
            f"{amount} is more than remains to be refunded ({left}).", code="amount_too_large", param="amount"
        )


def _blank(world: World, params: dict[str, Any], charge: Object, amount: int) -> Object:
    return {
        "id": world.id("re"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": world.now,
        "currency": charge["currency"],
        "destination_details": {"type": "card", "card": {"type": "refund"}},
        "failure_balance_transaction": None,
        "failure_reason": None,
        "metadata": merged({}, params.get("metadata")),
        "payment_intent": charge["payment_intent"],
        "pending_reason": None,
        "reason": params.get("reason"),
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "pending",
        "transfer_reversal": None,
    }


def _send(world: World, refund: Object, charge: Object) -> None:
    """Book it and say how it goes: as ordered by a fault, else as the test card does."""
    orders = world.store.setting("refund_orders") or []
    order = orders.pop(0) if orders else {}
    if order:
        world.store.set("refund_orders", orders)
    amount, currency, _ = _as_settled(world, refund, charge)
    if balance.available(world, currency) < amount:
        world.change(refund, pending_reason="insufficient_funds")
        world.store.later(_next_money(world), "refund.fund", refund["id"])
        return
    _debit(world, refund, charge)
    status = order.get("status") or CARDS[charge["_card"]].refund
    if status == "pending":
        world.change(refund, pending_reason="processing")
        if not order.get("stay"):
            world.store.later(world.now + world.terms.refund_settled_after, "refund.settle", refund["id"])
    else:
        world.change(refund, status="succeeded")
    if status == "failed":
        reason = order.get("failure_reason", "expired_or_canceled_card")
        at = world.now + world.terms.refund_settled_after
        world.store.later(at, "refund.fail", refund["id"], reason=reason)


def _as_settled(world: World, refund: Object, charge: Object) -> tuple[int, str, str | None]:
    """A payment that was converted is refunded from the balance that it came to, at the rate of the day."""
    return balance.settled(world, refund["amount"], refund["currency"], balance.line_of(world, charge))


def _debit(world: World, refund: Object, charge: Object) -> None:
    amount, currency, rate = _as_settled(world, refund, charge)
    fee = 0
    if world.terms.refund_fee == "returned":
        paid = balance.line_of(world, charge)
        fee = -half_up((paid["fee"] if paid else 0) * refund["amount"], charge["amount"])
    line = balance.book(world, "refund", -amount, currency, refund["id"], fee=fee, rate=rate)
    world.change(refund, balance_transaction=line["id"])


def _next_money(world: World) -> int:
    row = world.store.db.execute(
        "select min(available_on) from lines where account = ? and available_on > ?",
        (world.account, world.now),
    ).fetchone()
    return int(row[0] or world.now + DAY)


def fund(world: World, id_: str) -> None:
    """Timer: a refund that waited for money."""
    refund = world.find("refund", id_)
    if refund["status"] != "pending" or refund["balance_transaction"]:
        return
    if balance.available(world, refund["currency"]) < refund["amount"]:
        world.store.later(_next_money(world), "refund.fund", id_)
        return
    _debit(world, refund, world.find("charge", refund["charge"]))
    settle(world, id_)


def settle(world: World, id_: str) -> None:
    """Timer or control: a pending refund has arrived."""
    refund = world.find("refund", id_)
    if refund["status"] == "pending":
        world.change(refund, "refund.updated", status="succeeded", pending_reason=None)


def fail(world: World, id_: str, reason: str = "unknown", status: str = "failed") -> None:
    """Timer or control: the money came back; the charge can be refunded again."""
    refund = world.find("refund", id_)
    if refund["status"] in {"failed", "canceled"}:
        return
    if refund["balance_transaction"]:
        paid = world.find("balance_transaction", refund["balance_transaction"])
        amount, currency, rate = balance.settled(world, refund["amount"], refund["currency"], paid)
        line = balance.book(world, "refund_failure", amount, currency, id_, fee=-paid["fee"], rate=rate)
        refund["failure_balance_transaction"] = line["id"]
    charge = world.find("charge", refund["charge"])
    world.change(charge, amount_refunded=charge["amount_refunded"] - refund["amount"], refunded=False)
    why = reason if status == "failed" else None
    world.change(refund, "refund.updated", status=status, failure_reason=why, pending_reason=None)
    if status == "failed":
        world.emit("refund.failed", refund)


def retrieve(world: World, params: dict[str, Any], id: str) -> Object:
    """GET /v1/refunds/{id}"""
    return world.find("refund", id)


def update(world: World, params: dict[str, Any], id: str) -> Object:
    """POST /v1/refunds/{id}: metadata only"""
    refund = world.find("refund", id)
    return world.change(refund, "refund.updated", metadata=merged(refund["metadata"], params.get("metadata")))


def index(world: World, params: dict[str, Any]) -> Object:
    """GET /v1/refunds"""
    return listed(world, "refund", params, "/v1/refunds")


def cancel(world: World, params: dict[str, Any], id: str) -> Object:
    """POST /v1/refunds/{id}/cancel: only while the customer still has to act"""
    refund = world.find("refund", id)
    if refund["status"] != "requires_action":
        raise invalid(
            f"A refund that is {refund['status']} cannot be canceled.", code="refund_not_cancelable"
        )
    fail(world, id, status="canceled")
    return world.find("refund", id)
