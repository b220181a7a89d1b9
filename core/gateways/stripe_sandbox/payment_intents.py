"""Payment intents: asked for, confirmed, authenticated by the customer, processing, declined or canceled."""

from __future__ import annotations

from typing import Any

from core.gateways.stripe_sandbox import authentication, charges, customers, disputes, intents
from core.gateways.stripe_sandbox.cards import CARDS, Card
from core.gateways.stripe_sandbox.errors import ApiError, card_declined, invalid
from core.gateways.stripe_sandbox.listing import listed
from core.gateways.stripe_sandbox.store import Object
from core.gateways.stripe_sandbox.world import World, merged, positive, public

SMALLEST = {"usd": 50, "eur": 50, "cad": 50, "aud": 50, "chf": 50, "gbp": 30, "jpy": 50, "kwd": 160}
LARGEST = 99_999_999
NO_MANDATE = (
    "This PaymentIntent requires a mandate, but no existing mandate was found. Collect mandate acceptance from the "
    "customer and try again, providing acceptance data in the mandate_data parameter."
)


def create(world: World, params: dict[str, Any]) -> Object:
    """POST /v1/payment_intents, with confirm=true also the payment itself"""
    amount, currency = positive(params["amount"], params["currency"].lower()), params["currency"].lower()
    if amount < SMALLEST.get(currency, 0):
        raise invalid(
            f"Amount must be at least {SMALLEST[currency]}.", code="amount_too_small", param="amount"
        )
    if amount > LARGEST:
        raise invalid(f"Amount must be no more than {LARGEST}.", code="amount_too_large", param="amount")
    if params.get("off_session") and not params.get("confirm"):
        raise invalid("off_session can only be given together with confirm=true.", param="off_session")
    if customer := params.get("customer"):
        world.find("customer", customer, param="customer")
    intent = world.add(_blank(world, params, amount, currency))
    world.emit("payment_intent.created", intent)
    if params.get("payment_method"):
        method = customers.method_of(world, params["payment_method"])
        world.change(intent, payment_method=method["id"], status="requires_confirmation")
    if not params.get("confirm"):
        return intent
    given: dict[str, Any] = {
        name: params[name] for name in params.keys() & {"mandate_data", "off_session", "return_url"}
    }
    return confirm(world, given, intent["id"])


def _blank(world: World, params: dict[str, Any], amount: int, currency: str) -> Object:
    id_ = world.id("pi")
    return {
        "id": id_,
        "object": "payment_intent",
        "amount": amount,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": None,
        "automatic_payment_methods": None,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": params.get("capture_method", "automatic_async"),
        "client_secret": f"{id_}_secret_sandbox",
        "confirmation_method": params.get("confirmation_method", "automatic"),
        "created": world.now,
        "currency": currency,
        "customer": params.get("customer"),
        "description": params.get("description"),
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": merged({}, params.get("metadata")),
        "next_action": None,
        "payment_method": None,
        "payment_method_options": {},
        "payment_method_types": params.get("payment_method_types", ["card"]),
        "processing": None,
        "receipt_email": params.get("receipt_email"),
        "setup_future_usage": params.get("setup_future_usage"),
        "statement_descriptor": params.get("statement_descriptor"),
        "status": "requires_payment_method",
        "transfer_group": params.get("transfer_group"),
    }


def confirm(world: World, params: dict[str, Any], id: str) -> Object:
    """POST /v1/payment_intents/{id}/confirm"""
    intent = world.find("payment_intent", id)
    if method_id := params.get("payment_method"):
        intent["payment_method"] = customers.method_of(world, method_id)["id"]
    if intent["status"] not in intents.OPEN or not intent["payment_method"]:
        raise intents.unexpected(intent, "confirmed")
    method = world.find("payment_method", intent["payment_method"])
    if future := params.get("setup_future_usage"):
        intent["setup_future_usage"] = future
    test = CARDS[method["_card"]]
    if test.debit and not (method["_set_up"] or params.get("mandate_data")):
        refusal = invalid(NO_MANDATE, payment_intent=public(intent))
        refusal.work_kept = True
        raise refusal
    if authentication.asked(method, off_session=bool(params.get("off_session"))):
        if params.get("off_session"):
            raise _declined(world, intent, method, authentication.REFUSED)
        action = authentication.action(world, intent, params.get("return_url"))
        return world.change(
            intent, "payment_intent.requires_action", next_action=action, status="requires_action"
        )
    if test.code and not test.debit:
        raise _declined(world, intent, method, test)
    return _taken(world, intent, method, test)


