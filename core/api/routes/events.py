"""What a marketplace was told, to be read again by number. What it missed is told again at its endpoint."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.responses import Response

from core.api import lookups
from core.api.http.dependencies import CurrentCaller, ReadSession, Route
from core.api.http.pages import CursorUnfit
from core.api.models import filters
from core.api.models.events import EventsAnswer
from core.api.openapi.descriptions import refusals
from core.api.plain import moment
from core.api.routes import lists
from core.api.webhooks import delivery
from core.records import OutgoingEvent

router = APIRouter(route_class=Route, tags=["Events"])


@router.get(
    "/events",
    summary="List events",
    response_model=EventsAnswer,
    responses=refusals(CursorUnfit),
)
def read_events(
    caller: CurrentCaller, session: ReadSession, asked: Annotated[filters.Events, Query()]
) -> Response:
    """An endpoint's events in their order, whether they arrived or not: what was missed can be read here."""
    lookups.endpoint(session, caller, asked.endpoint)
    wanted = select(OutgoingEvent).where(
        OutgoingEvent.endpoint_id == asked.endpoint, OutgoingEvent.sequence > asked.after
    )
    return lists.shown(session, wanted, asked, {"sequence": OutgoingEvent.sequence}, _of_events)


def _of_events(session: Session, rows: Sequence[OutgoingEvent]) -> list[dict[str, Any]]:
    """Each as it is told, of the shape that the description gives to its kind."""
    return [
        {
            **delivery.content_of(each),
            "status": each.status,
            "tries": each.tries,
            "sent_at": moment(each.sent_at),
        }
        for each in rows
    ]
