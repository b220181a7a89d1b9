"""What an action costs, beside as many bare round trips: approve and release, decide, a webhook that settles.

    python -m bench.actions [--rounds 30] [--json]

Each action runs in a transaction of its own with jobs on, as the dashboard and the worker run it; a webhook without the
call to Stripe. Beside it as many `select 1` go over the same kind of connection, one by one, in one transaction
of psycopg's. They take turns; medians are compared. The server is a fresh one with its own settings (fsync on).
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any, cast

import psycopg
from sqlalchemy import event, select

from bench.ledger import reachable
from core.actions.decisions import confirmation
from core.actions.milestones import verification
from core.db import Database
from core.embedded_postgres import EmbeddedPostgres
from core.gateways.stripe_sandbox import StripeSandbox
from core.migrate import upgrade
from core.money import Money
from core.processes import webhook_processing
from core.records import Party, Payout, WebhookEvent
from core.rules.cautions import Caution
from tests.builders import a_draft, a_town, in_mediation
from tests.sandbox_desk import Market, a_market

WARM_UP = 5
TARGETS = {"approve and release": 12, "preview and confirm a decision": 30, "a webhook that settles": 12}
RATIO = 0.5  # of approve and release


@dataclass(frozen=True)
class Cost:
    name: str
    statements: int
    action_ms: float
    bare_ms: float

    @property
    def ratio(self) -> float:
        return self.bare_ms / self.action_ms


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        seen.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(database.engine, "before_cursor_execute", note)


def approve(market: Market) -> Callable[[], object]:
    told = market.submitted()
    return lambda: market.act(verification.approve, market.payer, milestone_id=told.milestone)


def decide(market: Market) -> Callable[[], object]:
    told = in_mediation(market, market.funded())
    draft, actor = a_draft(told, release=Money(60_000, "USD")), market.as_staff("mia")

    def work() -> None:
        plan, _ = market.act(confirmation.preview, actor, draft=draft)
        given = {
            "draft": draft,
            "plan_hash": plan.hash,
            "intent": f"bench-{told.case}",
            "known": tuple(Caution),
        }
        market.act(confirmation.confirm, actor, **given)

    return work


def hear(market: Market) -> Callable[[], object]:
    """The payout of a release was paid, says Stripe, and the object that it fetched says so too."""
    told = market.submitted()
    market.act(verification.approve, market.payer, milestone_id=told.milestone)
    market.work()
    market.wait(days=4)
    market.control.set_clock(market.now)
    wanted = select(Payout).where(Payout.milestone_id == told.milestone)
    payout = market.read(lambda session: session.scalars(wanted).one())
    account = str(market.get(Party, market.payee_id).stripe_account)
    event = WebhookEvent(
        id=f"evt_{payout.id}",
        kind="payout.paid",
        object_id=payout.stripe_payout,
        payload={"account": account, "data": {"object": {"id": payout.stripe_payout}}},
        next_try_at=market.now,
        created_at=market.now,
        received_at=market.now,
    )
    market.database.run(lambda session: session.add(event))
    snapshot = market.desk.payments.payout_by_id(str(payout.stripe_payout), account=account)
    desk = replace(market.desk, payments=cast(Any, Fetched(snapshot)))
    return lambda: webhook_processing.apply(desk, f"evt_{payout.id}")


@dataclass(frozen=True)
class Fetched:
    """In the place of Stripe, which is not what is measured here."""

    snapshot: Any

    def payout_by_id(self, _: str, *, account: str) -> Any:
        return self.snapshot


ACTIONS = dict(zip(TARGETS, (approve, decide, hear), strict=True))


def measure(market: Market, bare: psycopg.Connection, *, rounds: int) -> list[Cost]:
    took: dict[str, list[tuple[int, float, float]]] = {name: [] for name in ACTIONS}
    for number in range(rounds + WARM_UP):
        for name, prepare in ACTIONS.items():
            work = prepare(market)
            market.database.info = {}  # jobs are queued, as they are in production
            with counted(market.database) as seen:
                begun = time.perf_counter()
                work()
                action = time.perf_counter() - begun
            market.database.info = {"jobs": False}
            if number >= WARM_UP:
                took[name].append((len(seen), action, round_trips(bare, len(seen))))
    return [
        Cost(name, max(runs)[0], *(1000 * median(one[side] for one in runs) for side in (1, 2)))
        for name, runs in took.items()
    ]


def round_trips(bare: psycopg.Connection, count: int) -> float:
    begun = time.perf_counter()
    with bare.transaction():
        for _ in range(count):
            bare.execute("select 1").fetchone()
    return time.perf_counter() - begun


@contextmanager
def prepared(folder: Path) -> Iterator[tuple[Market, psycopg.Connection]]:
    with ExitStack() as stack:
        postgres = EmbeddedPostgres(reachable(folder))
        server = postgres.start()
        stack.callback(postgres.stop)
        urls = server.create_database("bench_actions")
        upgrade(urls.owner_url)
        database = Database(urls.app_url)
        stack.callback(database.dispose)
        a_town(database)
        sandbox = stack.enter_context(StripeSandbox(folder / "stripe", seed="bench"))
        bare = stack.enter_context(psycopg.connect(urls.app_url.replace("+psycopg", "", 1), autocommit=True))
        yield a_market(database, sandbox, folder), bare


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="escrow-desk-bench-") as folder,
        prepared(Path(folder)) as (market, bare),
    ):
        costs = measure(market, bare, rounds=options.rounds)
    if options.json:
        print(json.dumps([{**asdict(one), "ratio": one.ratio} for one in costs], indent=2))
        return 0
    print(f"{'':32} {'statements':>10} {'target':>7} {'ms':>7} {'bare ms':>8} {'ratio':>6} {'a second':>9}")
    for one in costs:
        print(
            f"{one.name:32} {one.statements:10} {TARGETS[one.name]:7} {one.action_ms:7.1f} {one.bare_ms:8.1f}"
            f" {one.ratio:6.2f} {1000 / one.action_ms:9.0f}"
        )
    print(f"\nRatio: as many bare round trips ÷ the action; wanted of approve and release: {RATIO}.")
    missed = any(one.statements > TARGETS[one.name] for one in costs) or costs[0].ratio < RATIO
    return int(missed)


if __name__ == "__main__":
    raise SystemExit(main())
