"""When people may sign in by picking a name: only in a demo, only on this machine, never near real money."""

from __future__ import annotations

from sqlalchemy import select

from core.desk import Desk
from core.records.people import Installation

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def open_for(desk: Desk) -> bool:
    """All of: the demo setting, no live Stripe key, listening on loopback, and a database that bears the demo mark."""
    settings = desk.settings
    return settings.demo and not settings.live_key and settings.host in LOOPBACK and _marked(desk)


def open_to(desk: Desk, client_host: str | None) -> bool:
    """And the request comes from this machine."""
    return client_host in LOOPBACK and open_for(desk)


def _marked(desk: Desk) -> bool:
    with desk.database.reading() as session:
        return bool(session.scalar(select(Installation.demo)))
