"""Events: what happened, newest first."""

from __future__ import annotations

from typing import Any

from core.gateways.stripe_sandbox.listing import listed
from core.gateways.stripe_sandbox.store import Object
from core.gateways.stripe_sandbox.world import World


def retrieve(world: World, params: dict[str, Any], id: str) -> Object:
    """GET /v1/events/{id}"""
    return world.find("event", id)


def index(world: World, params: dict[str, Any]) -> Object:
    """GET /v1/events"""
    params.pop("delivery_success", None)
    return listed(world, "event", params, "/v1/events")
