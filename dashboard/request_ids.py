"""Every request has a number, which is in each line of the log about it and in its answer.

A proxy before the desk may give it (`X-Request-Id`); else, or where what it gives is not one, it is made here.
"""

from __future__ import annotations

import re
import uuid

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core import logs

HEADER = "X-Request-Id"
FIT = re.compile(r"[A-Za-z0-9._-]{8,64}")


class RequestIds:
    """Pure ASGI, outermost. A page's websocket is one request as long as it is open."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        number = number_of(Headers(scope=scope).get(HEADER, ""))

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[HEADER] = number
            await send(message)

        with logs.about(request=number):
            await self.app(scope, receive, answer)


def number_of(given: str) -> str:
    """What was given, if it can be the number of a request and nothing else."""
    return given if FIT.fullmatch(given) else uuid.uuid4().hex
