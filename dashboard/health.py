"""What a process supervisor asks: is it up, can it serve, and does the work behind it go on?

`/readyz` answers 503 only where this process cannot serve: no database, another schema. A worker that died or webhooks
that are stuck are no reason to take the dashboards away from the people who would see to it, so they are "degraded",
with the parts by name and status 200; `escrow-desk doctor` says the rest, and `/metrics` has a number for each part.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from anyio import to_thread
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from core.audit import outside_places
from core.desk import Desk
from core.queries import health

ICON = Path(__file__).resolve().parent / "static" / "icon.png"
MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"


def routes(desk: Desk) -> list[Route]:
    async def alive(request: Request) -> Response:
        return JSONResponse({"status": "up"})

    async def ready(request: Request) -> Response:
        problem = await to_thread.run_sync(_problem, desk)
        if problem:
            return JSONResponse({"status": "not ready", "reason": problem}, 503, {"Retry-After": "5"})
        stuck = await to_thread.run_sync(_stuck, desk)
        return JSONResponse({"status": "degraded", "parts": stuck} if stuck else {"status": "ready"})

    async def icon(request: Request) -> Response:
        """In place of Streamlit's own, from the first moment on."""
        return FileResponse(ICON, media_type="image/png")

    return [
        Route("/healthz", alive),
        Route("/readyz", ready),
        Route("/favicon.png", icon),
        Route("/favicon.ico", icon),
    ]


def _problem(desk: Desk) -> str | None:
    try:
        with desk.database.reading() as session:
            found = session.scalar(text("select version_num from alembic_version"))
    except SQLAlchemyError as error:
        return (
            "the database has no tables yet"
            if "alembic_version" in str(error)
            else "the database cannot be reached"
        )
    if found != newest():
        return f"migrations are not current: the database is at {found}, this version needs {newest()}"
    return None


def _stuck(desk: Desk) -> list[str]:
    """The parts that need a person, by name and without a word more: anybody may ask."""
    try:
        with desk.database.reading() as session:
            found = health.states(
                session, desk.settings.home, now=desk.clock(), places=outside_places.places(desk.settings)
            )
    except SQLAlchemyError:
        return ["Database"]
    return [each.part for each in found if not each.ok]


@cache
def newest() -> str | None:
    """The last revision that this checkout knows."""
    from alembic.script import ScriptDirectory

    return ScriptDirectory(str(MIGRATIONS)).get_current_head()
