"""The events in the description: one webhook for each kind, with the shape of what is sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Body
from pydantic import BaseModel

from core.api.models.events import BODIES, KINDS

RECEIVED: dict[int | str, dict[str, Any]] = {
    200: {"description": "Heard. Any status from 200 to 299 within ten seconds says so."}
}


def describe(router: APIRouter) -> None:
    """Nobody answers here: it is what a marketplace's endpoint is sent."""
    for kind, told in KINDS.items():
        router.add_api_route(
            kind,
            _heard(BODIES[kind]),
            methods=["POST"],
            name=kind.replace(".", "_"),
            summary=kind,
            description=f"{told.words[0].upper()}{told.words[1:]}.",
            responses=RECEIVED,
        )


def _heard(body: type[BaseModel]) -> Callable[..., None]:
    def heard(event: Any) -> None: ...

    heard.__annotations__["event"] = Annotated[body, Body()]
    return heard
