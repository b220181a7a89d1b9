"""Nobody gets past without a session of ours: pages, websocket, media, uploads and Streamlit's own addresses.

Someone without a session is led to sign-in when they ask for a page, and told 401 when anything else asks. The
session row is read for every request; only for the files of the front end, which hold nothing of ours, an answer
may be five seconds old.
"""

from __future__ import annotations

import time
from urllib.parse import quote

from anyio import to_thread
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from core.actions.staff import sessions
from core.actions.staff.sessions import SignedIn
from core.desk import Desk
from dashboard import media, navigation
from dashboard.request_context import COOKIE

OPEN = frozenset(
    {
        "/healthz",
        "/readyz",
        "/metrics",
        "/sign-in",
        "/sign-out",
        "/sign-out/provider",
        "/favicon.ico",
        "/favicon.png",
    }
)
# What proves itself by its own signature needs no session of ours (`core.webhooks`, `core.api`).
OPEN_BELOW = ("/webhooks/", "/api/v1/", "/sign-in/")
OPEN_FILES = frozenset(
    f"/app/static/{name}" for name in ("sign-in.css", "icon.svg", "inter.woff2", "inter-ext.woff2")
)
FRONT_END = ("/static/", "/app/static/")
# What our routes and Streamlit's serve under addresses of their own.
BESIDE_PAGES = (
    "/_stcore/", "/app/", "/auth/", "/component/", "/downloads/", "/media/", "/oauth2callback", "/static/", "/words",
)  # fmt: skip
REMEMBERED_FOR = 5.0


class Gate:
    """Pure ASGI, so that nothing of the body is read or buffered."""

    def __init__(self, app: ASGIApp, *, desk: Desk) -> None:
        self.app = app
        self.desk = desk
        self._seen: dict[str, float] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or is_open(scope["path"]):
            await self.app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        token = connection.cookies.get(COOKIE)
        if scope["path"].startswith(FRONT_END) and self._remembered(token):
            await self.app(scope, receive, send)
            return
        signed_in = await to_thread.run_sync(self._resolve, token)
        if signed_in is None:
            await _turn_away(connection, scope, receive, send)
        elif (
            scope["path"] == "/"
            and scope["type"] == "http"
            and (name := navigation.landing_page(signed_in.roles))
        ):
            await _redirect(f"/{name}", connection)(scope, receive, send)
        elif _asks_for_a_page(scope, connection) and (where := navigation.leads_nowhere(scope["path"])):
            await RedirectResponse(where, 303)(scope, receive, send)
        elif scope["path"].startswith(media.PREFIX) and not await media.may_fetch(
            scope["path"], signed_in.session_id
        ):
            await PlainTextResponse("There is no such file in this session.", 404)(scope, receive, send)
        else:
            self._remember(token)
            await self.app(scope, receive, send)

    def _resolve(self, token: str | None) -> SignedIn | None:
        at = self.desk.clock()
        with self.desk.database.reading() as session:
            return sessions.resolve(session, token, now=at, touch=False)

    def _remembered(self, token: str | None) -> bool:
        return (
            token is not None and time.monotonic() - self._seen.get(token, -REMEMBERED_FOR) < REMEMBERED_FOR
        )

    def _remember(self, token: str | None) -> None:
        if len(self._seen) > 1_000:
            self._seen.clear()
        if token:
            self._seen[token] = time.monotonic()


def _asks_for_a_page(scope: Scope, connection: HTTPConnection) -> bool:
    """A visitor's browser, and neither a file nor anything else that is served beside pages."""
    path: str = scope["path"]
    return (
        scope["type"] == "http"
        and scope["method"] == "GET"
        and "text/html" in connection.headers.get("accept", "")
        and not path.startswith(BESIDE_PAGES)
        and "." not in path.rpartition("/")[2]
    )


def is_open(path: str) -> bool:
    return path in OPEN or path in OPEN_FILES or path.startswith(OPEN_BELOW)


async def _turn_away(connection: HTTPConnection, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": "Sign in first."})
    elif scope["method"] == "GET" and "text/html" in connection.headers.get("accept", ""):
        query = scope["query_string"].decode("latin-1")
        wanted = quote(scope["path"] + (f"?{query}" if query else ""), safe="/")
        to = "/sign-in" if wanted == "/" else f"/sign-in?next={wanted}"
        await RedirectResponse(to, 303)(scope, receive, send)
    else:
        await PlainTextResponse("Sign in first.", 401)(scope, receive, send)


def _redirect(path: str, connection: HTTPConnection) -> RedirectResponse:
    query = connection.url.query
    return RedirectResponse(f"{path}?{query}" if query else path, 303)
