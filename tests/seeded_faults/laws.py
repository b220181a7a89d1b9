"""What must be true after every seed, when Stripe is well again and time has passed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import psycopg
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core import audit
from core.db import Database
from core.ledger.invariants import check
from core.processes import reconciliation
from core.queries import invariants
from core.records import OutgoingOperation, ReconciliationRun, WebhookEvent
from core.rules import statuses
from core.rules.operations import OperationStatus
from core.rules.webhooks import WebhookStatus
from tests import unrecorded
from tests.sandbox_desk import Market
from tests.seeded_faults.more_steps import NONSENSE, FaultyLife
from tests.seeded_faults.news import News
from tests.seeded_faults.witness import Witness

ON_ITS_WAY = (OperationStatus.QUEUED, OperationStatus.SENDING)


@dataclass(frozen=True)
class Broken:
    """A law that does not hold, by name, and what was found."""

    law: str
    found: str


def broken(life: FaultyLife, owner: Database, auditor: Database, home: Path) -> list[Broken]:
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


def _asked(life: FaultyLife, owner: Database, auditor: Database, home: Path) -> Iterator[tuple[str, Ask]]:
    yield "everything comes to its end", lambda market: _time_passes(market, life.news)
    if life.witness is not None:
        yield "what was answered is done, and what was refused is not", partial(_as_answered, life.witness)
        yield "no transaction waits for Stripe", partial(_not_in_a_transaction, life.witness)
    yield "the books", lambda market: [str(each) for each in market.read(check)]
    yield (
        "the desk's laws",
        lambda market: [f"{each.name}: {each.rows}" for each in market.read(invariants.run) if each.rows],
    )
    yield "one object at Stripe for each operation", _once_at_stripe
    yield "what Stripe has done is known here", _known_here
    yield "nothing is left on its way", _left
    yield "no money leaves against a hold", _held_back
    yield "the platform's fee is the agreed one", _fees
    yield "Stripe's statement is the books'", _reconciled
    yield "every change of a state has its entry", lambda _: _unrecorded(owner)
    yield "every change of a state is a step", lambda _: _steps(owner)
    yield "the record is sealed and verifies", lambda market: _sealed(market, auditor, home)


def _unrecorded(owner: Database) -> list[str]:
    with owner.engine.connect() as connection:
        return unrecorded.changes(cast(psycopg.Connection, connection.connection.driver_connection))


def _time_passes(market: Market, news: News | None) -> list[str]:
    market.control.clear_faults()
    for hours in (1, 6, 12, 24, 24, 48):
        if news is not None:
            news.gather()
            market.wait(hours=hours)
            news.deliver()
            market.later()
        else:
            market.later(hours=hours)
    return []


def _accounts(market: Market) -> list[str]:
    """The platform's, and its payees'."""
    return ["", *(each["id"] for each in market.at_stripe("/v1/accounts"))]


def _done_at_stripe(market: Market) -> Iterator[tuple[str, str, str]]:
    """Path, operation key and id of what was done there and has not failed since."""
    for path in ("/v1/refunds", "/v1/transfers", "/v1/payment_intents", "/v1/payouts"):
        for account in _accounts(market) if path == "/v1/payouts" else [""]:
            for each in market.at_stripe(path, account):
                op = each["metadata"].get("op")
                if op and each.get("status", "succeeded") in ("succeeded", "paid"):
                    yield path, op, each["id"]


def _once_at_stripe(market: Market) -> list[str]:
    times = Counter((path, op) for path, op, _ in _done_at_stripe(market))
    return [f"{path} has {number} of {op}" for (path, op), number in times.items() if number > 1]


def _known_here(market: Market) -> list[str]:
    """Nobody waits for, asks again for, or has given up what was done."""
    done = {op: number for _, op, number in _done_at_stripe(market)}
    of = select(OutgoingOperation).where(OutgoingOperation.status != OperationStatus.SUCCEEDED)
    operations = market.read(lambda session: list(session.scalars(of)))
    return [
        f"{each.key} is {each.status} ({each.last_error}), and done as {done[each.key]}"
        for each in operations
        if each.key in done
    ]


HELD_BACK = """
select o.key, h.id as hold, sent.at from audit_entries sent
join outgoing_operations o on sent.object_kind = 'operation' and sent.object_id = o.id::text
join holds h on h.milestone_id = o.milestone_id
where o.kind = 'TRANSFER' and sent.after ->> 'status' = 'SENDING'
  and exists (select from audit_entries p where p.object_kind = 'hold' and p.object_id = h.id::text and p.id < sent.id)
  and not exists (
    select from audit_entries l where l.object_kind = 'hold' and l.object_id = h.id::text and l.id < sent.id
      and l.action ~ 'lift$')
"""


def _held_back(market: Market) -> list[str]:
    rows = market.read(lambda session: session.execute(text(HELD_BACK)).all())
    return [f"{row.key} was sent at {row.at}, against hold {row.hold}" for row in rows]


FEES = """
select o.milestone_id, o.amount_minor, o.platform_fee_minor, (v.snapshot ->> 'platform_fee_bps')::int as bps
from payment_orders o join milestones m on m.id = o.milestone_id join projects p on p.id = m.project_id
join policy_versions v on v.id = p.policy_version_id
"""


def _fees(market: Market) -> list[str]:
    """Worked out once more: half-up to the minor unit, which is the step of every currency here."""
    rows = market.read(lambda session: session.execute(text(FEES)).all())
    return [
        f"milestone {row.milestone_id} of {row.amount_minor} has a fee of {row.platform_fee_minor}"
        for row in rows
        if row.platform_fee_minor != (row.amount_minor * row.bps + 5_000) // 10_000
    ]


STEPS_SEEN = "select distinct noun, was, became from watch.seen where was is not null"


def _steps(owner: Database) -> list[str]:
    """By the table itself, whatever the code that asks it says."""
    relation = {place.noun: table for table, place in statuses.PLACES.items()}
    with owner.reading() as session:
        seen = session.execute(text(STEPS_SEEN)).all()
    return [
        f"{noun}: {was} to {became}"
        for noun, was, became in seen
        if (was, became) not in statuses.kept(relation[noun])
    ]


def _as_answered(witness: Witness, market: Market) -> list[str]:
    """What was answered was done once, and what was refused not at all, however often it was tried."""

    def ask(session: Session) -> list[str]:
        found = []
        for what, times in (("answered", 1), ("refused", 0)):
            for line in witness.noted(what):
                action, *tries = line.split()
                fates = [
                    session.scalar(text("select pg_xact_status(cast(:number as xid8))"), {"number": each})
                    for each in tries
                ]
                if fates.count("committed") != times:
                    found.append(f"{action} was {what}, and its transactions are {fates}")
        return found

    return market.read(ask)


def _not_in_a_transaction(witness: Witness, _: Market) -> list[str]:
    return [f"{call} was sent inside a transaction" for call in witness.noted("in a transaction")]


def _left(market: Market) -> list[str]:
    def ask(session: Any) -> list[str]:
        operations = session.scalars(
            select(OutgoingOperation).where(
                OutgoingOperation.status.in_(ON_ITS_WAY), OutgoingOperation.provider_id.is_(None)
            )
        )
        events = session.scalars(
            select(WebhookEvent).where(
                WebhookEvent.status.in_((WebhookStatus.RECEIVED, WebhookStatus.FAILED)),
                ~WebhookEvent.id.startswith(NONSENSE),
            )
        )
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
