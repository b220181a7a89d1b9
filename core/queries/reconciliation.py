"""Reconciliation runs: the history, one run, its breaks, and the lines that match."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.db import NEWEST
from core.errors import NotFound
from core.money import Money
from core.policy.limits import RECONCILED_WITHIN
from core.rules.reconciliation import RunStatus, RunView
from core.rules.references import reference

# The mark of a run that somebody is at: whoever is holds an advisory lock with the run's number
# (`Database.presence_lock`), until the process ends, or dies.
MARK = 0x7EC0
BROKEN_OFF = "The process was stopped before the run was over. Nothing is lost: the next run reads it all."
RUNS = """
select r.*, s.name as started_by_name, exists (
    select from pg_locks l
    where l.locktype = 'advisory' and l.database = (select oid from pg_database where datname = current_database())
      and l.classid = :mark and l.objid = r.id and l.objsubid = 2 and l.granted
) as somebody_at_it
from reconciliation_runs r left join staff s on s.id = r.started_by
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
class RunSummary:
    """`lines` of the statement: `matched` are booked as what they are, `in_suspense` are booked and nobody has said
    what they are, `unmatched` are on one side only or differ. `breaks` are the unmatched, and balances that differ by
    more than those explain. None: not counted by the version that ran then."""

    id: int
    status: str
    started_by: str
    until: datetime
    lines: int
    matched: int
    in_suspense: int | None
    unmatched: int | None
    breaks: int
    balances: tuple[Balance, ...]
    error: str | None
    started_at: datetime
    finished_at: datetime | None
    somebody_at_it: bool

    @property
    def reference(self) -> str:
        return reference("run", self.id)

    @property
    def state(self) -> str:
        """What came of it. A run that nobody is at any more was broken off; one without a line compared nothing; one
        from before money in suspense was counted cannot be called reconciled."""
        if self.status == RunStatus.RUNNING and not self.somebody_at_it:
            return RunView.BROKEN_OFF
        if self.status == RunStatus.CLEAN and not self.lines:
            return RunView.EMPTY
        if self.status == RunStatus.CLEAN and self.in_suspense is None:
            return RunView.NOT_COUNTED
        return self.status

    @property
    def compared(self) -> bool:
        """Whether the run completed, so that its counts mean something."""
        return self.status in (RunStatus.CLEAN, RunStatus.SUSPENSE, RunStatus.BREAKS)

    @property
    def trouble(self) -> str | None:
        return BROKEN_OFF if self.state == RunView.BROKEN_OFF else self.error

    def old(self, now: datetime) -> bool:
        """Whether its result is too old to say anything about today."""
        return now - self.until > RECONCILED_WITHIN


@dataclass(frozen=True)
class ReconciliationStatus:
    """Where reconciliation stands: the newest run, and the newest that came to an end."""

    newest: RunSummary | None
    compared: RunSummary | None

    def verdict(self, now: datetime) -> str:
        """One word for page, command and metrics. Only CLEAN is good; EMPTY means that there was nothing to compare."""
        if self.newest is None:
            return RunView.NEVER
        if self.newest.state in (RunStatus.FAILED, RunView.BROKEN_OFF):
            return self.newest.state
        if self.compared is None:
            return self.newest.state
        return RunView.OLD if self.compared.old(now) else self.compared.state


def status(session: Session) -> ReconciliationStatus:
    """The newest run, and the newest that has compared everything."""
    newest = next(iter(runs(session, limit=1)), None)
    if newest is None or newest.compared:
        return ReconciliationStatus(newest, newest)
    query = text(RUNS.format(where="r.status in ('CLEAN', 'SUSPENSE', 'BREAKS')"))
    found = session.execute(query, {"mark": MARK, "limit": 1}).mappings().one_or_none()
    return ReconciliationStatus(newest, _run(dict(found)) if found else None)


def runs(session: Session, *, before: int | None = None, limit: int = 51) -> list[RunSummary]:
    """Newest first."""
    query = text(RUNS.format(where="r.id < :before"))
    found = session.execute(query, {"before": before or NEWEST, "mark": MARK, "limit": limit})
    return [_run(dict(row)) for row in found.mappings()]


def run(session: Session, run_id: int) -> RunSummary:
    """Raises `NotFound`."""
    found = (
        session.execute(text(RUNS.format(where="r.id = :id")), {"id": run_id, "mark": MARK, "limit": 1})
        .mappings()
        .one_or_none()
    )
    if found is None:
        raise NotFound(kind="reconciliation run", id=run_id)
    return _run(dict(found))


