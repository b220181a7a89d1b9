"""`/words`: where a browser saves words while a person types them, without drawing the page again.

Each request is a sign of life of the session, since whoever types is there. The body names whose page it comes from:
when somebody else has signed in to this browser meanwhile, nothing is saved under their name, nor shown to them. The
gate has asked for a session, and the origin check for our own origin, before anything here is reached.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from anyio import to_thread
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from core.actions.cases import unsent_text
from core.actions.cases.unsent_text import ChangedInAnotherTab, Words
from core.actions.staff import sessions
from core.desk import Desk
from core.errors import DeskError
from core.request_body import BodyTooLarge, read_body
from core.rules import text_fields
from core.rules.permissions import Actor
from dashboard.request_context import COOKIE

LARGEST = 8 * text_fields.LONGEST  # bytes: every character may take six of them in JSON
LARGEST_VERSION = 2**31 - 1  # what the database counts to
SIGNED_OUT = "you are signed out"
SOMEONE_ELSE = "someone else is signed in here now"
NOT_REACHED = "the desk's database cannot be reached"
UNREADABLE = "the desk could not read it"


class Typed(BaseModel):
    """What a field holds, where, in which tab of whose page, and the version that it began from."""

    model_config = ConfigDict(extra="forbid")

    staff: int
    tab: str = Field(min_length=1, max_length=64)
    place: str = Field(max_length=120)
    body: str
    base: int = Field(ge=0, le=LARGEST_VERSION)


def routes(desk: Desk) -> list[Route]:
    async def save(request: Request) -> Response:
        if request.headers.get("content-type", "").partition(";")[0] != "application/json":
            return _refused(415, UNREADABLE)
        try:
            body = await read_body(request, limit=LARGEST)
        except BodyTooLarge:
            return _refused(413, text_fields.WordsTooLong(most=text_fields.LONGEST).message)
        try:
            typed = Typed.model_validate(json.loads(body))
        except (ValueError, ValidationError):
            return _refused(400, UNREADABLE)
        return await to_thread.run_sync(_answer, desk, request, typed.staff, _saving(typed))

    async def look(request: Request) -> Response:
        """What stands in these places now."""
        asked, staff = request.query_params, request.query_params.get("staff", "")
        wanted = asked.getlist("place")[: text_fields.MOST]
        return await to_thread.run_sync(
            _answer, desk, request, int(staff) if re.fullmatch("[0-9]{1,19}", staff) else 0, _reading(wanted)
        )

    return [Route("/words", save, methods=["POST"]), Route("/words", look, methods=["GET"])]


Work = Callable[[Session, Actor, datetime], Response]


def _saving(typed: Typed) -> Work:
    def work(session: Session, actor: Actor, now: datetime) -> Response:
        try:
            kept = unsent_text.save(
                session,
                actor,
                now=now,
                place=typed.place,
                body=typed.body,
                base=typed.base,
                tab=typed.tab,
                typed=True,
            )
        except ChangedInAnotherTab:
            return JSONResponse(_said(unsent_text.find(session, actor, place=typed.place), now), 409)
        return JSONResponse(_said(kept, now))

    return work


def _reading(wanted: list[str]) -> Work:
    def work(session: Session, actor: Actor, now: datetime) -> Response:
        found = unsent_text.of(session, actor, wanted)
        return JSONResponse({place: _said(words, now) for place, words in found.items()})

    return work


def _answer(desk: Desk, request: Request, staff: int, work: Work) -> Response:
    """In one transaction: whose session this is, a sign of life, and the work. A refusal keeps the sign of life."""
    now, token = desk.clock(), request.cookies.get(COOKIE)

    def whole(session: Session) -> Response:
        signed_in = sessions.resolve(session, token, now=now)
        if signed_in is None:
            return _refused(401, SIGNED_OUT)
        if signed_in.staff_id != staff:
            return _refused(403, SOMEONE_ELSE)
        try:
            return work(session, signed_in.actor, now)
        except DeskError as error:
            return _refused(422, error.message)

    try:
        return desk.database.run(whole)
    except SQLAlchemyError:
        return _refused(503, NOT_REACHED)


def _said(words: Words, now: datetime) -> dict[str, Any]:
    return {"body": words.body, "version": words.version, "at": clock(words.at, now), "sent": words.sent}


def clock(at: datetime | None, now: datetime) -> str:
    """When, as short as it can be: the time, and the day unless it is today."""
    if at is None:
        return ""
    return f"{at:%H:%M} UTC" if at.date() == now.date() else f"{at:%-d %b %Y, %H:%M} UTC"


def _refused(status: int, why: str) -> Response:
    return JSONResponse({"why": why}, status)
