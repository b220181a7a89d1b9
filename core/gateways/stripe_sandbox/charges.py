"""Charges: what a confirmed payment intent does to the customer's card and to the balance."""

from __future__ import annotations

from typing import Any

from core.gateways.stripe_sandbox import balance, disputes
from core.gateways.stripe_sandbox.cards import CARDS, Card
from core.gateways.stripe_sandbox.listing import listed
from core.gateways.stripe_sandbox.store import Object
from core.gateways.stripe_sandbox.world import World


def take(world: World, intent: Object, method: Object, test: Card) -> Object:
    """Charge it now. A declined charge is kept too, as Stripe keeps it; that of a debit is pending until the bank has
    answered."""
    charge = world.add(_blank(world, intent, method, test))
    if charge["status"] == "pending":
        world.emit("charge.pending", charge)
        return charge
    return answered(world, charge)


def clear(world: World, charge: Object) -> Object:
    """The bank that was debited has answered."""
    world.change(charge, **_answer(CARDS[charge["_card"]]))
    return answered(world, charge)


def answered(world: World, charge: Object) -> Object:
    """The bank has answered: the money is there, or it is not."""
    if charge["failure_code"]:
        world.emit("charge.failed", charge)
        return charge
    intent = world.find("payment_intent", charge["payment_intent"])
    if world.terms.line_later or intent["capture_method"] == "automatic_async":
        world.store.later(world.now + world.terms.line_after, "charge.book", charge["id"])
    else:
        settle(world, charge)
    world.emit("charge.succeeded", charge)
    return charge


def settle(world: World, charge: Object) -> Object:
    """Book the charge and its fee; it becomes available when the card networks have paid."""
    test = CARDS[charge["_card"]]
    amount, currency, rate = balance.settled(world, charge["amount"], charge["currency"])
    line = balance.book(
        world,
        "charge",
        amount,
        currency,
        charge["id"],
        fee=world.terms.fee(amount, currency),
        rate=rate,
        available_on=world.now + (0 if test.settles_now else world.terms.settle_after),
        description=charge["description"],
    )
    return world.change(charge, balance_transaction=line["id"])


def book_later(world: World, id_: str) -> None:
    """Timer: the line of a charge that was captured asynchronously."""
    charge = world.find("charge", id_)
    if charge["balance_transaction"] is None:
        world.emit("charge.updated", settle(world, charge))
        disputes.by_card(world, charge, CARDS[charge["_card"]])


def _answer(test: Card) -> dict[str, Any]:
    paid = test.code is None
    return {
        "failure_code": test.code,
        "failure_message": None if paid else test.message,
        "outcome": _outcome(test),
        "paid": paid,
        "status": "succeeded" if paid else "failed",
    }


def _blank(world: World, intent: Object, method: Object, test: Card) -> Object:
    open_ = {
        "failure_code": None,
        "failure_message": None,
        "outcome": None,
        "paid": False,
        "status": "pending",
    }
    answer = open_ if test.debit else _answer(test)
    captured = not answer["failure_code"]
    return {
        **empty(world, world.id("ch"), intent["amount"], intent["currency"]),
        "amount_captured": intent["amount"] if captured else 0,
        "captured": captured,
        "customer": intent["customer"],
        "description": intent["description"],
        "metadata": dict(intent["metadata"]),
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": _details(test),
        **answer,
        "transfer_group": intent["transfer_group"],
        "_card": method["_card"],
    }


def _details(test: Card) -> dict[str, Any]:
    if test.debit:
        told = {"bank_name": "STRIPE TEST BANK", "last4": test.last4}
        place = {"country": "AT"} if test.debit == "sepa_debit" else {}
        return {"type": test.debit, test.debit: told | place}
    return {
        "type": "card",
        "card": {
            "brand": test.brand,
            "country": test.country,
            "exp_month": 8,
            "exp_year": 2034,
            "funding": test.funding,
            "last4": test.last4,
            "network": test.brand,
        },
    }


def empty(world: World, id_: str, amount: int, currency: str) -> Object:
    """A captured charge with nothing special about it; also what a connected account sees of a transfer (`py_…`)."""
    address = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))
    return {
        "id": id_,
        "object": "charge",
        "amount": amount,
        "amount_captured": amount,
        "amount_refunded": 0,
        "application": None,
        "balance_transaction": None,
        "billing_details": {"address": address, "email": None, "name": None, "phone": None, "tax_id": None},
        "calculated_statement_descriptor": "HELD FUNDS",
        "captured": True,
        "created": world.now,
        "currency": currency,
        "customer": None,
        "description": None,
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "fraud_details": {},
        "livemode": False,
        "metadata": {},
        "outcome": None,
        "paid": True,
        "payment_intent": None,
        "payment_method": None,
        "payment_method_details": None,
        "receipt_url": None,
        "refunded": False,
        "source_transfer": None,
        "status": "succeeded",
        "transfer_group": None,
    }


def _outcome(test: Card) -> dict[str, Any]:
    won = test.code is None
    return {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": "approved_by_network" if won else "declined_by_network",
        "reason": test.decline_code,
        "risk_level": "normal",
        "seller_message": "Payment complete." if won else "The bank declined the payment.",
        "type": "authorized" if won else "issuer_declined",
    }


def retrieve(world: World, params: dict[str, Any], id: str) -> Object:
    """GET /v1/charges/{id}"""
    return world.find("charge", id)


def index(world: World, params: dict[str, Any]) -> Object:
    """GET /v1/charges"""
    return listed(world, "charge", params, "/v1/charges")
