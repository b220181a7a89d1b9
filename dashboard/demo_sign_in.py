"""When people may sign in by picking a name: only in a demo, only on this machine, never near real money."""

from __future__ import annotations

from sqlalchemy import select
from starlette.requests import HTTPConnection

from core.desk import Desk
from core.records.people import Installation
from dashboard.origin_check import hostname

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")


def open_for(desk: Desk) -> bool:
    """All of: the demo setting, no live Stripe key, listening on loopback, and a database that bears the demo mark."""
    settings = desk.settings
    return settings.demo and not settings.live_key and settings.host in LOOPBACK and _marked(desk)


def open_to(desk: Desk, request: HTTPConnection) -> bool:
    """And the request comes from this machine, to this machine, without a proxy in between."""
    client = request.client.host if request.client else None
    named = hostname(request.headers.get("host", ""))
    passed_on = any(name in request.headers for name in FORWARDED)
    return client in LOOPBACK and named in LOOPBACK and not passed_on and open_for(desk)


def _marked(desk: Desk) -> bool:
    with desk.database.reading() as session:
        return bool(session.scalar(select(Installation.demo)))
