"""`escrow-desk demo`: everything on one machine, from an empty folder to an address in the browser.

PostgreSQL outlives nothing here: what was started is stopped on Ctrl-C, in the order dashboard, worker, sandbox,
database. What stops before that is said and started again (`parts.py`). What is kept lies under the home folder, so a
second start takes seconds; that folder is the demo's own (`home.py`).
"""

from __future__ import annotations

import json
import os
import signal
import socket
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from core.config import Settings
from core.db import Database
from core.demo import home as own_home
from core.demo import settings_file
from core.demo.fill import fill
from core.demo.parts import Part, Watch
from core.desk import Desk
from core.embedded_postgres import EmbeddedPostgres, Urls
from core.embedded_postgres.access import DATABASE
from core.errors import DeskError
from core.gateways.stripe_sandbox import SandboxControl, StripeSandbox
from core.migrate import upgrade
from core.queries import demo_clock

SEED = 7
READY_WITHIN = 60.0
GLANCE = 0.5
CUSTOMERS: Any = {
    "home_services_contact": "help@homes.example",
    "home_services_link": "https://homes.example/projects/{project}",
    "legal_services_contact": "help@legal.example",
    "legal_services_link": "https://legal.example/matters/{project}",
}


class PortBusy(DeskError):
    """Port {port} is already in use. Stop what is using it, or choose another: make demo PORT={other}."""


class PartDied(DeskError):
    """The {part} stopped at once. Its last words are in {log}."""


class NotReady(DeskError):
    """The dashboard did not answer within {seconds} seconds. See {log}."""


class Interrupted(Exception):
    """Ctrl-C or SIGTERM."""


