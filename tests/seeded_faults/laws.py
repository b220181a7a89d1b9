"""What must be true after every seed, when Stripe is well again and time has passed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import psycopg
from sqlalchemy import select

from core import audit
from core.db import Database
from core.ledger.invariants import check
from core.processes import reconciliation
from core.queries import invariants
from core.records import OutgoingOperation, ReconciliationRun, WebhookEvent
from core.rules.operations import OperationStatus
from core.rules.webhooks import WebhookStatus
from tests import unrecorded
from tests.invariants.life import Life
from tests.sandbox_desk import Market

ON_ITS_WAY = (OperationStatus.QUEUED, OperationStatus.SENDING)


@dataclass(frozen=True)
class Broken:
    """A law that does not hold, by name, and what was found."""

    law: str
    found: str


def broken(life: Life, owner: Database, auditor: Database, home: Path) -> list[Broken]:
    """Everything that is not as it must be; empty is well."""
    market = life.market
    found: list[Broken] = []
    for law, ask in _asked(life, owner, auditor, home):
        try:
            found += [Broken(law, each) for each in ask(market)]
        except Exception as problem:
            found.append(Broken(law, f"{type(problem).__name__}: {problem}"))
    return found


Ask = Callable[[Market], list[str]]


def _asked(life: Life, owner: Database, auditor: Database, home: Path) -> Iterator[tuple[str, Ask]]:
    yield "everything comes to its end", _time_passes
    yield "the books", lambda market: [str(each) for each in market.read(check)]
    yield (
        "the desk's laws",
        lambda market: [f"{each.name}: {each.rows}" for each in market.read(invariants.run) if each.rows],
    )
    yield "one object at Stripe for each operation", _once_at_stripe
    yield "nothing is left on its way", _left
    yield "Stripe's statement is the books'", _reconciled
    yield "every change of a state has its entry", lambda _: _unrecorded(owner)
    yield "the record is sealed and verifies", lambda market: _sealed(market, auditor, home)


def _unrecorded(owner: Database) -> list[str]:
    with owner.engine.connect() as connection:
        return unrecorded.changes(cast(psycopg.Connection, connection.connection.driver_connection))


def _time_passes(market: Market) -> list[str]:
    market.control.clear_faults()
    for _ in range(4):
        market.later(hours=6)
    for _ in range(4):
        market.later(days=1)
    return []


def _once_at_stripe(market: Market) -> list[str]:
    found = []
    for path in ("/v1/refunds", "/v1/transfers", "/v1/payment_intents"):
        done = [
            each["metadata"]["op"]
            for each in market.at_stripe(path)
            if each["metadata"].get("op") and each.get("status", "succeeded") == "succeeded"
        ]
        found += [f"{path} has {number} of {op}" for op, number in Counter(done).items() if number > 1]
    return found


def _left(market: Market) -> list[str]:
    def ask(session: Any) -> list[str]:
        operations = session.scalars(
            select(OutgoingOperation).where(
                OutgoingOperation.status.in_(ON_ITS_WAY), OutgoingOperation.provider_id.is_(None)
            )
        )
        events = session.scalars(select(WebhookEvent).where(WebhookEvent.status == WebhookStatus.RECEIVED))
        return [
            *(f"{each.key} is {each.status}: {each.last_error}" for each in operations),
            *(f"{each.id} is {each.status}: {each.error}" for each in events),
        ]

    return market.read(ask)


def _reconciled(market: Market) -> list[str]:
    number = reconciliation.run(market.desk, market.as_staff("fay"))
    run = market.get(ReconciliationRun, number)
    return [] if (run.status, run.breaks) == ("CLEAN", 0) else [f"{run.status}, {run.breaks} breaks"]


def _sealed(market: Market, auditor: Database, home: Path) -> list[str]:
    signer = audit.desk_signer(market.database, home, now=market.now)
    folder = home / "checkpoints"
    audit.seal(market.database, signer, folder, now=market.now)
    report = audit.verify(auditor, folder)
    return [] if report.ok else [report.text]
