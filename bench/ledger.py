"""How fast the ledger is written, as ratios to pgbench's own TPC-B-like transaction on the same server in the same run.

    python -m bench.ledger [--seconds 6] [--rounds 5] [--scale 20] [--json]

A journal is a real release (bench/release.sql): two accounts of a milestone, the payee's, and the hot fee account, in
one call of `post_journal` as role `app`, with every guarantee on. Beside it the record is sealed, signed and rolled up
each second, as the worker does. Both sides use pgbench's prepared protocol, role `app`, the server's own settings
(fsync on). They take turns, so noise of the machine meets both; the median of the rounds is compared.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import re
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median

import psycopg
from sqlalchemy.engine import make_url

from core import audit
from core.clock import system_clock
from core.db import Database
from core.embedded_postgres import EmbeddedPostgres, Server, Urls
from core.ledger import invariants
from core.migrate import upgrade

RELEASE = Path(__file__).with_name("release.sql")
MILESTONES, PAYEES = 20_000, 2_000
FUND = """
select count(post_journal('milestone/' || m || '/charge', 'charge_settled',
    array[132936, m * 262144 + 1864, m * 262144 + 3912], array[10250000000, -10000000000, -250000000]::bigint[],
    m, 1, 'Payment received and held', '{}', now()))
from generate_series(1, %s::bigint) as m
"""
TPCB, JOURNALS, UNSEALED = "TPC-B-like", "journals, sealed each second", "journals, never sealed"


@dataclass(frozen=True)
class Ratio:
    name: str
    clients: int
    ratio: float
    target: float
    lowest: float
    highest: float


@dataclass(frozen=True)
class Bench:
    """A server with both databases ready."""

    server: Server
    desk: Urls
    tpcb: Urls
    home: Path
    seconds: int
    runs: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def rate(self, side: str, clients: int) -> float:
        """Transactions per second of one run."""
        with self.sealing() if side == JOURNALS else nullcontext():
            if side == TPCB:
                return self.pgbench(self.tpcb, clients)
            values = {"milestones": MILESTONES, "payees": PAYEES, "run": next(self.runs), "n": 0}
            script = ["--file", str(RELEASE), *(f"--define={name}={value}" for name, value in values.items())]
            return self.pgbench(self.desk, clients, *script)

    def pgbench(self, urls: Urls, clients: int, *arguments: str) -> float:
        threads = str(min(clients, os.cpu_count() or 1))
        load = ["--no-vacuum", "--protocol=prepared", "--client", str(clients), "--jobs", threads]
        result = run_pgbench(self.server, urls.app_url, *load, "--time", str(self.seconds), *arguments)
        found = re.search(r"tps = ([0-9.]+)", result)
        if found is None or "aborted" in result:
            raise RuntimeError(result)
        return float(found[1])

    @contextmanager
    def sealing(self) -> Iterator[None]:
        """The worker's sealing beside the load: close, hash, sign, roll up, each second."""
        stop, database, signer = threading.Event(), Database(self.desk.app_url), audit.signer(self.home)

        def work() -> None:
            while not stop.wait(1):
                audit.seal(database, signer, self.home / "checkpoints", now=system_clock())

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
            audit.seal(database, signer, self.home / "checkpoints", now=system_clock())
            database.dispose()


def run_pgbench(server: Server, url: str, *arguments: str) -> str:
    place = make_url(url)
    address = {
        "PGHOST": str(place.query["host"]),
        "PGPORT": str(place.query["port"]),
        "PGUSER": place.username or "",
    }
    login = {"PGPASSWORD": place.password or "", "PGDATABASE": place.database or ""}
    command = [str(server.bin / "pgbench"), *arguments]
    result = subprocess.run(
        command, env=os.environ | address | login, capture_output=True, text=True, check=True
    )
    return result.stdout + result.stderr


def psql(url: str, statement: str, *values: object) -> None:
    with psycopg.connect(url.replace("+psycopg", "", 1), autocommit=True) as connection:
        connection.execute(statement, values or None)


