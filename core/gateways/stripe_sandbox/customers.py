"""Customers and payment methods. A test card becomes a payment method of its own each time it is used."""

from __future__ import annotations

from typing import Any

from core.gateways.stripe_sandbox.cards import CARDS, IBANS, Card, card
from core.gateways.stripe_sandbox.errors import invalid, missing
from core.gateways.stripe_sandbox.listing import listed
from core.gateways.stripe_sandbox.store import Object
from core.gateways.stripe_sandbox.world import World, merged

_COPIED = ("name", "email", "phone", "description")


def create(world: World, params: dict[str, Any]) -> Object:
    """POST /v1/customers"""
    customer = world.add(
        {
            "id": world.id("cus"),
            "object": "customer",
            "balance": 0,
            "created": world.now,
            "currency": None,
            "default_source": None,
            "delinquent": False,
            "invoice_settings": {
                "custom_fields": None,
                "default_payment_method": None,
                "footer": None,
                "rendering_options": None,
            },
            "livemode": False,
            "metadata": merged({}, params.get("metadata")),
            "shipping": None,
            "tax_exempt": "none",
            **{name: params.get(name) for name in _COPIED},
        }
    )
    if method := params.get("payment_method"):
        attach(world, {"customer": customer["id"]}, method)
    world.emit("customer.created", customer)
    return customer


def retrieve(world: World, params: dict[str, Any], id: str) -> Object:
    """GET /v1/customers/{id}"""
    return world.find("customer", id)


def update(world: World, params: dict[str, Any], id: str) -> Object:
    """POST /v1/customers/{id}"""
    customer = world.find("customer", id)
    fields = {name: params[name] for name in _COPIED if name in params}
    metadata = merged(customer["metadata"], params.get("metadata"))
    return world.change(customer, "customer.updated", **fields, metadata=metadata)


def erase(world: World, params: dict[str, Any], id: str) -> Object:
    """DELETE /v1/customers/{id}"""
    customer = world.find("customer", id)
    world.emit("customer.deleted", customer)
    world.store.delete(id)
    return {"id": id, "object": "customer", "deleted": True}


def index(world: World, params: dict[str, Any]) -> Object:
    """GET /v1/customers"""
    return listed(world, "customer", params, "/v1/customers")


# -- payment methods ------------------------------------------------------------------------------------------------


def create_method(world: World, params: dict[str, Any]) -> Object:
    """POST /v1/payment_methods with card[token], or sepa_debit[iban]"""
    if params.get("type") == "sepa_debit":
        name = IBANS.get((params.get("sepa_debit") or {}).get("iban", ""))
        if name is None:
            raise invalid(
                "The sandbox takes only test accounts.", code="parameter_invalid", param="sepa_debit"
            )
        return _made(world, name)
    token = (params.get("card") or {}).get("token", "")
    if params.get("type") != "card" or card(token) is None:
        raise invalid("The sandbox takes only test cards by token.", code="parameter_invalid", param="card")
    return method_of(world, token)


def method_of(world: World, id_: str) -> Object:
    """The payment method of this id; a test value's token makes a new one."""
    if (found := card(id_)) is None:
        return world.find("payment_method", id_, param="payment_method")
    return _made(world, found[0])


def _made(world: World, name: str) -> Object:
    return world.add(_shown(world.id("pm"), world.now, name))


def _shown(id: str, now: int, name: str) -> Object:
    test = CARDS[name]
    kind = test.debit or "card"
    return {
        "id": id,
        "object": "payment_method",
        "billing_details": {"address": None, "email": None, "name": None, "phone": None, "tax_id": None},
        kind: _details(test),
        "created": now,
        "customer": None,
        "livemode": False,
        "metadata": {},
        "type": kind,
        "_card": name,
        "_set_up": test.set_up,
    }


def _details(test: Card) -> dict[str, Any]:
    if test.debit == "sepa_debit":
        return {
            "bank_code": "19043",
            "branch_code": "",
            "country": "AT",
            "fingerprint": f"sandbox{test.last4}",
            "generated_from": None,
            "last4": test.last4,
        }
    if test.debit:
        return {
            "account_holder_type": "individual",
            "account_type": "checking",
            "bank_name": "STRIPE TEST BANK",
            "financial_connections_account": None,
            "fingerprint": f"sandbox{test.last4}",
            "last4": test.last4,
            "networks": {"preferred": "ach", "supported": ["ach"]},
            "routing_number": "110000000",
            "status_details": None,
        }
    return {
        "brand": test.brand,
        "checks": None,
        "country": test.country,
        "display_brand": test.brand,
        "exp_month": 8,
        "exp_year": 2034,
        "fingerprint": f"sandbox{test.last4}",
        "funding": test.funding,
        "generated_from": None,
        "last4": test.last4,
        "networks": {"available": [test.brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }


def attach(world: World, params: dict[str, Any], id: str) -> Object:
    """POST /v1/payment_methods/{id}/attach"""
    world.find("customer", params["customer"], param="customer")
    method = method_of(world, id)
    return world.change(method, "payment_method.attached", customer=params["customer"])


def retrieve_method(world: World, params: dict[str, Any], id: str) -> Object:
    """GET /v1/payment_methods/{id}"""
    if (found := card(id)) is None:
        return world.find("payment_method", id)
    if not id.startswith("pm_"):
        raise missing("payment_method", id)
    return _shown(id, world.now, found[0])


def index_methods(world: World, params: dict[str, Any]) -> Object:
    """GET /v1/payment_methods"""
    return listed(world, "payment_method", params, "/v1/payment_methods")