def _run(row: Mapping[str, Any]) -> RunSummary:
    names = (
        "id status until lines matched in_suspense unmatched breaks error started_at finished_at somebody_at_it"
    ).split()
    return RunSummary(
        **{name: row[name] for name in names},
        started_by=row["started_by_name"] or row["started_from"] or "The system",
        balances=tuple(_balance(each) for each in row["totals"] or []),
    )


def _balance(each: Mapping[str, Any]) -> Balance:
    currency = each["currency"]
    amounts = {name: Money(each[name], currency) for name in ("at_provider", "in_ledger", "statement")}
    return Balance(currency=currency, comparable=bool(each["comparable"]), **amounts)


@dataclass(frozen=True)
class Sighting:
    """A line, or a balance, on which a run saw the two sides differ. None: that side did not have it. `break_id`: the
    break, which lives on (`core.queries.breaks`)."""

    id: int
    kind: str
    break_id: int | None
    transaction_id: str | None
    journal_id: int | None
    at_provider: Money | None
    in_ledger: Money | None
    what: str

    @property
    def reference(self) -> str:
        return reference("break", self.break_id) if self.break_id else ""

    @property
    def difference(self) -> Money:
        zero = Money.zero((self.at_provider or self.in_ledger or Money.zero("USD")).currency)
        return (self.at_provider or zero) - (self.in_ledger or zero)


BREAKS = text(
    """
    select b.id, b.break_id, b.kind, b.transaction_id, b.journal_id, b.currency, b.at_provider, b.in_ledger,
           concat_ws(' · ', nullif(coalesce(s.reporting_category, t.reporting_category), ''),
                     nullif(coalesce(s.source, t.source), '')) as what
    from reconciliation_breaks b
    left join statement_lines s on s.id = b.transaction_id
    left join balance_transactions t on t.id = b.transaction_id
    where b.run_id = :run and b.id < :before order by b.id desc limit :limit
    """
)


def breaks(session: Session, run_id: int, *, before: int | None = None, limit: int = 51) -> list[Sighting]:
    """The breaks that a run saw, the newest first, before the number of a sighting."""
    rows = session.execute(BREAKS, {"run": run_id, "before": before or NEWEST, "limit": limit})
    return [
        Sighting(
            id=row.id,
            break_id=row.break_id,
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
    where not exists (select from suspense_items i where i.transaction_id = b.id and i.found_at <= :at
                      and (i.settled_at is null or i.settled_at > :at))
      and b.journal_id < :before and b.created_at <= :until and b.booked_at <= :at and s.created_at <= :until
      and (s.amount, s.fee, s.net, s.currency) = (b.amount, b.fee, b.net, b.currency)
    order by b.journal_id desc limit :limit
    """
)


def matched(
    session: Session, run: RunSummary, *, before: int | None = None, limit: int | None = 51
) -> list[Matched]:
    """Lines that agreed when the run was over, booked last first; all of them when `limit` is None."""
    values = {"until": run.until, "at": run.finished_at or run.until, "limit": limit}
    rows = session.execute(MATCHED, {**values, "before": before or NEWEST})
    return [_matched(dict(row)) for row in rows.mappings()]


def _matched(row: dict[str, Any]) -> Matched:
    currency = row.pop("currency")
    return Matched(**row | {name: Money(row[name], currency) for name in ("amount", "fee", "net")})


EXPLAINED_SINCE = text(
    """
    select count(*) from suspense_items i join balance_transactions b on b.id = i.transaction_id
    where b.created_at <= :until and i.found_at <= :at and i.settled_at > :at
    """
)


def explained_since(session: Session, run: RunSummary) -> int:
    """How many of the lines that were in suspense when the run was over have been explained by now."""
    values = {"until": run.until, "at": run.finished_at or run.until}
    return int(session.execute(EXPLAINED_SINCE, values).scalar_one())


def fetched_since(session: Session, moment: datetime) -> int:
    """How many lines of the statement were read since, for the progress of a run."""
    query = text("select count(*) from statement_lines where fetched_at >= :moment")
    return int(session.execute(query, {"moment": moment}).scalar_one())


UNREAD = text(
    "select count(distinct account) as accounts, min(failure) as why from statement_cursors where failure is not null"
)


@dataclass(frozen=True)
class Unread:
    """Accounts at Stripe that could not be read when they were looked at last, and why one could not."""

    accounts: int
    why: str | None


def unread(session: Session) -> Unread:
    """How much of Stripe's statement is not fetched yet."""
    return Unread(**session.execute(UNREAD).mappings().one())
