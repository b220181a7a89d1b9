"""Where a request comes from. Behind a proxy it is the address that the proxy says, and only a proxy that the server
was told to believe (`FORWARDED_ALLOW_IPS`) is asked."""

from __future__ import annotations

from starlette.requests import HTTPConnection

from core.actions.staff.sessions import Origin
from core.rules import browsers


def address_of(connection: HTTPConnection) -> str:
    return connection.client.host if connection.client else ""


def origin_of(connection: HTTPConnection, provider_session: str | None = None) -> Origin:
    return Origin(
        address_of(connection), browsers.words(connection.headers.get("user-agent", "")), provider_session
    )
