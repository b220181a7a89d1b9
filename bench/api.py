"""What the API answers, beside as many bare answers: a read of a milestone, a party made known.

    python -m bench.api [--seconds 4] [--rounds 3] [--connections 8] [--json]

Programs with many keys ask over connections that stay open, each for the next as soon as it has the last. In turns they
ask a bare Starlette application that answers each request with one `select 1`, the API by one process and the
API by two. The bare one, too, is served by uvicorn in a process of its own and asks PostgreSQL through the desk's
pool. Beside what is answered in a second of the clock stands what is answered in a second of a core: of the
serving process alone, and of it and the server's processes together; that says more where the machine has other
work.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from itertools import count, cycle
from pathlib import Path
from statistics import median

from sqlalchemy import text
from sqlalchemy.orm import Session
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from bench.core_seconds import with_children
from bench.ledger import reachable
from bench.pages import free_port
from core import api
from core.api.http import api_keys
from core.api.http.api_keys import Issued
from core.api.http.signing import sign_request
from core.db import Database
from core.embedded_postgres import EmbeddedPostgres
from core.embedded_postgres.process import postmaster
from core.gateways.stripe_sandbox import StripeSandbox
from core.migrate import upgrade
from tests.parties import OPERATOR
from tests.sandbox_desk import Market, a_market

KEYS = 200  # each has its own share of requests (`core.api.http.rate_limits`)
RATIO, MORE = 0.5, 1.8  # wanted: of the bare answers, and by two processes
Ask = Callable[[], bytes]


@dataclass(frozen=True)
class Round:
    """One server asked for some seconds: answers a second of the clock, of its core, of its and PostgreSQL's."""

    clock: float
    core: float
    both: float


