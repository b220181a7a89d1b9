"""The audit log for pages: newest first, by keyset, each entry with the seal that covers it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.audit.filters import AuditFilter
from core.errors import NotFound

BOUND = 10_000

# Only the entries of the page are looked up among the seals.
ENTRIES = """
with page as materialized (
    select * from audit_entries where {where} order by at desc, id desc limit %(limit)s
)
select page.*, seal.n as seal, seal.sealed_at
from page left join lateral (
    select s.n, s.sealed_at from seals s
    where s.hi > page.xid
      and s.epoch = (select max(e.epoch) from seal_epochs e where e.entries_after < page.id)
    order by s.hi limit 1
) seal on true
order by page.at desc, page.id desc
"""
CURRENCY = text("select currency from projects where id = :id")
BEFORE = "(at, id) < ((select at from audit_entries where id = %(before_id)s), %(before_id)s)"
COUNT = "select count(*) from (select from audit_entries where {where} limit %(bound)s + 1) as found"
# One step down the index for each action, however many entries it has.
ACTIONS = text(
    """
    with recursive found(action) as (
        (select action from audit_entries order by action limit 1)
        union all
        select (select e.action from audit_entries e where e.action > found.action order by e.action limit 1)
        from found where found.action is not null
    )
    select action from found where action is not null
    """
)
SEALS = text(
    """
    select last.n, last.sealed_at, waiting.*
    from (select null) as one
    left join lateral (select * from seals order by n desc limit 1) as last on true
    cross join lateral (
        select count(*) as open, min(recorded_at) as since
        from (select recorded_at from entries_not_sealed() limit :bound) as each
    ) as waiting
    """
)


@dataclass(frozen=True)
class LogEntry:
    """One entry. `seal` is None as long as it is not sealed (the last second)."""

    id: int
    at: datetime
    actor_kind: str
    actor_id: int | None
    role: str | None
    action: str
    object_kind: str
    object_id: str
    reason: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    project_id: int | None
    milestone_id: int | None
    ticket_id: int | None
    report_id: int | None
    operation_key: str | None
    recorded_at: datetime
    xid: str
    seal: int | None
    sealed_at: datetime | None


@dataclass(frozen=True)
class EntryCount:
    """How many there are; with `more` set, at least that many."""

    n: int
    more: bool

    def __str__(self) -> str:
        return f"{self.n:,}{'+' if self.more else ''}"


@dataclass(frozen=True)
class SealState:
    """How far the log is sealed: the last seal, if any, and how many entries none covers yet. `since`: when the
    oldest of these was recorded."""

    last: int | None
    sealed_at: datetime | None
    open: int
    since: datetime | None = None


def page(
    session: Session, filter: AuditFilter, *, before_id: int | None = None, limit: int = 50
) -> list[LogEntry]:
    """The newest entries, or those that come after the entry `before_id`: the last of a page leads to the next."""
    also = () if before_id is None else (BEFORE,)
    values = filter.values | {"before_id": before_id, "limit": limit}
    return _entries(session, filter.where(*also), values)


def entry(session: Session, id: int) -> LogEntry:
    """One entry. Raises `NotFound`."""
    found = _entries(session, "id = %(id)s", {"id": id, "limit": 1})
    if not found:
        raise NotFound(kind="audit entry", id=id)
    return found[0]


def currency(session: Session, entry: LogEntry) -> str | None:
    """The currency of the project that the entry is about."""
    found = session.execute(CURRENCY, {"id": entry.project_id}).scalar_one_or_none()
    return None if found is None else str(found)


def count(session: Session, filter: AuditFilter, *, bound: int = BOUND) -> EntryCount:
    """How many entries there are, counted no further than `bound`."""
    query = COUNT.format(where=filter.where())
    found = int(session.connection().exec_driver_sql(query, filter.values | {"bound": bound}).scalar_one())
    return EntryCount(n=min(found, bound), more=found > bound)


def distinct_actions(session: Session) -> list[str]:
    """Every action that occurs, in alphabetical order."""
    return list(session.scalars(ACTIONS))


def seal_state(session: Session) -> SealState:
    """The last seal, and how much is not sealed yet, counted to a bound."""
    return SealState(*session.execute(SEALS, {"bound": BOUND}).one())


def _entries(session: Session, where: str, values: dict[str, Any]) -> list[LogEntry]:
    rows = session.connection().exec_driver_sql(ENTRIES.format(where=where), values)
    return [LogEntry(*row) for row in rows]
