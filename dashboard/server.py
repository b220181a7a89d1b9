"""One process, one port: the pages, sign-in, health, Stripe's webhooks and the marketplace's API.

    python -m dashboard.server --port 8501              everything
    python -m dashboard.server --port 8501 --api-only   health, metrics, webhooks and the API, without pages and sign-in
    … --api-only --processes 2                          the same by two processes on that port

Every request passes, in this order: its number in the log, the security headers, the host and origin check, the gate
that asks for a session of ours, and only then Streamlit or a route. The gate is outside Streamlit, so it covers its
websocket, media, uploads and static files as well.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from core import logs
from core.config import Settings
from core.desk import Desk
from core.errors import DeskError
from dashboard import request_context

HERE = Path(__file__).resolve().parent
SCRIPT = HERE / "app.py"
SETTINGS = Path(".streamlit") / "config.toml"
CHARTS_AFTER = 5.0  # seconds
FOR_PROGRAMS = ("/api/v1/", "/webhooks/")


class NoSettings(DeskError):
    """{file} is missing beside the dashboard: install Escrow Desk again, from its wheel or a whole checkout."""


def application(desk: Desk) -> Any:
    """The ASGI application for this desk. One a process: Streamlit keeps its runtime in the process."""
    import streamlit as st

    from dashboard import callbacks, refusals

    callbacks.run_to_their_end()
    request_context.use(desk)
    return st.App(
        SCRIPT,
        lifespan=_lifespan,
        routes=routes(desk),
        middleware=middleware(desk),
        on_script_error=refusals.fault,
    )


def routes(desk: Desk) -> list[BaseRoute]:
    """Everything on this port that is not a page."""
    from dashboard import autosave, downloads, sign_in

    own = [*sign_in.routes(desk), *autosave.routes(desk), *downloads.routes(desk)]
    return [*own, *for_programs(desk)]


def for_programs(desk: Desk) -> list[BaseRoute]:
    """What other programs ask: health, metrics, the payment provider's webhooks, the marketplace's API."""
    from core import api, webhooks
    from dashboard import health, metrics

    return [*health.routes(desk), *metrics.routes(desk), *webhooks.routes(desk), *api.mounts(desk)]


def api_only(desk: Desk) -> Starlette:
    """The same without the desk behind it: no pages, no sign-in, nothing of Streamlit."""
    from dashboard.address_limits import AddressLimits
    from dashboard.database_outage import DatabaseAway
    from dashboard.request_ids import RequestIds

    outermost = [Middleware(RequestIds), Middleware(AddressLimits, desk=desk), Middleware(DatabaseAway)]
    return Starlette(routes=for_programs(desk), middleware=outermost)


def middleware(desk: Desk) -> list[Middleware]:
    """What every request passes, outermost first."""
    from dashboard.address_limits import AddressLimits
    from dashboard.database_outage import DatabaseAway
    from dashboard.headers import SecurityHeaders
    from dashboard.origin_check import OriginCheck
    from dashboard.request_ids import RequestIds
    from dashboard.session_gate import Gate

    return [
        Middleware(RequestIds),
        Middleware(SecurityHeaders),
        Middleware(AddressLimits, desk=desk),
        Middleware(OriginCheck, hosts=_hosts(desk.settings)),
        Middleware(DatabaseAway),
        Middleware(Gate, desk=desk),
        Middleware(ProgramsFirst, routes=for_programs(desk)),
    ]


class ProgramsFirst:
    """The API and the webhooks answer by themselves, in their own form, also what Streamlit would refuse unread."""

    def __init__(self, app: ASGIApp, *, routes: list[BaseRoute]) -> None:
        self.app, self.programs = app, Starlette(routes=routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        ours = scope["type"] in ("http", "websocket") and scope["path"].startswith(FOR_PROGRAMS)
        await (self.programs if ours else self.app)(scope, receive, send)


def serve(
    settings: Settings, port: int | None = None, *, desk: Desk | None = None, only_api: bool = False
) -> None:
    """Serve until interrupted. The settings decide the address; `port` overrides theirs."""
    if not only_api:
        configure(settings, port or settings.port)
    opened = desk or Desk.open(settings, part="api" if only_api else "dashboard")
    try:
        _run(api_only(opened) if only_api else application(opened), settings, port)
    finally:
        opened.close()


def serve_api(settings: Settings, port: int | None, *, processes: int) -> None:
    """The same without pages, by several processes on one port. One that dies is replaced."""
    here = "dashboard.server:api_of_this_process"
    # A process that begins on a busy machine answers only after its imports: it is not to be taken for dead meanwhile.
    _run(here, settings, port, factory=True, workers=processes, timeout_worker_healthcheck=120)


def api_of_this_process() -> ASGIApp:
    """With the settings of its environment."""
    logs.set_up(logging.INFO)
    return api_only(Desk.open(Settings(), part="api"))


def _run(app: ASGIApp | str, settings: Settings, port: int | None, **how: Any) -> None:
    import uvicorn

    uvicorn.run(
        app,
        host=settings.host,
        port=port or settings.port,
        access_log=False,
        server_header=False,
        date_header=True,
        proxy_headers=True,  # believed only from FORWARDED_ALLOW_IPS, by default this machine
        ws="websockets-sansio",
        ws_max_size=200 * 1024 * 1024,
        timeout_graceful_shutdown=5,
        log_level="warning",
        **how,
    )


def configure(settings: Settings, port: int) -> None:
    """Read our `.streamlit/config.toml` wherever the process was started, and say where we listen. Raises
    `NoSettings`."""
    from streamlit import config
    from streamlit.web import bootstrap

    # Streamlit looks for `.streamlit/` beside its main script, in the working directory and at home; ours is in the
    # checkout, or in the installed package.
    config._main_script_path = str(settings_folder() / SCRIPT.name)
    options = {
        "server_port": port,
        "server_address": settings.host,
        "server_allowedHosts": sorted(_hosts(settings)),
    }
    bootstrap.load_config_options(options)


def settings_folder() -> Path:
    """Where `.streamlit/config.toml` lies. Without it pages would be served as Streamlit's own defaults have it, so
    nothing is: raises `NoSettings`."""
    for each in (HERE.parent, HERE):
        if (each / SETTINGS).is_file():
            return each
    raise NoSettings(file=SETTINGS)


def _hosts(settings: Settings) -> frozenset[str]:
    """Names under which this desk may be asked for: its own address, loopback, and ESCROW_DESK_HOSTS."""
    named = settings.hosts.replace(",", " ").split()
    return frozenset({"127.0.0.1", "localhost", "::1", *named, settings.host})


@asynccontextmanager
async def _lifespan(app: Any) -> AsyncIterator[None]:
    """Before the first visitor: import what pages import, and open the first connection."""
    from anyio import create_task_group, sleep, to_thread

    from dashboard import preload

    async def charts() -> None:
        await sleep(CHARTS_AFTER)
        await to_thread.run_sync(preload.later)

    await to_thread.run_sync(preload.up)
    async with create_task_group() as background:
        background.start_soon(charts)
        yield
        background.cancel_scope.cancel()


def main() -> None:
    """A refusal, such as a database that is not there, is one sentence and exit code 2."""
    from core.cli.output import require_desk
    from core.cli.refusals import refusal

    parser = argparse.ArgumentParser(description="Serve the dashboard.")
    parser.add_argument("--port", type=int, default=None)
    parser.add_argument(
        "--api-only", action="store_true", help="no pages: health, metrics, webhooks, /api/v1"
    )
    parser.add_argument("--processes", type=int, default=1, help="of the API, on one port")
    chosen = parser.parse_args()
    logs.set_up(logging.INFO)
    settings = Settings()
    try:
        settings.require_home()
        require_desk(settings)
        settings_folder()
    except Exception as problem:
        print(f"✗ {refusal(problem).detail}", file=sys.stderr)
        raise SystemExit(2) from None
    if chosen.processes > 1:
        serve_api(settings, chosen.port, processes=chosen.processes)
    else:
        serve(settings, chosen.port, only_api=chosen.api_only)


if __name__ == "__main__":
    main()
