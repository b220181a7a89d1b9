"""How often an address may be refused: at the sign-in, with API keys, and with signatures of webhooks.

Only refusals count, so an address where nobody is refused again and again is never slowed down, and costs no statement
more; one that has been refused too often waits, whoever asks from it. The share of an address is
a bucket of `core.api.http.rate_limits`, the same for all processes; a process that has seen it empty answers 429 by
itself until there is a token again. Which address it is says the server: that of the connection, or what a proxy says
that the server was told to believe.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from dataclasses import dataclass

import structlog
from anyio import to_thread
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.api.http.problem_details import problem
from core.api.http.rate_limits import Limits, TooManyRequests
from core.desk import Desk
from dashboard.request_origin import address_of

log = structlog.get_logger(__name__)
MOST = 10_000  # addresses that a process remembers


@dataclass(frozen=True)
class EntryPoint:
    """`refused`: the answers that say no to whoever asked."""

    name: str
    beginning: str
    refused: frozenset[int]
    limits: Limits


ENTRY_POINTS = (
    # Before the sign-in, below which it lies: each of its tokens costs a question to the provider.
    EntryPoint(
        "back-channel-logout", "/sign-in/back-channel-logout", frozenset({400}), Limits(rate=0.1, burst=20)
    ),
    EntryPoint("sign-in", "/sign-in", frozenset({401, 403}), Limits(rate=0.1, burst=20)),
    EntryPoint("api-key", "/api/v1/", frozenset({401}), Limits(rate=0.2, burst=50)),
    EntryPoint("webhook", "/webhooks/", frozenset({400, 401, 403}), Limits(rate=0.2, burst=50)),
)
refused_at: Counter[str] = Counter()
"""How many requests this process has answered with 429, for the metrics."""


class AddressLimits:
    """Pure ASGI, before anything else looks at the request."""

    def __init__(
        self, app: ASGIApp, *, desk: Desk, entry_points: tuple[EntryPoint, ...] = ENTRY_POINTS
    ) -> None:
        self.app, self.desk, self.entry_points = app, desk, entry_points
        self._until: dict[str, float] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        entry_point = self._entry_point(scope)
        if entry_point is None:
            await self.app(scope, receive, send)
            return
        address = address_of(HTTPConnection(scope))
        holder = f"{entry_point.name}:{address}"
        if (left := self._until.get(holder, 0.0) - time.monotonic()) > 0:
            refused_at[entry_point.name] += 1
            log.warning("address.refused", entry_point=entry_point.name, address=address)
            await _too_many(entry_point, math.ceil(left))(scope, receive, send)
            return
        answered = 0

        async def watched(message: Message) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                answered = message["status"]
            await send(message)

        await self.app(scope, receive, watched)
        if answered in entry_point.refused:
            await to_thread.run_sync(self._count, entry_point, holder)

    def _entry_point(self, scope: Scope) -> EntryPoint | None:
        if scope["type"] != "http":
            return None
        return next((each for each in self.entry_points if scope["path"].startswith(each.beginning)), None)

    def _count(self, entry_point: EntryPoint, holder: str) -> None:
        """The refusal that finds the share empty closes it to this address for a while."""
        try:
            wait = self.desk.database.run(lambda session: entry_point.limits.take(session, holder))
            if wait:
                if len(self._until) >= MOST:
                    self._until.clear()
                self._until[holder] = time.monotonic() + wait
                self.desk.database.run(entry_point.limits.forget_old)
        except SQLAlchemyError:  # a database that is away lets nobody in either
            return


def _too_many(entry_point: EntryPoint, seconds: int) -> Response:
    if entry_point.name == "api-key":
        return problem(TooManyRequests(seconds=seconds))
    said = f"Too many refused attempts from this address. Wait {seconds} s."
    return PlainTextResponse(said, 429, {"Retry-After": str(seconds)})
