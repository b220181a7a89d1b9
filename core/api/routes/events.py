"""What the marketplace was told, to be read again: its endpoints, the log of events, the replay of what it missed.

Events are pushed (`outgoing`). Here the same can be fetched by number, and told again after an endpoint was down.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.responses import JSONResponse, Response

from core.api import lookups, serializers
from core.api.http.dependencies import Change, CurrentCaller, ReadSession
from core.api.models import requests
from core.api.models.events import EventAnswer, EventsAnswer
from core.api.models.responses import EndpointAnswer, EndpointsAnswer, ReplayAnswer
from core.api.webhooks import delivery, endpoints
from core.records import OutgoingEvent
from core.rules.permissions import SYSTEM

Listener = Annotated[int, Query(ge=1, le=requests.LARGEST_ID, description="The desk's id of the endpoint.")]


router = APIRouter(tags=["Events"])


@router.get("/webhook-endpoints", summary="Read where events go", response_model=EndpointsAnswer)
def read_endpoints(caller: CurrentCaller, session: ReadSession) -> Response:
    """The platform's endpoints, how far each is told, and how much waits."""
    found = endpoints.standings(session, platform=caller.platform)
    return JSONResponse({"endpoints": [_of_endpoint(each) for each in found]})


@router.get("/events", summary="Read the log of events", response_model=EventsAnswer)
def read_events(
    caller: CurrentCaller,
    session: ReadSession,
    endpoint: Listener,
    after: requests.After = 0,
    limit: requests.Limit = 50,
) -> Response:
    """An endpoint's events in their order, whether they arrived or not: what was missed can be read here."""
    lookups.endpoint(session, caller, endpoint)
    wanted = select(OutgoingEvent).where(
        OutgoingEvent.endpoint_id == endpoint, OutgoingEvent.sequence > after
    )
    found = session.scalars(wanted.order_by(OutgoingEvent.sequence).limit(limit + 1)).all()
    told = [_of_event(each) for each in found[:limit]]
    return JSONResponse({"events": told, "more": len(found) > limit})


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


def _of_event(row: OutgoingEvent) -> EventAnswer:
    return {
        **delivery.content_of(row),
        "status": row.status,
        "tries": row.tries,
        "sent_at": serializers.moment(row.sent_at),
    }
