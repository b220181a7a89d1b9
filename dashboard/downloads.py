"""Files that a page offers: each at an address that nobody can guess, for the session that it was offered to.

An offer is kept in the process, as the page is. Whoever fetches it is looked up again: it must be the same session,
still alive, and the person must still hold the permission; the action behind it asks once more and writes its entry.
The file is made when it is fetched, in a temporary file without a name, and passed on piece by piece.
"""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import IO, Any
from urllib.parse import quote

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from core.actions.staff import sessions
from core.actions.staff.sessions import SignedIn
from core.desk import Desk
from core.errors import DeskError
from core.rules.permissions import Actor, NotPermitted, Permission, require

PATH = "/downloads/"
FOR = timedelta(minutes=30)
PIECE = 256 * 1024
SPOOLED = 1024 * 1024  # smaller files never reach the disk
AT_ONCE = 2  # files under construction in one process; the others wait
GONE = (
    "This download has ended, or was offered to another session. Open the page again and take it from there."
)

Make = Callable[[Actor, datetime, IO[bytes]], str | None]


@dataclass(frozen=True)
class OfferedFile:
    """`make` writes the file; it may give it a name, else it is `name`."""

    session_id: int
    permission: Permission
    until: datetime
    name: str
    media_type: str
    make: Make


_offers: dict[str, OfferedFile] = {}
_places: dict[tuple[int, str, str], str] = {}
_lock = Lock()


def offer(
    person: SignedIn,
    *,
    tab: str,
    key: str,
    permission: Permission,
    name: str,
    media_type: str,
    make: Make,
    now: datetime,
) -> str:
    """The address of the file. The same place in the same tab keeps its address when the page is drawn again."""
    with _lock:
        _forget(now)
        token = _places.setdefault((person.session_id, tab, key), secrets.token_urlsafe(32))
        _offers[token] = OfferedFile(person.session_id, permission, now + FOR, name, media_type, make)
    return PATH + token


def find(token: str, person: SignedIn, now: datetime) -> OfferedFile | None:
    """The offer, if it was made to this session and stands."""
    with _lock:
        found = _offers.get(token)
    return found if found and found.session_id == person.session_id and now < found.until else None


def _forget(now: datetime) -> None:
    ended = {token for token, each in _offers.items() if each.until <= now}
    for token in ended:
        del _offers[token]
    for place in [place for place, token in _places.items() if token in ended]:
        del _places[place]


def routes(desk: Desk) -> list[Route]:
    makers: list[CapacityLimiter] = []

    async def fetch(request: Request) -> Response:
        if (
            request.method != "GET"
        ):  # a file may be given out once, and who asks for its head alone gets nothing of it
            return Response(status_code=405, headers={"Allow": "GET"})
        if not makers:
            makers.append(CapacityLimiter(AT_ONCE))
        from dashboard.request_context import COOKIE

        token, held = request.path_params["token"], request.cookies.get(COOKIE)
        return await to_thread.run_sync(_answer, desk, token, held, limiter=makers[0])

    return [Route(PATH + "{token}", fetch, methods=["GET"])]


def _answer(desk: Desk, token: str, held: str | None) -> Response:
    now = desk.clock()
    with desk.database.reading() as session:
        person = sessions.resolve(session, held, now=now, touch=False)
    found = find(token, person, now) if person else None
    if person is None or found is None:
        return PlainTextResponse(GONE, 404)
    out: Any = tempfile.SpooledTemporaryFile(SPOOLED)  # noqa: SIM115 (the answer closes it)
    try:
        require(person.actor, found.permission, now)
        name = found.make(person.actor, now, out) or found.name
    except DeskError as refusal:
        out.close()
        return PlainTextResponse(refusal.message, 403 if isinstance(refusal, NotPermitted) else 409)
    except BaseException:
        out.close()
        raise
    size = out.tell()
    out.seek(0)
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
        "Content-Length": str(size),
    }
    return StreamingResponse(_pieces(out), media_type=found.media_type, headers=headers)


async def _pieces(file: Any) -> AsyncIterator[bytes]:
    try:
        while piece := await to_thread.run_sync(file.read, PIECE):
            yield piece
    finally:
        file.close()
