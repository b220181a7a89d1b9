"""What the marketplace was told, to be read again: its endpoints, the log of events, the replay of what it missed.

Events are pushed (`outgoing`). Here the same can be fetched by number, and told again after an endpoint was down.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.responses import JSONResponse, Response

from core.api import lookups
from core.api.http.dependencies import Change, CurrentCaller, ReadSession
from core.api.http.pages import CursorUnfit
from core.api.models import filters, requests
from core.api.models.events import EventAnswer, EventsAnswer
from core.api.models.responses import EndpointAnswer, EndpointsAnswer, ReplayAnswer
from core.api.openapi.descriptions import refusals
from core.api.plain import moment
from core.api.routes import lists
from core.api.webhooks import delivery, endpoints
from core.records import OutgoingEvent
from core.rules.permissions import SYSTEM

router = APIRouter(tags=["Events"])


@router.get("/webhook-endpoints", summary="Read where events go", response_model=EndpointsAnswer)
def read_endpoints(caller: CurrentCaller, session: ReadSession) -> Response:
    """The platform's endpoints, how far each is told, and how much waits."""
    found = endpoints.standings(session, platform=caller.platform)
    return JSONResponse({"endpoints": [_of_endpoint(each) for each in found]})


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


@router.post(
    "/webhook-endpoints/{endpoint_id}/replay", summary="Tell events again", response_model=ReplayAnswer
)
def replay_events(endpoint_id: requests.EndpointId, body: requests.Replay, change: Change) -> Response:
    """Everything after this number is told once more, under the same ids and numbers; also what was given up."""

    def act(session: Session, now: datetime) -> Mapping[str, Any]:
        lookups.endpoint(session, change.caller, endpoint_id)
        queued = endpoints.replay(
            session,
            SYSTEM,
            now=now,
            endpoint_id=endpoint_id,
            after=body.after,
            by_key=change.caller.prefix,
        )
        return {"endpoint": endpoint_id, "queued": queued}

    return change.once(act)


def _of_endpoint(found: endpoints.EndpointStatus) -> EndpointAnswer:
    return {
        "id": found.id,
        "url": found.url,
        "last_sequence": found.last_sequence,
        "waiting": found.waiting,
        "failed": found.failed,
    }


def _of_events(session: Session, rows: Sequence[OutgoingEvent]) -> list[EventAnswer]:
    return [
        {
            **delivery.content_of(each),
            "status": each.status,
            "tries": each.tries,
            "sent_at": moment(each.sent_at),
        }
        for each in rows
    ]
