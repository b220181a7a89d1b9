"""A clock to test against, which only a demo serves: what falls due in days happens in seconds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Depends
from pydantic import Field
from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from core.actions.demo import clock
from core.api.http.dependencies import Change, CurrentDesk, ReadSession, Route
from core.api.models.requests import Shape
from core.api.models.responses.demo import DemoClockAnswer
from core.api.openapi.descriptions import refusals
from core.clock import wall_time
from core.queries import demo_clock
from core.rules import spans
from core.rules.permissions import SYSTEM


def _in_a_demo(session: ReadSession) -> None:
    if not demo_clock.in_a_demo(session):
        raise HTTPException(404)


router = APIRouter(route_class=Route, prefix="/demo", tags=["Demo"], dependencies=[Depends(_in_a_demo)])


class Advance(Shape):
    """How far the clock is moved on: weeks, days, hours and minutes."""

    by: str = Field(min_length=2, max_length=60, examples=["72h", "3d 12h", "90m"])


@router.get("/clock", summary="Read the demo's clock", response_model=DemoClockAnswer)
def read_clock(desk: CurrentDesk, session: ReadSession) -> Response:
    """What time it is in the demo. While `moving`, ask again: it is done when that is false."""
    return JSONResponse(_answer(session, wall_time(desk.clock)))


@router.post(
    "/clock",
    summary="Move the demo's clock forward",
    response_model=DemoClockAnswer,
    responses=refusals(clock.AlreadyMoving, spans.SpanUnreadable, spans.SpanUnfit),
)
def advance_clock(body: Advance, change: Change) -> Response:
    """Everything that falls due on the way happens in its order, at its time. Ask with `GET` until it has arrived."""

    def act(session: Session, now: datetime) -> Mapping[str, Any]:
        clock.advance(session, SYSTEM, now=now, by=body.by, asked_by=change.caller.prefix)
        session.flush()
        return _answer(session, wall_time(change.desk.clock))

    return change.once(act)


def _answer(session: Session, wall: datetime) -> DemoClockAnswer:
    found = demo_clock.state(session, wall=wall)
    return {
        "now": found.now.isoformat(),
        "ahead_seconds": round(found.ahead.total_seconds()),
        "moving": found.moving,
        "until": found.until.isoformat() if found.until and found.moving else None,
        "trouble": found.trouble or None,
    }
