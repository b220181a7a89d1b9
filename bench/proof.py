"""What the proof costs: writers with rows under seal beside the same without, and how fast the record is verified.

    python -m bench.proof [--rounds 10] [--rows 1000000] [--json]

Writers are actions of the desk (approve and release), as they run in production, in turns with the proof on and off: a
trigger that logs each row under seal, and a worker that seals and signs each second. The record that is verified has
half of its rows as entries and half as changes of rows; it is verified in a process of its own, whose time, time on a
core (the server's with it) and memory are counted, at a tenth of the size as well. Beside it the server alone hashes
the same rows once.
"""

from __future__ import annotations

import argparse
import json
import logging
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import psycopg
import structlog
from sqlalchemy import text

from bench.actions import approve
from bench.core_seconds import of_process
from bench.ledger import reachable
from core import audit
from core.audit.canonical import KINDS
from core.audit.rows_under_seal import TABLES
from core.clock import system_clock
from core.db import Database
from core.embedded_postgres import EmbeddedPostgres, Server, Urls
from core.gateways.stripe_sandbox import StripeSandbox
from core.migrate import upgrade
from tests.builders import a_town
from tests.sandbox_desk import Market, a_market

WARM_UP, A_ROUND = 2, 40
COST, SECONDS, SMALLER = 0.15, 10.0, 10
A_SEAL, AT_ONCE = 2_000, 200
"""Rows of a seal, and of a transaction: a desk with some hundred writes a second."""
ENTRIES = """
insert into audit_entries (at, actor_kind, role, action, object_kind, object_id, reason, before, after, recorded_at)
select now(), 'system', '', 'system:project:complete', 'project', n::text, 'the work was accepted and paid for',
    jsonb_build_object('status', 'FUNDED', 'held_minor', n), jsonb_build_object('status', 'COMPLETED', 'held_minor', 0),
    now()
from generate_series(1, %s) n
"""
CHANGES = """
insert into row_changes (relation, row_key, op, columns, before, digest, marks, salt, login, recorded_at, xid)
select 'settlement_currencies', 'X' || %s + n, op, null, before, digest, digest, gen_random_uuid(), 'bench', now(),
    pg_current_xact_id()
from generate_series(1, %s) n, sha256(n::text::bytea) as hash
cross join lateral (values ('insert', null, hash), ('delete', hash, null)) as change (op, before, digest)
"""


@dataclass(frozen=True)
class Writers:
    """Seconds of an action, by the median, with the proof and without."""

    on: float
    off: float

    @property
    def cost(self) -> float:
        return self.on / self.off - 1


@dataclass(frozen=True)
class Verified:
    """`core`: seconds of a core in the verifier and in its server process; `bare`: seconds of a core of
    the server alone to hash the same rows once; `megabytes`: the most that the verifier took."""

    rows: int
    seconds: float
    core: float
    bare: float
    megabytes: int

    @property
    def for_a_million(self) -> float:
        return self.core / self.rows * 1_000_000

    @property
    def ratio(self) -> str:
        """Of a few thousand rows the server's time is too short for the machine to have counted it."""
        return f"ratio {self.core / self.bare:.1f}" if self.bare else "too few rows for a ratio"


