"""Transfers to connected accounts, and their reversals. Both happen at once."""

from __future__ import annotations

from typing import Any

from core.gateways.stripe_sandbox import balance, charges
from core.gateways.stripe_sandbox.errors import invalid, missing
from core.gateways.stripe_sandbox.listing import listed
from core.gateways.stripe_sandbox.store import Object
from core.gateways.stripe_sandbox.world import World, merged, positive


def create(world: World, params: dict[str, Any]) -> Object:
    """POST /v1/transfers"""
    currency = params["currency"].lower()
    amount = positive(params["amount"], currency)
    account = world.find("account", params["destination"], param="destination")
    if account["capabilities"].get("transfers") != "active":
        message = f"The account {account['id']} cannot receive transfers."
        raise invalid(message, code="insufficient_capabilities_for_transfer", param="destination")
    source, ready = _source(world, params, amount, currency)
    id_ = world.id("tr")
    line = balance.book(world, "transfer", -amount, currency, id_, available_on=ready)
    payment = _arrive(world.on(account["id"]), id_, amount, currency, ready)
    group = params.get("transfer_group") or (source and source["transfer_group"]) or f"group_{id_}"
    transfer = world.add(
        {
            "id": id_,
            "object": "transfer",
            "amount": amount,
            "amount_reversed": 0,
            "balance_transaction": line["id"],
            "created": world.now,
            "currency": currency,
            "description": params.get("description"),
            "destination": account["id"],
            "destination_payment": payment["id"],
            "livemode": False,
            "metadata": merged({}, params.get("metadata")),
            "reversals": {
                "object": "list",
                "data": [],
                "has_more": False,
                "url": f"/v1/transfers/{id_}/reversals",
            },
            "reversed": False,
            "source_transaction": params.get("source_transaction"),
            "source_type": "card",
            "transfer_group": group,
        }
    )
    world.emit("transfer.created", transfer)
    return transfer


def _source(world: World, params: dict[str, Any], amount: int, currency: str) -> tuple[Object | None, int]:
    """The charge that pays and when its money is there; without one, the available balance must suffice."""
    charge_id = params.get("source_transaction")
    if not charge_id:
        if balance.available(world, currency) < amount:
            message = "You have insufficient available funds in your Stripe account."
            raise invalid(message, code="balance_insufficient")
        return None, world.now
    charge = world.find("charge", charge_id, param="source_transaction")
    settled_in = (balance.line_of(world, charge) or charge)["currency"]
    if charge["status"] != "succeeded" or settled_in != currency:
        raise invalid(f"Charge {charge_id} cannot pay for this transfer.", param="source_transaction")
    if (group := params.get("transfer_group")) and charge["transfer_group"] not in (None, group):
        raise invalid(
            "The transfer_group differs from that of the source_transaction.", param="transfer_group"
        )
    used = world.store.select("kind = 'transfer' and source_transaction = ?", (charge_id,))
    if sum(each["amount"] - each["amount_reversed"] for each in used) + amount > charge["amount"]:
        raise invalid(f"Transfers from {charge_id} would exceed it.", code="amount_too_large", param="amount")
    line = world.store.get(charge["balance_transaction"] or "")
    ready = line[0]["available_on"] if line else world.now + world.terms.settle_after
    return charge, max(world.now, ready)


def _arrive(world: World, transfer: str, amount: int, currency: str, ready: int) -> Object:
    """What the connected account sees: a payment."""
    payment = charges.empty(world, world.id("py"), amount, currency)
    line = balance.book(world, "payment", amount, currency, payment["id"], available_on=ready)
    payment |= {"balance_transaction": line["id"], "source_transfer": transfer, "_card": "visa"}
    return world.add(payment)


def retrieve(world: World, params: dict[str, Any], id: str) -> Object:
    """GET /v1/transfers/{id}"""
    return world.find("transfer", id)


def update(world: World, params: dict[str, Any], id: str) -> Object:
    """POST /v1/transfers/{id}: metadata and description"""
    transfer = world.find("transfer", id)
    metadata = merged(transfer["metadata"], params.get("metadata"))
    description = params.get("description", transfer["description"])
    return world.change(transfer, "transfer.updated", metadata=metadata, description=description)


def index(world: World, params: dict[str, Any]) -> Object:
    """GET /v1/transfers"""
    return listed(world, "transfer", params, "/v1/transfers")


def reverse(world: World, params: dict[str, Any], id: str) -> Object:
    """POST /v1/transfers/{id}/reversals"""
    transfer = world.find("transfer", id)
    left, payee = transfer["amount"] - transfer["amount_reversed"], world.on(transfer["destination"])
    amount = positive(params.get("amount", left or 1), transfer["currency"])
    if amount > left:
        message = f"{amount} is more than remains of this transfer ({left})."
        raise invalid(message, code="amount_too_large", param="amount")
    if balance.available(payee, transfer["currency"]) + balance.pending(payee, transfer["currency"]) < amount:
        raise invalid("The connected account does not hold that much.", code="balance_insufficient")
    id_ = world.id("trr")
    line = balance.book(world, "transfer_refund", amount, transfer["currency"], id_)
    balance.book(payee, "payment_refund", -amount, transfer["currency"], transfer["destination_payment"])
    reversal = world.add(
        {
            "id": id_,
            "object": "transfer_reversal",
            "amount": amount,
            "balance_transaction": line["id"],
            "created": world.now,
            "currency": transfer["currency"],
            "destination_payment_refund": None,
            "metadata": merged({}, params.get("metadata")),
            "source_refund": None,
            "transfer": id,
        }
    )
    total = transfer["amount_reversed"] + amount
    transfer["reversals"]["data"] = [reversal, *transfer["reversals"]["data"]][:10]
    world.change(transfer, "transfer.reversed", amount_reversed=total, reversed=total == transfer["amount"])
    return reversal


def retrieve_reversal(world: World, params: dict[str, Any], id: str, reversal: str) -> Object:
    """GET /v1/transfers/{id}/reversals/{reversal}"""
    found = world.find("transfer_reversal", reversal)
    if found["transfer"] != id:
        raise missing("transfer_reversal", reversal)
    return found


def index_reversals(world: World, params: dict[str, Any], id: str) -> Object:
    """GET /v1/transfers/{id}/reversals"""
    world.find("transfer", id)
    return listed(world, "transfer_reversal", params, f"/v1/transfers/{id}/reversals", transfer=id)