def reachable(folder: Path) -> Path:
    """Started by root the server runs as another account, which has to pass through the folder."""
    folder.chmod(0o711)
    return folder / "home"


@contextmanager
def prepared(home: Path, *, scale: int, seconds: int) -> Iterator[Bench]:
    postgres = EmbeddedPostgres(home)
    with ExitStack() as stack:
        server = postgres.start()
        stack.callback(postgres.stop)
        desk, tpcb = server.create_database("bench_desk"), server.create_database("bench_tpcb")
        upgrade(desk.owner_url)
        psql(desk.app_url, FUND, MILESTONES)
        run_pgbench(server, tpcb.owner_url, "--initialize", "--quiet", "--scale", str(scale))
        psql(tpcb.owner_url, "grant all on all tables in schema public to app")
        for urls in (desk, tpcb):
            psql(urls.owner_url, "vacuum analyze")
        yield Bench(server, desk, tpcb, home, seconds)


def measure(bench: Bench, *, rounds: int) -> tuple[dict[str, float], list[Ratio]]:
    """Transactions per second by side and clients, and the ratios of the targets."""
    rates: dict[tuple[str, int], list[float]] = {}
    for number in range(rounds + 1):
        for clients in (8, 1):
            for side in (TPCB, JOURNALS, UNSEALED):
                rate = bench.rate(side, clients)
                if number:  # the first round warms up
                    rates.setdefault((side, clients), []).append(rate)
    wanted = [
        ("journals ÷ TPC-B-like", JOURNALS, TPCB, 8, 1.5),
        ("journals ÷ TPC-B-like", JOURNALS, TPCB, 1, 2.0),
        ("proof on ÷ off", JOURNALS, UNSEALED, 8, 0.9),
        ("proof on ÷ off", JOURNALS, UNSEALED, 1, 0.9),
    ]
    ratios = [
        ratio(name, clients, rates[above, clients], rates[below, clients], target)
        for name, above, below, clients, target in wanted
    ]
    return {f"{side}, {clients} clients": median(runs) for (side, clients), runs in rates.items()}, ratios


def ratio(name: str, clients: int, above: list[float], below: list[float], target: float) -> Ratio:
    by_round = [over / under for over, under in zip(above, below, strict=True)]
    return Ratio(name, clients, median(above) / median(below), target, min(by_round), max(by_round))


def books_agree(bench: Bench) -> int:
    """How many journals there are, after every invariant of the books held for them."""
    database = Database(bench.desk.auditor_url)
    with database.reading() as session:
        if violations := invariants.check(
            session, "journals_balance", "balances_agree", "books_balance", "register_agrees"
        ):
            raise AssertionError(violations[0])
        count = session.connection().exec_driver_sql("select count(*) from journals").scalar_one()
    database.dispose()
    return int(count)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=int, default=6, help="of each run")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--scale", type=int, default=20, help="of TPC-B: branches; no fewer than clients")
    parser.add_argument(
        "--folder", help="where the server keeps its data meanwhile; a disk of the kind in use"
    )
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="escrow-desk-bench-", dir=options.folder) as folder,
        prepared(reachable(Path(folder)), scale=options.scale, seconds=options.seconds) as bench,
    ):
        rates, ratios = measure(bench, rounds=options.rounds)
        journals = books_agree(bench)
    if options.json:
        print(
            json.dumps(
                {"rates": rates, "ratios": [asdict(one) for one in ratios], "journals": journals}, indent=2
            )
        )
        return
    for name, rate in rates.items():
        print(f"{name:42} {rate:10,.0f} per second")
    print(f"\n{'':32} {'ratio':>6} {'target':>7}   rounds")
    for one in ratios:
        spread = f"{one.lowest:.2f} to {one.highest:.2f}"
        print(f"{one.name:22} {one.clients} clients {one.ratio:6.2f} {one.target:7.1f}   {spread}")
    print(f"\nTPC-B scale {options.scale}; {journals:,} journals, and every balance agrees with them.")


if __name__ == "__main__":
    main()
