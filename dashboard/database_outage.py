"""The database is away, or every connection to it is in use: every address of ours says so in a sentence, and works
again by itself afterwards.

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
BUSY = "More is asked of the desk than it can do at once. Nothing that was confirmed is lost."
SENTENCE = "The desk's database cannot be reached just now. Nothing that was confirmed is lost."
HEADERS = {"Retry-After": str(AGAIN_IN), "Cache-Control": "no-store"}
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><meta name="robots" content="noindex">
<meta http-equiv="refresh" content="{again_in}">
<title>One moment · Escrow Desk</title>
<link rel="stylesheet" href="/app/static/sign-in.css">
</head>
<body>
<main>
<header><div><h1>Escrow Desk</h1></div></header>
<p class="problem" role="alert">{sentence}</p>
<p class="hint">This page asks again every {again_in} seconds and goes on by itself.</p>
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
            await _say(said(error), scope, receive, send)


def said(error: Exception) -> str:
    """What is known of one of `AWAY`."""
    return BUSY if isinstance(error, PoolExhausted) else SENTENCE


async def _say(sentence: str, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1013, "reason": sentence})
        return
    await _answer(sentence, HTTPConnection(scope))(scope, receive, send)


def _answer(sentence: str, connection: HTTPConnection) -> Response:
    if "text/html" in connection.headers.get("accept", ""):
        return HTMLResponse(PAGE.format(sentence=sentence, again_in=AGAIN_IN), 503, HEADERS)
    problem = {"type": "about:blank", "title": "Unavailable", "status": 503, "detail": sentence}
    return Response(json.dumps(problem), 503, HEADERS, "application/problem+json")
