"""3-D Secure: when a card's bank asks the customer, what the customer's browser is told, and how a refusal reads."""

from __future__ import annotations

from typing import Any

from core.gateways.stripe_sandbox.cards import CARDS, Card
from core.gateways.stripe_sandbox.store import Object
from core.gateways.stripe_sandbox.world import World

# The customer is away, and the bank wants to ask them.
REFUSED = Card(
    code="authentication_required",
    decline_code="authentication_required",
    message="Your card was declined. This transaction requires authentication.",
)
# The customer was asked and did not answer well.
NOT_AUTHENTICATED: Object = {
    "charge": None,
    "code": "payment_intent_authentication_failure",
    "decline_code": None,
    "message": "We are unable to authenticate your payment method. Please choose a different payment method and "
    "try again.",
    "type": "invalid_request_error",
}
SETUP_NOT_AUTHENTICATED: Object = NOT_AUTHENTICATED | {"code": "setup_intent_authentication_failure"}


def asked(method: Object, *, off_session: bool) -> bool:
    """Does the customer's bank ask? One that was set up is not asked again off session."""
    asks = CARDS[method["_card"]].asks
    return asks == "always" or (asks == "unless_set_up" and not (method["_set_up"] and off_session))


def action(world: World, intent: Object, return_url: str | None) -> dict[str, Any]:
    """`redirect_to_url` where the customer can be sent back, else what Stripe's library in the browser does."""
    page = f"{world.base}/3d_secure/{intent['id']}"
    if return_url:
        return {"type": "redirect_to_url", "redirect_to_url": {"return_url": return_url, "url": page}}
    return {
        "type": "use_stripe_sdk",
        "use_stripe_sdk": {"type": "three_d_secure_redirect", "stripe_js": page},
    }