@dataclass
class Programs:
    """The marketplace's programs with their keys; each request is signed as it is sent."""

    keys: list[Issued]
    milestone: int
    numbers: Iterator[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        self.turn = cycle(self.keys)
        self.lock = threading.Lock()

    def read(self) -> bytes:
        return self._request("GET", f"/milestones/{self.milestone}")

    def write(self) -> bytes:
        number = next(self.numbers)
        body = {"external_id": f"bench-{number}", "role": "PAYER", "name": "Ana Lindqvist"}
        content = json.dumps({**body, "email": f"ana{number}@example.com", "country": "US"}).encode()
        return self._request("POST", "/parties", content, key=f"bench-{number}")

    def bare(self) -> bytes:
        return b"GET /bare HTTP/1.1\r\nHost: bench\r\n\r\n"

    def _request(self, method: str, path: str, body: bytes = b"", key: str = "") -> bytes:
        with self.lock:
            issued = next(self.turn)
        target, sha256 = api.PREFIX + path, hashlib.sha256(body).hexdigest()
        signature = sign_request(
            issued.signing_secret,
            at=int(time.time()),
            method=method,
            target=target,
            idempotency_key=key,
            body_sha256=sha256,
        )
        lines = [
            f"{method} {target} HTTP/1.1",
            "Host: bench",
            f"Authorization: Bearer {issued.api_key}",
            f"Desk-Signature: {signature}",
        ]
        if body:
            lines += [
                "Content-Type: application/json",
                f"Content-Length: {len(body)}",
                f"Idempotency-Key: {key}",
            ]
        return "\r\n".join([*lines, "", ""]).encode() + body


@dataclass(frozen=True)
class Served:
    """A server that runs, and whose processes are counted."""

    port: int
    process: subprocess.Popen[bytes]
    postmaster: int

    def seconds(self) -> tuple[float, float]:
        """Of a core so far: its own processes', PostgreSQL's."""
        return with_children(self.process.pid), with_children(self.postmaster)

    def asked(self, ask: Ask, *, seconds: float, connections: int) -> Round:
        answered, until = [0] * connections, time.monotonic() + seconds
        threads = [
            threading.Thread(target=self._line, args=(ask, answered, number, until))
            for number in range(connections)
        ]
        own, servers = self.seconds()
        begun = time.monotonic()
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        clock = time.monotonic() - begun
        own_after, servers_after = self.seconds()
        total, took = sum(answered), own_after - own
        if not total:
            raise SystemExit("Nothing was answered.")
        return Round(total / clock, total / took, total / (took + servers_after - servers))

    def _line(self, ask: Ask, answered: list[int], number: int, until: float) -> None:
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as line:
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while time.monotonic() < until:
                line.sendall(ask())
                _require_success(line)
                answered[number] += 1


def _require_success(line: socket.socket) -> None:
    """Read one answer with a Content-Length."""
    head = b""
    while b"\r\n\r\n" not in head:
        head += line.recv(65_536)
    head, _, body = head.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
    while len(body) < length:
        body += line.recv(65_536)
    if not head.startswith(b"HTTP/1.1 20"):
        raise SystemExit(f"{head!r} {body!r}")


def bare(url: str) -> Starlette:
    """A route as the API has them, in a thread, with one statement that PostgreSQL hardly works for."""
    database = Database(url)

    def answer(request: Request) -> JSONResponse:
        with database.engine.connect() as connection:
            return JSONResponse({"one": connection.scalar(text("select 1"))})

    return Starlette(routes=[Route("/bare", answer)])


def bare_of_this_process() -> Starlette:
    return bare(os.environ["DATABASE_URL"])


@contextmanager
def served(market: Market, folder: Path, server: int, *command: str) -> Iterator[Served]:
    port = free_port()
    chosen = market.desk.settings
    environment = {
        **os.environ,
        "DATABASE_URL": chosen.database_url,
        "ESCROW_DESK_HOME": str(chosen.home),
        "STRIPE_API_KEY": chosen.stripe_api_key,
        "STRIPE_API_BASE": chosen.stripe_api_base,
    }
    with (folder / f"server-{port}.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *command, "--port", str(port)],
            env=environment,
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
        )
        try:
            _await(port, process)
            yield Served(port, process, server)
        finally:
            process.terminate()
            process.wait(timeout=30)


def _await(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("A server did not start.")


@contextmanager
def prepared(folder: Path) -> Iterator[tuple[Market, Programs, int]]:
    with ExitStack() as stack:
        postgres = EmbeddedPostgres(reachable(folder))
        server = postgres.start()
        stack.callback(postgres.stop)
        urls = server.create_database("bench_api")
        upgrade(urls.owner_url)
        database = Database(urls.app_url)
        stack.callback(database.dispose)
        sandbox = stack.enter_context(StripeSandbox(folder / "stripe", seed="bench"))
        market = a_market(database, sandbox, folder)
        told = market.funded()
        master = api_keys.master_key(market.desk.settings)

        def keys(session: Session) -> list[Issued]:
            return [
                api_keys.create(
                    session, OPERATOR, now=market.now, platform="home_services", label="bench", master=master
                )
                for _ in range(KEYS)
            ]

        running = postmaster(server.place.data)
        assert running is not None
        yield market, Programs(database.run(keys), told.milestone), running


def measure(folder: Path, *, seconds: float, rounds: int, connections: int) -> dict[str, Round]:
    """Medians by what was asked of whom."""
    took: dict[str, list[Round]] = {}
    with prepared(folder) as (market, programs, server), ExitStack() as stack:
        bare_one = ("uvicorn", "bench.api:bare_of_this_process", "--factory", "--log-level", "error")
        ours = ("dashboard.server", "--api-only")
        alone = stack.enter_context(served(market, folder, server, *bare_one, "--no-access-log"))
        one = stack.enter_context(served(market, folder, server, *ours))
        two = stack.enter_context(served(market, folder, server, *ours, "--processes", "2"))
        turns = (
            ("bare", alone, programs.bare),
            ("read", one, programs.read),
            ("write", one, programs.write),
            ("read by two", two, programs.read),
            ("write by two", two, programs.write),
        )
        for _, each, ask in turns:  # what is compiled and planned at first
            each.asked(ask, seconds=2, connections=connections)
        for _ in range(rounds):
            for name, each, ask in turns:
                found = each.asked(ask, seconds=seconds, connections=connections)
                took.setdefault(name, []).append(found)
    return {
        name: Round(*(median(getattr(one, what) for one in each) for what in ("clock", "core", "both")))
        for name, each in took.items()
    }


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="escrow-desk-bench-") as folder:
        found = measure(
            Path(folder), seconds=given.seconds, rounds=given.rounds, connections=given.connections
        )
    if given.json:
        print(json.dumps({name: asdict(each) for name, each in found.items()}, indent=2))
        return 0
    print(
        f"{'answers a second of':16} {'the clock':>10} {'its core':>9} {'with PostgreSQL':>16} {'÷ bare':>7}"
    )
    for name, each in found.items():
        ratio = each.core / found["bare"].core
        print(f"{name:19} {each.clock:10.0f} {each.core:9.0f} {each.both:16.0f} {ratio:7.2f}")
    more = {name: found[f"{name} by two"].clock / found[name].clock for name in ("read", "write")}
    print(f"\nBy two processes: reads × {more['read']:.2f}, writes × {more['write']:.2f}; wanted × {MORE}.")
    return int(found["read"].core / found["bare"].core < RATIO or min(more.values()) < MORE)


if __name__ == "__main__":
    raise SystemExit(main())
