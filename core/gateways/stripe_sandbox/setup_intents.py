"""Setup intents: a payment method is saved for later, and its bank asks the customer now rather than then."""

from __future__ import annotations

from typing import Any

from core.gateways.stripe_sandbox import authentication, customers, intents
from core.gateways.stripe_sandbox.cards import CARDS
from core.gateways.stripe_sandbox.errors import card_declined
from core.gateways.stripe_sandbox.listing import listed
from core.gateways.stripe_sandbox.store import Object
from core.gateways.stripe_sandbox.world import World, merged, public


def create(world: World, params: dict[str, Any]) -> Object:
    """POST /v1/setup_intents, with confirm=true also the saving itself"""
    if customer := params.get("customer"):
        world.find("customer", customer, param="customer")
    id_ = world.id("seti")
    intent = world.add(
        {
            "id": id_,
            "object": "setup_intent",
            "application": None,
            "automatic_payment_methods": None,
            "cancellation_reason": None,
            "client_secret": f"{id_}_secret_sandbox",
            "created": world.now,
            "customer": customer,
            "description": params.get("description"),
            "flow_directions": None,
            "last_setup_error": None,
            "latest_attempt": None,
            "livemode": False,
            "mandate": None,
            "metadata": merged({}, params.get("metadata")),
            "next_action": None,
            "on_behalf_of": None,
            "payment_method": None,
            "payment_method_configuration_details": None,
            "payment_method_options": None,
            "payment_method_types": params.get(
                "payment_method_types", ["card", "us_bank_account", "sepa_debit"]
            ),
            "single_use_mandate": None,
            "status": "requires_payment_method",
            "usage": params.get("usage", "off_session"),
        }
    )
    world.emit("setup_intent.created", intent)
    if method := params.get("payment_method"):
        world.change(
            intent, payment_method=customers.method_of(world, method)["id"], status="requires_confirmation"
        )
    given = {"return_url": params["return_url"]} if "return_url" in params else {}
    return confirm(world, given, id_) if params.get("confirm") else intent


def confirm(world: World, params: dict[str, Any], id: str) -> Object:
    """POST /v1/setup_intents/{id}/confirm: what the customer's browser does"""
    intent = world.find("setup_intent", id)
    if method_id := params.get("payment_method"):
        intent["payment_method"] = customers.method_of(world, method_id)["id"]
    if intent["status"] not in intents.OPEN or not intent["payment_method"]:
        raise intents.unexpected(intent, "confirmed")
    method = world.find("payment_method", intent["payment_method"])
    test = CARDS[method["_card"]]
    if test.asks and not method["_set_up"]:
        action = authentication.action(world, intent, params.get("return_url"))
        return world.change(
            intent, "setup_intent.requires_action", next_action=action, status="requires_action"
        )
    if test.code and not test.debit and not test.asks:
        error = {"code": test.code, "decline_code": test.decline_code, "message": test.message}
        _failed(world, intent, error | {"payment_method": public(method), "type": "card_error"})
        refusal = card_declined(
            test.message, code=test.code, decline_code=test.decline_code, setup_intent=public(intent)
        )
        refusal.work_kept = True
        raise refusal
    return _succeeded(world, intent, method)


def authenticate(world: World, id_: str, *, succeeds: bool) -> Object:
    """The customer answers their bank, in the browser."""
    intent = world.find("setup_intent", id_)
    if intent["status"] != "requires_action":
        raise intents.unexpected(intent, "authenticated")
    method = world.find("payment_method", intent["payment_method"])
    if succeeds:
        return _succeeded(world, intent, method)
    return _failed(world, intent, authentication.SETUP_NOT_AUTHENTICATED | {"payment_method": public(method)})


def _succeeded(world: World, intent: Object, method: Object) -> Object:
    world.change(method, "payment_method.attached", customer=intent["customer"], _set_up=True)
    return world.change(
        intent, "setup_intent.succeeded", last_setup_error=None, next_action=None, status="succeeded"
    )


def _failed(world: World, intent: Object, error: Object) -> Object:
    return world.change(
        intent,
        "setup_intent.setup_failed",
        last_setup_error=error,
        next_action=None,
        payment_method=None,
        status="requires_payment_method",
    )


def retrieve(world: World, params: dict[str, Any], id: str) -> Object:
    """GET /v1/setup_intents/{id}"""
    return world.find("setup_intent", id)


def index(world: World, params: dict[str, Any]) -> Object:
    """GET /v1/setup_intents"""
    return listed(world, "setup_intent", params, "/v1/setup_intents")


def cancel(world: World, params: dict[str, Any], id: str) -> Object:
    """POST /v1/setup_intents/{id}/cancel"""
    return intents.canceled(world, world.find("setup_intent", id), params)
