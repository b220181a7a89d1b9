"""What each page asks of the database as the desk grows, and how much it draws.

    python -m bench.desk_pages --home .escrow-desk [--times 100] [--rounds 3] [--only cases holds]

The desk of a demo that is stopped is copied twice within its server, and one copy multiplied. Every page is visited in
both by whoever works on it, without a browser; the milliseconds are those that its SQL took, the elements what it drew.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median

import psycopg
from sqlalchemy import event, text

from bench.multiplied_desk import multiply
from core.db import Database
from core.embedded_postgres import EmbeddedPostgres, Server
from core.rules.permissions import Role
from scripts.screenshots import NAMED, ROLE_OF, WORTH
from tests.builders import Town
from tests.pages.visiting import serve, visit

PAGE_MS, GROWTH, ELEMENTS = 50.0, 1.3, 150


@dataclass(frozen=True)
class Visit:
    """One page: how many statements it sent, the milliseconds that they took, the slowest of them, what it drew."""

    statements: int
    ms: float
    slowest: tuple[float, str]
    elements: int


@contextmanager
def timed(database: Database) -> Iterator[list[tuple[float, str]]]:
    """Milliseconds and text of every statement meanwhile, its rows read."""
    seen: list[tuple[float, str]] = []
    began: list[float] = []

    def before(*_: object) -> None:
        began.append(time.perf_counter())

    def after(_: object, __: object, statement: str, *___: object) -> None:
        seen.append(((time.perf_counter() - began.pop()) * 1000, " ".join(statement.split())))

    event.listen(database.engine, "before_cursor_execute", before)
    event.listen(database.engine, "after_cursor_execute", after)
    try:
        yield seen
    finally:
        event.remove(database.engine, "before_cursor_execute", before)
        event.remove(database.engine, "after_cursor_execute", after)


def town_of(database: Database) -> Town:
    """The demo's staff, each by the first of their roles, at the time of its last entry."""
    with database.reading() as session:
        now: datetime = session.execute(text("select max(at) from audit_entries")).scalar_one()
        found = session.execute(
            text(
                "select r.role, min(s.id) from staff s join staff_roles r on r.staff_id = s.id"
                " where s.active group by 1"
            )
        )
        return Town(database, now, dict(tuple(each) for each in found))


def address(database: Database, page: str) -> dict[str, str]:
    if page in NAMED:
        return dict(each.split("=") for each in NAMED[page].removeprefix("?").split("&"))
    if page not in WORTH:
        return {}
    with database.reading() as session:
        row = session.execute(text(WORTH[page])).first()
    return {"id": str(row.id)} if row else {}


def measure(town: Town, page: str, role: Role, rounds: int) -> Visit:
    given = address(town.database, page)
    found = []
    for _ in range(rounds + 1):
        with timed(town.database) as seen:
            app = visit(town, role.value, page, **given)
        found.append((sum(ms for ms, _ in seen), seen, app))
    middle = median(each[0] for each in found[1:])
    _, seen, app = next(each for each in found[1:] if each[0] == middle or rounds % 2 == 0)
    elements = sum(1 for _ in app)
    return Visit(len(seen), middle, max(seen), elements)


def copies(server: Server, times: int, *, anew: bool) -> tuple[str, str]:
    names = ("bench_once", f"bench_times_{times}")
    for name, many in zip(names, (0, times), strict=True):
        if anew:
            server.drop_database(name)
        if (name,) not in _databases(server):
            urls = server.create_database(name, template="escrow_desk")
            if many:
                with psycopg.connect(
                    urls.owner_url.replace("+psycopg", "", 1), autocommit=True
                ) as connection:
                    began = time.perf_counter()
                    multiply(connection, many)
                    print(f"multiplied by {many} in {time.perf_counter() - began:,.0f} s", flush=True)
    return names


def _databases(server: Server) -> list[tuple[str]]:
    url = server.urls("postgres").owner_url.replace("+psycopg", "", 1)
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute("select datname from pg_database").fetchall()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--times", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--anew", action="store_true", help="copy the demo again")
    parser.add_argument("--only", nargs="*")
    given = parser.parse_args()
    postgres = EmbeddedPostgres(given.home)
    server = postgres.start()
    fine = True
    names = copies(server, given.times, anew=given.anew)
    towns = [town_of(Database(server.urls(name).app_url)) for name in names]
    for page, role in ROLE_OF.items():
        if given.only and page not in given.only:
            continue
        once = many = None
        try:
            for town in towns:
                serve(town, given.home)
                once, many = many, measure(town, page, role, given.rounds)
        except RuntimeError as late:
            print(f"✗ {page:<22} {late}", flush=True)
            fine = False
            continue
        assert once is not None
        assert many is not None
        good = many.ms <= PAGE_MS and many.elements <= ELEMENTS and many.statements <= once.statements + 2
        fine &= good
        print(
            f"{'✓' if good else '✗'} {page:<22} {once.statements:>3} → {many.statements:>3} statements"
            f" {once.ms:>7.1f} → {many.ms:>7.1f} ms  {once.elements:>4} → {many.elements:>4} elements"
            + ("" if many.ms <= PAGE_MS else f"\n    {many.slowest[0]:.0f} ms {many.slowest[1][:300]}"),
            flush=True,
        )
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