def _taken(world: World, intent: Object, method: Object, test: Card) -> Object:
    charge = charges.take(world, intent, method, test)
    if charge["status"] == "pending":
        world.store.later(world.now + world.terms.debit_after, "intent.clear", intent["id"])
        return world.change(
            intent,
            "payment_intent.processing",
            latest_charge=charge["id"],
            next_action=None,
            status="processing",
        )
    return _succeeded(world, intent, method, charge)


def _succeeded(world: World, intent: Object, method: Object, charge: Object) -> Object:
    if intent["setup_future_usage"]:
        world.change(method, customer=intent["customer"], _set_up=True)
    world.change(
        intent,
        "payment_intent.succeeded",
        amount_received=charge["amount"],
        last_payment_error=None,
        latest_charge=charge["id"],
        next_action=None,
        status="succeeded",
    )
    if charge["balance_transaction"]:
        disputes.by_card(world, charge, CARDS[method["_card"]])
    return intent


def clear(world: World, id_: str) -> None:
    """Timer: the bank that was debited has answered, days later."""
    intent = world.find("payment_intent", id_)
    method = world.find("payment_method", intent["payment_method"])
    charge = charges.clear(world, world.find("charge", intent["latest_charge"]))
    if charge["status"] == "succeeded":
        _succeeded(world, intent, method, charge)
    else:
        _failed(world, intent, _error(method, CARDS[method["_card"]], charge["id"]), charge["id"])


def authenticate(world: World, id_: str, *, succeeds: bool) -> Object:
    """The customer answers their bank, in the browser: for a payment that was asked about, or after a refusal off
    session (the customer has come back)."""
    intent = world.find("payment_intent", id_)
    refused = intent["last_payment_error"] or {}
    came_back = (
        intent["status"] == "requires_payment_method" and refused.get("code") == "authentication_required"
    )
    if intent["status"] != "requires_action" and not came_back:
        raise intents.unexpected(intent, "authenticated")
    method = world.find("payment_method", intent["payment_method"] or refused["payment_method"]["id"])
    intent["payment_method"] = method["id"]
    if not succeeds:
        return _failed(world, intent, authentication.NOT_AUTHENTICATED | {"payment_method": public(method)})
    test = CARDS[method["_card"]]
    if test.code and not test.debit:
        _declined(world, intent, method, test)
        return intent
    return _taken(world, intent, method, test)


def _failed(world: World, intent: Object, error: Object, charge: str | None = None) -> Object:
    return world.change(
        intent,
        "payment_intent.payment_failed",
        last_payment_error=error,
        latest_charge=charge or intent["latest_charge"],
        next_action=None,
        payment_method=None,
        status="requires_payment_method",
    )


def _error(method: Object, test: Card, charge: str) -> Object:
    return {
        "charge": charge,
        "code": test.code,
        "decline_code": test.decline_code,
        "message": test.message,
        "payment_method": public(method),
        "type": "card_error",
    }


def _declined(world: World, intent: Object, method: Object, test: Card) -> ApiError:
    charge = charges.take(world, intent, method, test)
    _failed(world, intent, _error(method, test, charge["id"]), charge["id"])
    refusal = card_declined(
        test.message,
        code=test.code or "card_declined",
        decline_code=test.decline_code,
        charge=charge["id"],
        payment_intent=public(intent),
        payment_method=public(method),
    )
    refusal.work_kept = True
    return refusal


def retrieve(world: World, params: dict[str, Any], id: str) -> Object:
    """GET /v1/payment_intents/{id}"""
    return world.find("payment_intent", id)


def update(world: World, params: dict[str, Any], id: str) -> Object:
    """POST /v1/payment_intents/{id}: metadata and description"""
    intent = world.find("payment_intent", id)
    fields = {name: params[name] for name in ("description", "transfer_group") if name in params}
    return world.change(intent, **fields, metadata=merged(intent["metadata"], params.get("metadata")))


def index(world: World, params: dict[str, Any]) -> Object:
    """GET /v1/payment_intents"""
    return listed(world, "payment_intent", params, "/v1/payment_intents")


def cancel(world: World, params: dict[str, Any], id: str) -> Object:
    """POST /v1/payment_intents/{id}/cancel"""
    return intents.canceled(world, world.find("payment_intent", id), params, canceled_at=world.now)
