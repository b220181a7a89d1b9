"""The database is away: every address of ours says so in a sentence, and works again by itself when it is back.

A person who asked for a page gets one that asks again after a few seconds; a program gets a problem and a time to
wait. The marketplace's API and the webhooks answer for themselves, in their own form.
"""

from __future__ import annotations

import json

import structlog
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = structlog.get_logger("dashboard")

AWAY = (OperationalError, InterfaceError, PoolExhausted)
AGAIN_IN = 5  # seconds
SENTENCE = "The desk's database cannot be reached just now. Nothing that was confirmed is lost."
HEADERS = {"Retry-After": str(AGAIN_IN), "Cache-Control": "no-store"}
PAGE = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><meta name="robots" content="noindex">
<meta http-equiv="refresh" content="{AGAIN_IN}">
<title>One moment · Escrow Desk</title>
<link rel="stylesheet" href="/app/static/sign-in.css">
</head>
<body>
<main>
<header><div><h1>Escrow Desk</h1></div></header>
<p class="problem" role="alert">{SENTENCE}</p>
<p class="hint">This page asks again every {AGAIN_IN} seconds and goes on by itself.</p>
</main>
</body>
</html>
"""


class DatabaseAway:
    """Pure ASGI, outside the gate, which reads the session from the database."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        begun = False

        async def sending(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self.app(scope, receive, sending)
        except AWAY as error:
            log.error("database.away", path=scope["path"], reason=type(error).__name__)
            if begun:
                raise
            await _say(scope, receive, send)


async def _say(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1013, "reason": "The database is away."})
        return
    await answer(HTTPConnection(scope))(scope, receive, send)


def answer(connection: HTTPConnection) -> Response:
    if "text/html" in connection.headers.get("accept", ""):
        return HTMLResponse(PAGE, 503, HEADERS)
    problem = {"type": "about:blank", "title": "Database away", "status": 503, "detail": SENTENCE}
    return Response(json.dumps(problem), 503, HEADERS, "application/problem+json")
