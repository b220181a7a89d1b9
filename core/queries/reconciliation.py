"""Reconciliation runs: the history, one run, its breaks, and the lines that match."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.errors import NotFound
from core.money import Money

NEWEST = 2**63 - 1
LONGEST = timedelta(minutes=15)
RUNS = """
select r.*, s.name as started_by_name from reconciliation_runs r left join staff s on s.id = r.started_by
where {where} order by r.id desc limit :limit
"""


@dataclass(frozen=True)
class Balance:
    """One currency: what Stripe says is there, what the ledger says, and the sum of the statement's lines."""

    currency: str
    at_provider: Money
    in_ledger: Money
    statement: Money
    comparable: bool

    @property
    def difference(self) -> Money | None:
        """None when something was booked after the statement ended, so that the two cannot be compared."""
        return self.at_provider - self.in_ledger if self.comparable else None


@dataclass(frozen=True)
class Run:
    """`lines` of the statement, `matched` of them agree with the ledger in every amount; `breaks` do not."""

    id: int
    status: str
    started_by: str
    until: datetime
    lines: int
    matched: int
    breaks: int
    balances: tuple[Balance, ...]
    error: str | None
    started_at: datetime
    finished_at: datetime | None

    @property
    def reference(self) -> str:
        return f"R-{self.id}"

    def state(self, now: datetime) -> str:
        """Its status; a run that nobody can still be at was interrupted."""
        stale = self.status == "RUNNING" and now - self.started_at > LONGEST
        return "FAILED" if stale else self.status


def runs(session: Session, *, before: int | None = None, limit: int = 51) -> list[Run]:
    """Newest first."""
    query = text(RUNS.format(where="r.id < :before"))
    found = session.execute(query, {"before": before or NEWEST, "limit": limit})
    return [_run(dict(row)) for row in found.mappings()]


def run(session: Session, run_id: int) -> Run:
    """Raises `NotFound`."""
    found = (
        session.execute(text(RUNS.format(where="r.id = :id")), {"id": run_id, "limit": 1})
        .mappings()
        .one_or_none()
    )
    if found is None:
        raise NotFound(kind="reconciliation run", id=run_id)
    return _run(dict(found))


def _run(row: Mapping[str, Any]) -> Run:
    names = ("id", "status", "until", "lines", "matched", "breaks", "error", "started_at", "finished_at")
    return Run(
        **{name: row[name] for name in names},
        started_by=row["started_by_name"] or row["started_from"] or "The system",
        balances=tuple(_balance(each) for each in row["totals"] or []),
    )


def _balance(each: Mapping[str, Any]) -> Balance:
    currency = each["currency"]
    amounts = {name: Money(each[name], currency) for name in ("at_provider", "in_ledger", "statement")}
    return Balance(currency=currency, comparable=bool(each["comparable"]), **amounts)


@dataclass(frozen=True)
class Break:
    """A line, or a balance, on which the two sides differ. None: that side does not have it."""

    id: int
    kind: str
    transaction_id: str | None
    journal_id: int | None
    at_provider: Money | None
    in_ledger: Money | None
    what: str

    @property
    def difference(self) -> Money:
        zero = Money.zero((self.at_provider or self.in_ledger or Money.zero("USD")).currency)
        return (self.at_provider or zero) - (self.in_ledger or zero)


BREAKS = text(
    """
    select b.id, b.kind, b.transaction_id, b.journal_id, b.currency, b.at_provider, b.in_ledger,
           concat_ws(' · ', nullif(coalesce(s.reporting_category, t.reporting_category), ''),
                     nullif(coalesce(s.source, t.source), '')) as what
    from reconciliation_breaks b
    left join statement_lines s on s.id = b.transaction_id
    left join balance_transactions t on t.id = b.transaction_id
    where b.run_id = :run and b.id < :before order by b.id desc limit :limit
    """
)


def breaks(session: Session, run_id: int, *, before: int | None = None, limit: int = 51) -> list[Break]:
    rows = session.execute(BREAKS, {"run": run_id, "before": before or NEWEST, "limit": limit})
    return [
        Break(
            id=row.id,
            kind=row.kind,
            transaction_id=row.transaction_id,
            journal_id=row.journal_id,
            at_provider=None if row.at_provider is None else Money(row.at_provider, row.currency),
            in_ledger=None if row.in_ledger is None else Money(row.in_ledger, row.currency),
            what=row.what,
        )
        for row in rows
    ]


@dataclass(frozen=True)
class Matched:
    """A line of the statement and the journal that books it. `id` is the journal's."""

    id: int
    transaction_id: str
    category: str
    source: str
    amount: Money
    fee: Money
    net: Money
    created_at: datetime
    booked_at: datetime
    milestone_id: int | None


# Every line has its own journal, so the journal's number pages them.
MATCHED = text(
    """
    select b.journal_id as id, b.id as transaction_id, b.reporting_category as category, b.source, b.amount, b.fee,
           b.net, b.currency, b.created_at, b.booked_at, b.milestone_id
    from balance_transactions b join statement_lines s on s.id = b.id
    where b.journal_id < :before and b.created_at <= :until and s.created_at <= :until
      and (s.amount, s.fee, s.net, s.currency) = (b.amount, b.fee, b.net, b.currency)
    order by b.journal_id desc limit :limit
    """
)


def matched(
    session: Session, until: datetime, *, before: int | None = None, limit: int | None = 51
) -> list[Matched]:
    """Lines that agree, booked last first; all of them when `limit` is None."""
    rows = session.execute(MATCHED, {"until": until, "before": before or NEWEST, "limit": limit})
    return [_matched(dict(row)) for row in rows.mappings()]


def _matched(row: dict[str, Any]) -> Matched:
    currency = row.pop("currency")
    return Matched(**row | {name: Money(row[name], currency) for name in ("amount", "fee", "net")})


def fetched_since(session: Session, moment: datetime) -> int:
    """How many lines of the statement were read since, for the progress of a run."""
    query = text("select count(*) from statement_lines where fetched_at >= :moment")
    return int(session.execute(query, {"moment": moment}).scalar_one())
