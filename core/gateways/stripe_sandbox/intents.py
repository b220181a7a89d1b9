"""What payment intents and setup intents have in common: until when they are open, and how they are called off."""

from __future__ import annotations

from typing import Any

from core.gateways.stripe_sandbox.errors import ApiError, invalid
from core.gateways.stripe_sandbox.store import Object
from core.gateways.stripe_sandbox.world import World, public

OPEN = frozenset({"requires_payment_method", "requires_confirmation", "requires_action"})


def canceled(world: World, intent: Object, params: dict[str, Any], **also: Any) -> Object:
    """`also`: what is said of this kind alone."""
    if intent["status"] not in OPEN:
        raise unexpected(intent, "canceled")
    reason = params.get("cancellation_reason")
    said = {"cancellation_reason": reason, "next_action": None, "status": "canceled", **also}
    return world.change(intent, f"{intent['object']}.canceled", **said)


def unexpected(intent: Object, verb: str) -> ApiError:
    """Its status does not allow it."""
    kind = intent["object"]
    words = "".join(part.capitalize() for part in kind.split("_"))
    return invalid(
        f"This {words} could not be {verb} because it has a status of {intent['status']}.",
        code=f"{kind}_unexpected_state",
        param=None,
        **{kind: public(intent)},
    )
