"""Requests that no browser of ours would send: another host's name, or a form posted from another site.

The host check stops DNS rebinding; the origin check stops cross-site posts and cross-site websockets. Webhooks come
from Stripe's servers and API requests from the marketplace's: they carry no origin, no cookie counts for them, their
signature is their proof, and they may use any host's name.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
SIGNED = ("/webhooks/", "/api/v1/")
ANY_HOST = (*SIGNED, "/healthz", "/readyz")


class OriginCheck:
    """Refuses before anything else has looked at the request."""

    def __init__(self, app: ASGIApp, *, hosts: frozenset[str]) -> None:
        self.app = app
        self.hosts = frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or (problem := self._problem(scope)) is None:
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": problem})
        else:
            status = 421 if problem == UNKNOWN_HOST else 403
            await PlainTextResponse(problem, status)(scope, receive, send)

    def _problem(self, scope: Scope) -> str | None:
        headers, path = Headers(scope=scope), scope["path"]
        if not path.startswith(ANY_HOST) and hostname(headers.get("host", "")) not in self.hosts:
            return UNKNOWN_HOST
        changing = scope["type"] == "websocket" or scope["method"] not in SAFE
        if changing and not path.startswith(SIGNED) and not self._same_site(headers):
            return CROSS_SITE
        return None

    def _same_site(self, headers: Headers) -> bool:
        """A browser names the origin of every post and every websocket; one that does not is not a browser's page."""
        if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return False
        origin = headers.get("origin")
        if origin is None:
            return True
        return urlsplit(origin).netloc.lower() == headers.get("host", "").lower()


UNKNOWN_HOST = "This desk does not answer to that name."
CROSS_SITE = "Refused: this request comes from another site."


def hostname(host: str) -> str | None:
    """The name in a Host header, in lower case without port and final dot; None when it is not a plain host."""
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port
    except ValueError:
        return None
    if parts.path or parts.query or parts.fragment or parts.username or not parts.hostname:
        return None
    return parts.hostname.rstrip(".")
