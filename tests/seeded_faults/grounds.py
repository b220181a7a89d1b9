"""What seeds are lived on: a PostgreSQL of their own, a Stripe sandbox and a proxy, each a process that can be killed.

This process has no thread, so that it may fork a step at any time.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from core.db import Database
from core.embedded_postgres import EmbeddedPostgres, Server
from core.gateways.stripe_sandbox import SandboxControl
from tests.builders import a_town
from tests.database import FORGETFUL, fresh_copy, migrated_template, share_compiled_statements
from tests.seeded_faults.life import Place
from tests.seeded_faults.proxy import Proxy
from tests.seeded_faults.witness import stand_by
from tests.seeded_faults.worlds import WORLDS, World, a_world

ROOT = Path(__file__).resolve().parents[2]
# What was acknowledged must survive the server's processes, though not the machine.
SETTINGS = {**FORGETFUL, "synchronous_commit": "on", "max_connections": "60"}


@dataclass
class Sandbox:
    """As much of a `StripeSandbox` as a market needs, of one in another process."""

    folder: Path
    url: str
    key: str

    @property
    def control(self) -> SandboxControl:
        return SandboxControl(self.url, self.key)


@dataclass
class Grounds:
    cluster: EmbeddedPostgres
    server: Server
    template: str
    sandbox: Sandbox
    home: Path
    worlds: dict[int, World] = field(default_factory=dict)

    @contextmanager
    def place(self, number: int) -> Iterator[Place]:
        """The world in which the seed of this number is lived, in a copy of its own."""
        world = self._world(number % WORLDS)
        with (
            tempfile.TemporaryDirectory(dir=self.home) as name,
            fresh_copy(self.server, world.name) as urls,
        ):
            home = Path(name)
            database = Database(urls.app_url, application="seeds")
            owner, auditor = Database(urls.owner_url), Database(urls.auditor_url)
            share_compiled_statements(database.engine)
            upstream = f"{self.server.place.socket_folder()}/.s.PGSQL.{self.server.access.port}"
            try:
                with Proxy(upstream) as proxy:
                    market = world.market(database, self.sandbox, home)
                    yield Place(market, owner, auditor, proxy, home, world.heard, self.kill_database)
            finally:
                for each in (database, owner, auditor):
                    each.dispose()

    def _world(self, number: int) -> World:
        if number not in self.worlds:
            self.worlds[number] = a_world(
                number, self.server, self.template, self.sandbox, self.home / "stripe"
            )
            gc.freeze()
        return self.worlds[number]

    def kill_database(self) -> None:
        """`kill -9` of the server and of every process of its; it is started again and recovers."""
        (pid_file,) = self.cluster.home.rglob("postmaster.pid")
        os.kill(int(pid_file.read_text().split()[0]), signal.SIGKILL)
        self.cluster.start()


@contextmanager
def grounds() -> Iterator[Grounds]:
    """All of it, until the block ends."""
    _quiet()
    stand_by()
    with tempfile.TemporaryDirectory(prefix="escrow-desk-seeds-", dir=_memory()) as name:
        home = Path(name)
        home.chmod(0o711)
        cluster = EmbeddedPostgres(home / "desk", settings=SETTINGS, say=lambda line: None)
        try:
            server = cluster.start()
            template = migrated_template(server)
            gc.freeze()
            with _town(server, template) as town, _sandbox(home / "stripe") as sandbox:
                yield Grounds(cluster, server, town, sandbox, home)
        finally:
            cluster.stop()


@contextmanager
def _town(server: Server, template: str) -> Iterator[str]:
    with fresh_copy(server, template) as urls:
        database = Database(urls.app_url)
        a_town(database)
        database.dispose()
        yield str(Database(urls.app_url).url.database)


@contextmanager
def _sandbox(folder: Path) -> Iterator[Sandbox]:
    folder.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "core.gateways.stripe_sandbox", "--folder", str(folder)]
    process = subprocess.Popen(
        [*command, "--port", str(port), "--seed", "test"], cwd=ROOT, stderr=subprocess.DEVNULL
    )
    try:
        sandbox = Sandbox(folder, f"http://127.0.0.1:{port}", "sk_test_sandboxtest")
        sandbox.control.wait(60)
        yield sandbox
    finally:
        process.kill()
        process.wait()


def _memory() -> str | None:
    memory = Path("/dev/shm")
    return str(memory) if memory.is_dir() and os.access(memory, os.W_OK) else None


def _quiet() -> None:
    logging.disable(logging.CRITICAL)
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