@contextmanager
def sealing(urls: Urls, home: Path) -> Iterator[None]:
    """A process beside this one that seals and signs each second, as a worker does."""
    command = [sys.executable, "-m", "bench.proof", "--seal", urls.app_url, "--folder", str(home)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()  # it has sealed for the first time
        try:
            yield
        finally:
            process.terminate()


def seal(url: str, home: Path) -> None:
    """What that process does, until it is ended."""
    database, signer = Database(url, pool_size=1), audit.signer(home)
    while True:
        audit.seal(database, signer, home / "checkpoints", now=system_clock())
        print("sealed", flush=True)
        time.sleep(1)


def watched(urls: Urls, on: bool) -> None:
    """Whether rows under seal are logged."""
    verb = "enable" if on else "disable"
    with psycopg.connect(urls.owner_url.replace("+psycopg", "", 1), autocommit=True) as connection:
        connection.execute("set lock_timeout = '10s'")
        for table in TABLES:
            connection.execute(f"alter table {table} {verb} trigger row_changes".encode())


def writers(market: Market, urls: Urls, home: Path, *, rounds: int) -> Writers:
    """Rounds of some actions each, with the proof and without in turns."""
    took: dict[bool, list[float]] = {True: [], False: []}
    for number in range(rounds + WARM_UP):
        for on in (True, False) if number % 2 else (False, True):
            works = [approve(market) for _ in range(A_ROUND)]
            watched(urls, on)
            with sealing(urls, home) if on else nullcontext():
                for work in works:
                    begun = time.perf_counter()
                    work()
                    if number >= WARM_UP:
                        took[on].append(time.perf_counter() - begun)
            watched(urls, True)
    return Writers(median(took[True]), median(took[False]))


def fill(urls: Urls, home: Path, rows: int) -> None:
    """Entries and changes of rows, some hundred a transaction, sealed as they come."""
    database, signer = Database(urls.app_url), audit.signer(home)
    with psycopg.connect(urls.owner_url.replace("+psycopg", "", 1), autocommit=True) as connection:
        connection.execute("set session_replication_role = replica")
        for done in range(0, rows, AT_ONCE):
            with connection.transaction():
                connection.execute(ENTRIES, (AT_ONCE // 2,))
                connection.execute(CHANGES, (done, AT_ONCE // 4))
            if done % A_SEAL == 0:
                audit.seal(database, signer, home / "checkpoints", now=system_clock())
        audit.seal(database, signer, home / "checkpoints", now=system_clock())
        connection.execute("vacuum analyze")
    database.dispose()


def verified(server: Server, home: Path, rows: int) -> Verified:
    """A record of so many rows, verified in a process of its own."""
    urls = server.create_database(f"bench_proof_{rows}")
    upgrade(urls.owner_url)
    folder = home / f"of-{rows}"
    fill(urls, folder, rows)
    command = [sys.executable, "-m", "bench.proof", "--verify", urls.auditor_url, "--folder", str(folder)]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return Verified(bare=bare(urls), **found)


def bare(urls: Urls) -> float:
    """The hash of each row's canonical bytes, and nothing else."""
    with psycopg.connect(urls.owner_url.replace("+psycopg", "", 1)) as connection:
        connection.execute("set max_parallel_workers_per_gather = 0; set jit = off")
        before = of_process(connection.info.backend_pid)
        for kind in KINDS.values():
            connection.execute(f"select count({kind.leaf}) from {kind.table} r".encode())
        return of_process(connection.info.backend_pid) - before


def verify(url: str, folder: Path) -> None:
    """What the process of its own does."""
    database = Database(url, pool_size=1)
    with database.reading() as session:
        server = session.execute(text("select pg_backend_pid()")).scalar_one()
    before = of_process(server)
    begun, own = time.perf_counter(), time.process_time()
    report = audit.verify(database, folder / "checkpoints")
    seconds = time.perf_counter() - begun
    core = time.process_time() - own + of_process(server) - before
    other = [each.text for each in report.findings if each.kind in ("entry", "journal", "change", "seal")]
    if other or not report.rows:
        raise SystemExit(f"The record that was made here does not verify: {other[:3]}")
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (
        1024 if sys.platform == "linux" else 1024**2
    )
    print(json.dumps({"rows": report.rows, "seconds": seconds, "core": core, "megabytes": most}))


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=10, help="of forty actions, with the proof and without")
    parser.add_argument("--rows", type=int, default=1_000_000, help="of the record that is verified")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--verify", help=argparse.SUPPRESS)
    parser.add_argument("--seal", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.seal:
        seal(options.seal, options.folder)
    if options.verify:
        verify(options.verify, options.folder)
        return 0
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="escrow-desk-bench-")))
        home = reachable(folder)
        postgres = EmbeddedPostgres(home)
        server = postgres.start()
        stack.callback(postgres.stop)
        urls = server.create_database("bench_writers")
        upgrade(urls.owner_url)
        database = Database(urls.app_url)
        stack.callback(database.dispose)
        a_town(database)
        sandbox = stack.enter_context(StripeSandbox(folder / "stripe", seed="bench"))
        cost = writers(a_market(database, sandbox, folder), urls, home / "writers", rounds=options.rounds)
        records = [verified(server, home, rows) for rows in (options.rows // SMALLER, options.rows)]
    missed = cost.cost > COST or records[-1].for_a_million > SECONDS
    if options.json:
        told = {"writers": asdict(cost) | {"cost": cost.cost}, "verified": [asdict(one) for one in records]}
        print(json.dumps(told, indent=2))
        return int(missed)
    print(
        f"approve and release: {1000 * cost.on:.1f} ms with the proof, {1000 * cost.off:.1f} ms without;"
        f" it costs {cost.cost:.0%} (target ≤ {COST:.0%})"
    )
    for one in records:
        print(
            f"verified {one.rows:,} rows in {one.seconds:.1f} s, {one.core:.1f} s of a core,"
            f" {one.rows / one.seconds:,.0f} a second, {one.megabytes} MB;"
            f" hashing them alone {one.bare:.2f} s of a core, {one.ratio}"
        )
    print(f"a million rows: {records[-1].for_a_million:.1f} s of a core (target ≤ {SECONDS:.0f} s)")
    return int(missed)


if __name__ == "__main__":
    raise SystemExit(main())