class Demo:
    """One run of the demo: its folder, its processes, its progress."""

    def __init__(
        self,
        home: Path,
        port: int,
        *,
        reset: bool,
        seed: int,
        console: Console,
        scale: float = 1.0,
        today: datetime | None = None,
    ) -> None:
        self.home, self.port, self.reset = home.resolve(), port, reset
        self.seed, self.scale, self.today = seed, scale, today
        self.console = console
        self.sandbox_port = 0
        self.stack = ExitStack()

    # -- steps --

    def run(self) -> None:
        """Start, say where, wait for Ctrl-C, stop."""
        check_port(self.port)
        if self.reset:
            own_home.require_erasable(self.home, os.environ)
        own_home.claim(self.home)
        with _interruptible(), own_home.held(self.home), self.stack:
            try:
                self._start()
                self._wait()
            except Interrupted:
                self.console.print("\nStopping …")

    def _start(self) -> None:
        if self.reset:
            own_home.erase(self.home)
        with self._step("PostgreSQL") as say:
            urls = self._database(say)
        with self._step("Database schema"):
            upgrade(urls.owner_url)
        with self._step("Stripe sandbox"):
            sandbox = self._sandbox()
        settings = self._settings(urls, sandbox)
        if not self._filled():
            self._fill(settings, sandbox)
        with self._step("Dashboard and worker"):
            secret = self._endpoint(sandbox, settings)
            self._launch(settings.model_copy(update={"stripe_webhook_secret": secret}))
        self.console.print(
            f"\n  Escrow Desk is at [bold]http://127.0.0.1:{self.port}[/bold]  (Ctrl-C stops it)\n"
        )

    def _database(self, say: Callable[[str], None]) -> Urls:
        cluster = EmbeddedPostgres(self.home)
        server = cluster.start()
        self.stack.callback(cluster.stop)
        self.watch = Watch(self.console, cluster, server)
        if not self._filled() and (self.home / "filling").exists():
            say("PostgreSQL (the last start was interrupted: starting again)")
            server.drop_database(DATABASE)
            server.create_database(DATABASE)
            own_home.forget(self.home)
        return server.urls()

    def _sandbox(self) -> SandboxControl:
        folder = self.home / "stripe-sandbox"
        self.sandbox_port = free_port()
        command = ("-m", "core.gateways.stripe_sandbox", "--folder", str(folder))
        self._spawn("sandbox", *command, "--port", str(self.sandbox_port), "--seed", str(self.seed))
        sandbox = StripeSandbox(folder, seed=str(self.seed))
        control = SandboxControl(f"http://127.0.0.1:{self.sandbox_port}", sandbox.key)
        control.wait(READY_WITHIN)
        return control

    def _settings(self, urls: Urls, sandbox: SandboxControl) -> Settings:
        return Settings(
            database_url=urls.app_url,
            database_owner_url=urls.owner_url,
            database_auditor_url=urls.auditor_url,
            stripe_api_key=StripeSandbox(self.home, seed=str(self.seed)).key,
            stripe_api_base=sandbox.url,
            stripe_webhook_secret="",
            home=self.home,
            port=self.port,
            demo=True,
            # This shell may be set up for another desk: its mail server, keys and places outside are not the demo's.
            smtp_url="",
            outside_checkpoints=None,
            checkpoint_bucket="",
            checkpoint_mail="",
            timestamp_url="",
            timestamp_certificate=None,
            evidence_key="",
            api_master_key="",
            host="127.0.0.1",
            hosts="",
            desk_url=f"http://127.0.0.1:{self.port}",
            **CUSTOMERS,
        )

    def _fill(self, settings: Settings, sandbox: SandboxControl) -> None:
        (self.home / "filling").touch()
        desk, began = Desk.open(settings), time.monotonic()
        try:
            with self._progress("Three months of business") as progress:
                today = self.today or datetime.now(UTC)
                filled = fill(desk, sandbox, seed=self.seed, today=today, progress=progress, scale=self.scale)
        finally:
            desk.close()
        (self.home / "demo.json").write_text(json.dumps({"seed": self.seed, "projects": filled.projects}))
        (self.home / "filling").unlink()
        self._done(f"Three months of business: {filled.projects} projects", time.monotonic() - began)

    @contextmanager
    def _progress(self, what: str) -> Iterator[Callable[[float, str], None]]:
        """A bar in a terminal; in a log, a line now and then."""
        if not self.console.is_terminal:
            said = [0]

            def say(done: float, where: str) -> None:
                if int(done * 5) > said[0]:
                    said[0] = int(done * 5)
                    self.console.print(f"  {what} · {where} ({said[0] * 20} %)")

            yield say
            return
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self.console, transient=True) as bar:
            task = bar.add_task(what, total=1.0)
            yield lambda done, where: bar.update(task, completed=done, description=f"{what} · {where}")

    def _filled(self) -> bool:
        return (self.home / "demo.json").exists()

    def _endpoint(self, sandbox: SandboxControl, settings: Settings) -> str:
        sandbox.follow_wall_clock(ahead=_ahead(settings))
        sandbox.remove_endpoints()
        sandbox.webhooks(auto=True)
        return sandbox.add_endpoint(f"http://127.0.0.1:{self.port}/webhooks/stripe")

    def _launch(self, settings: Settings) -> None:
        environment = as_environment(settings)
        settings_file.remember(self.home, environment)
        self.stack.callback(settings_file.forget, self.home)
        self._spawn("worker", "-m", "core.cli", "worker", environment=environment)
        server = self._spawn(
            "dashboard", "-m", "dashboard.server", "--port", str(self.port), environment=environment
        )
        self._answering(server)

    def _answering(self, dashboard: Part) -> None:
        until = time.monotonic() + READY_WITHIN
        while time.monotonic() < until:
            if dashboard.ended is not None:
                raise PartDied(part="dashboard", log=dashboard.log)
            with (
                suppress(OSError),
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=5) as answer,
            ):
                if answer.status == 200:
                    return
            time.sleep(0.1)
        raise NotReady(seconds=int(READY_WITHIN), log=self.home / "log" / "dashboard.log")

    def _wait(self) -> None:
        while True:
            time.sleep(GLANCE)
            self.watch.look()

    # -- parts --

    def _spawn(self, name: str, *command: str, environment: dict[str, str] | None = None) -> Part:
        part = Part(name, command, environment or {}, self.home / "log" / f"{name}.log")
        part.start()
        self.stack.callback(part.stop)
        self.watch.parts.append(part)
        return part

    @contextmanager
    def _step(self, what: str) -> Iterator[Callable[[str], None]]:
        began, title = time.monotonic(), [what]
        with self.console.status(f"{what} …"):
            yield lambda text: title.__setitem__(0, text)
        self._done(title[0], time.monotonic() - began)

    def _done(self, what: str, seconds: float) -> None:
        self.console.print(f"[green]✓[/green] {what} [dim]{seconds:.1f} s[/dim]")


def _ahead(settings: Settings) -> timedelta:
    """How far this demo's time was moved before it was stopped."""
    database = Database(settings.database_url, pool_size=1)
    try:
        with database.reading() as session:
            return demo_clock.state(session, wall=datetime.now(UTC)).ahead
    finally:
        database.dispose()


def as_environment(settings: Settings) -> dict[str, str]:
    return {
        "DATABASE_URL": settings.database_url,
        "DATABASE_OWNER_URL": settings.database_owner_url,
        "DATABASE_AUDITOR_URL": settings.database_auditor_url,
        "STRIPE_API_KEY": settings.stripe_api_key,
        "STRIPE_API_BASE": settings.stripe_api_base,
        "STRIPE_WEBHOOK_SECRET": settings.stripe_webhook_secret,
        "ESCROW_DESK_HOME": str(settings.home),
        "ESCROW_DESK_DEMO": "true",
        "PORT": str(settings.port),
        "DESK_URL": settings.desk_url,
        **{name.upper(): value for name, value in CUSTOMERS.items()},
    }


def check_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise PortBusy(port=port, other=port + 1) from None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _interruptible() -> Iterator[None]:
    """Both signals end the wait once; while things are being stopped a second one is not heard."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, signal.SIG_IGN)
        raise Interrupted

    before = {each: signal.signal(each, interrupt) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
