"""What runs until it is stopped, and what prepares it: serve, worker, migrate, bench."""

from __future__ import annotations

import logging
import os
import secrets
import socket
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core import logs
from core.cli import operator as who
from core.cli.children import side_by_side
from core.cli.output import Json, environment, opened, require_desk, say, settings, tell
from core.errors import DeskError
from core.rules.permissions import Actor

if TYPE_CHECKING:
    from core.config import Settings
    from core.db import Database


class AddressBusy(DeskError):
    """{host}:{port} cannot be listened on: {why}. Stop what is using it, or choose another port with --port."""


class PagesInOneProcess(DeskError):
    """Pages live in the process that began them, so several on one port would lose what people do. Start each dashboard
    on a port of its own, behind a proxy that sends a visitor to the same one; `--api-only` takes --processes."""


class NoCheckout(DeskError):
    """There is no bench here: it is part of a checkout, not of the installed package. Run it in one."""


def add_to(app: typer.Typer) -> None:
    for command in (serve, worker, migrate):
        app.command()(command)
    # What the bench understands is its own to say, `--help` included.
    passed_on = {"allow_extra_args": True, "ignore_unknown_options": True}
    app.command(add_help_option=False, context_settings=passed_on)(bench)


def serve(
    port: Annotated[int | None, typer.Option(help="Default: PORT, else 8501.", min=1, max=65_535)] = None,
    api_only: Annotated[bool, typer.Option("--api-only", help="Without pages and sign-in.")] = False,
    processes: Annotated[int, typer.Option(help="That share the port; with --api-only.", min=1, max=64)] = 1,
) -> None:
    """The dashboard, health checks, webhooks and the marketplace's API (/api/v1)."""
    if processes > 1 and not api_only:
        raise PagesInOneProcess()
    found = settings()
    chosen = port or environment().port
    _require_free(found.host, chosen)
    require_desk(found)
    arguments = [sys.executable, "-m", "dashboard.server", "--port", str(chosen)]
    also = ["--api-only", "--processes", str(processes)] if api_only else []
    os.execve(sys.executable, [*arguments, *also], _variables())


def _variables() -> dict[str, str]:
    """What the server reads: this shell's variables, and where they name no database, those of the demo that runs."""
    from core.demo.settings_file import environment as of_demo

    found = environment()
    return {**os.environ, **({} if found.database_url else of_demo(found.home_here))}


def worker(
    processes: Annotated[int, typer.Option(help="How many, as children of this one.", min=1, max=64)] = 1,
) -> None:
    """Sends operations, applies webhooks, runs timers, delivers e-mails, seals the log. Run as many as you like."""
    from core.worker import run

    logs.set_up(logging.INFO)
    require_desk(settings())
    if processes > 1:
        raise typer.Exit(side_by_side([sys.executable, "-m", "core.cli", "worker"], processes))
    with opened("worker") as desk:
        run(desk)


def migrate(
    name: Annotated[str, typer.Option(help="This desk's name, in front of every key sent to Stripe.")] = "",
    as_json: Json = False,
) -> None:
    """Bring the database to the present schema; mark an empty one as this desk's."""
    from core.db import Database
    from core.migrate import pending, upgrade

    found = settings()
    applied = pending(found.owner_url)
    upgrade(found.owner_url)
    database = Database(found.database_url)
    try:
        chosen, words = _installed(database, name)
        key = _pinned(database, found)
    finally:
        database.dispose()
    data = {"installed": chosen, "applied": applied, "key": key}
    say(data, as_json=as_json, words=tell(f"{words} The record is signed by key {key}."))


def _installed(database: Database, name: str) -> tuple[str, str]:
    """The desk's name, and what became of it. Only an operator can be the first: there is no staff yet."""
    from core.actions.staff import install

    chosen = name or f"ed-{secrets.token_hex(3)}"
    operator = Actor("operator", None, via=who.account())
    try:
        database.run(lambda session: install.install(session, operator, now=datetime.now(UTC), name=chosen))
    except install.AlreadyInstalled as already:
        return str(already.facts["name"]), f"Schema is up to date. {already.message}"
    return chosen, f"Installed as {chosen}."


def _pinned(database: Database, found: Settings) -> str:
    """The key that signs from now on, pinned before anything is signed; a desk that has one keeps it."""
    from core import audit

    with database.reading() as session:
        before = audit.pins(session)
    if before:
        return before[-1].fingerprint
    return audit.desk_signer(database, found.home, now=datetime.now(UTC)).public.fingerprint


def bench(context: typer.Context) -> None:
    """Measure against the design's targets: ratios in one run. Needs a checkout, and nothing running."""
    root = Path(__file__).resolve().parents[2]
    if not (root / "bench" / "__main__.py").is_file():
        raise NoCheckout()
    command = [sys.executable, "-m", "bench", *context.args]
    raise typer.Exit(subprocess.run(command, check=False, cwd=root).returncode)


def _require_free(host: str, port: int) -> None:
    """Whoever comes second is told so before anything is loaded."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as problem:
            raise AddressBusy(host=host, port=port, why=problem.strerror or problem) from None
