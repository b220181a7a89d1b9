"""The events in the description: one webhook for each kind, with the shape of what is sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body
from pydantic import BaseModel, Field, create_model

from core.api.models.events import KINDS, EventDescription
from core.api.models.responses.plain import Moment

RECEIVED: dict[int | str, dict[str, Any]] = {
    200: {"description": "Heard. Any status from 200 to 299 within ten seconds says so."}
}


def describe(router: APIRouter) -> None:
    """Nobody answers here: it is what a marketplace's endpoint is sent."""
    for kind, told in KINDS.items():
        router.add_api_route(
            kind,
            _heard(body_of(kind, told)),
            methods=["POST"],
            name=kind.replace(".", "_"),
            summary=kind,
            description=f"{told.words[0].upper()}{told.words[1:]}.",
            responses=RECEIVED,
        )


def body_of(kind: str, told: EventDescription) -> type[BaseModel]:
    """What is sent of this kind: of `milestone.status_changed` a MilestoneStatusChangedEvent."""
    name = "".join(part.capitalize() for part in kind.replace(".", "_").split("_")) + "Event"
    fields: dict[str, Any] = {
        "id": (Annotated[str, Field(pattern=r"^evt_[0-9]+$")], ...),
        "kind": (Literal[kind], ...),
        "sequence": (Annotated[int, Field(ge=1)], ...),
        "created_at": (Moment, ...),
        "data": (told.data, ...),
    }
    return create_model(name, **fields)


def _heard(body: type[BaseModel]) -> Callable[..., None]:
    def heard(event: Any) -> None: ...

    heard.__annotations__["event"] = Annotated[body, Body()]
    return heard
