"""Holds: what was stopped, and what is still in force."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.orm import Session

from core.errors import NotFound
from core.like_patterns import like
from core.money import Money, in_order
from core.queries.word_search import OF_MILESTONE
from core.rules.holds import HoldKind, who
from core.rules.milestones import Status
from core.rules.references import number_in, reference

ACTIVE, RELEASED = "ACTIVE", "RELEASED"
LATELY = timedelta(days=30)
JOINED = """
from holds h
join milestones m on m.id = h.milestone_id
join projects p on p.id = m.project_id
join parties payer on payer.id = p.payer_id
join parties payee on payee.id = p.payee_id
"""
PAGE = """
with page as materialized (select h.id {source} order by {order} limit :limit offset :offset)
select h.*, m.title as milestone, m.status as milestone_status, m.currency, p.id as project_id, p.title as project,
       p.payer_id, p.payee_id, p.platform, payer.name as payer, payee.name as payee,
       coalesce(o.held_minor, 0) as held_minor,
       stoppable_minor(m.id) as stopped_minor, a.name as placer, b.name as lifter,
       (select max(t.id) from cases t where t.milestone_id = m.id) as case_id,
       exists (select from hold_lifts l where coalesce(l.hold_id, l.payee_hold_id) = h.id
               and l.status = 'PROPOSED') as lift_proposed
{joined}
left join payment_orders o on o.milestone_id = m.id
left join staff a on a.id = h.placed_by
left join staff b on b.id = h.released_by
where h.id in (select id from page) order by {order}
"""
# Of milestones and of payees; what two holds stop is counted once.
FIGURES = text(
    """
    select count(*) filter (where released_at is null) as active,
           min(placed_at) filter (where released_at is null) as oldest,
           (array_agg(id order by placed_at, id) filter (where released_at is null))[1] as oldest_id,
           count(*) filter (where released_at >= :month) as lifted,
           percentile_cont(0.5) within group (order by extract(epoch from released_at - placed_at))
               filter (where released_at is not null) as median
    from (
        select id, placed_at, released_at from holds union all select id, placed_at, released_at from payee_holds
    ) every
    """
)
STOPPED = text(
    """
    select m.currency, sum(stoppable_minor(m.id))::bigint as minor
    from milestones m
    where m.id in (
        select milestone_id from holds where released_at is null
        union
        select o.id from payee_holds k join projects p on p.payee_id = k.party_id
            join milestones o on o.project_id = p.id
        where k.released_at is null
    )
    group by m.currency having sum(stoppable_minor(m.id)) > 0
    """
)
CANDIDATES = text(
    f"""
    select m.id, m.title, p.title as project, payer.name as payer, payee.name as payee, m.status, m.currency,
           stoppable_minor(m.id) as stopped_minor
    from milestones m
    join projects p on p.id = m.project_id
    join parties payer on payer.id = p.payer_id
    join parties payee on payee.id = p.payee_id
    left join payment_orders o on o.milestone_id = m.id
    where (m.id = :number
           or (:words and ({" or ".join(OF_MILESTONE)})))
      and (m.status not in ('COMPLETED', 'REFUNDED', 'CANCELED') or o.held_minor + o.payable_minor > 0
           or m.id in (select milestone_id from payouts
                       where stripe_transfer is not null
                         and status in ('TRANSFERRED', 'FAILED', 'ADMINISTRATIVE_REVIEW')))
    order by m.id = :number desc, coalesce(o.held_minor, 0) + coalesce(o.payable_minor, 0) > 0 desc, m.id desc
    limit :limit
    """
)


@dataclass(frozen=True)
class HoldFilter:
    """`state` is ACTIVE or RELEASED; `words` are searched in reasons, parties, titles; `since`: lifted from then on."""

    state: str | None = ACTIVE
    kind: str | None = None
    milestone_id: int | None = None
    words: str = ""
    since: datetime | None = None

    @property
    def values(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "milestone": self.milestone_id,
            "like": like(self.words),
            "since": self.since,
        }

    @property
    def source(self) -> str:
        joined = JOINED if self.words else "from holds h"
        return f"{joined} where " + " and ".join(["true", *self._conditions()])

    @property
    def order(self) -> str:
        """Holds in force first, longest first; then lifted ones, latest first."""
        standing = "case when h.released_at is null then h.placed_at end"
        return f"h.released_at is not null, {standing}, h.released_at desc, h.id"

    def _conditions(self) -> Iterator[str]:
        if self.state:
            yield f"h.released_at is {'' if self.state == ACTIVE else 'not '}null"
        if self.since:
            yield "h.released_at >= :since"
        if self.kind:
            yield "h.kind = :kind"
        if self.milestone_id:
            yield "h.milestone_id = :milestone"
        if self.words:
            yield f"({' or '.join(('h.reason ilike :like', *OF_MILESTONE))})"


@dataclass(frozen=True)
class HoldRow:
    """One hold. `stopped` is what it keeps from moving now. `lift_preview` foretells what lifting it does."""

    id: int
    kind: HoldKind
    reason: str
    report_id: int | None
    milestone_id: int
    milestone: str
    milestone_status: Status
    project_id: int
    project: str
    platform: str
    payer_id: int
    payee_id: int
    payer: str
    payee: str
    held: Money
    stopped: Money
    case_id: int | None
    lift_proposed: bool
    placed_by: str
    placed_by_id: int | None
    placed_at: datetime
    expected_end: datetime | None
    released_by: str | None
    released_at: datetime | None
    release_reason: str | None

    @property
    def reference(self) -> str:
        return reference("hold", self.id)

    @property
    def state(self) -> str:
        return ACTIVE if self.released_at is None else RELEASED

    @property
    def parties(self) -> str:
        return f"{self.payer} · {self.payee}"

    @property
    def about(self) -> str:
        return f"{self.milestone} · {self.project}"

    def stood(self, now: datetime) -> timedelta:
        return (self.released_at or now) - self.placed_at


@dataclass(frozen=True)
class Figures:
    """What stands now, and how it went: `lifted` within `LATELY`, `median` time from placing to lifting."""

    active: int
    oldest: datetime | None
    oldest_id: int | None
    lifted: int
    median: timedelta | None
    stopped: tuple[Money, ...]


@dataclass(frozen=True)
class Candidate:
    """A milestone that could be put on hold."""

    id: int
    title: str
    project: str
    payer: str
    payee: str
    status: Status
    stopped: Money


def page(session: Session, wanted: HoldFilter, *, offset: int = 0, limit: int = 50) -> list[HoldRow]:
    """One page of the holds that the filter finds."""
    query = PAGE.format(source=wanted.source, order=wanted.order, joined=JOINED)
    rows = session.execute(text(query), wanted.values | {"offset": offset, "limit": limit}).mappings()
    return [_row(row) for row in rows]


def count(session: Session, wanted: HoldFilter) -> int:
    """How many holds the filter finds."""
    return int(session.execute(text(f"select count(*) {wanted.source}"), wanted.values).scalar_one())


def one(session: Session, hold_id: int) -> HoldRow:
    """Raises `NotFound`."""
    query = PAGE.format(source="from holds h where h.id = :id", order="h.id", joined=JOINED)
    row = session.execute(text(query), {"id": hold_id, "offset": 0, "limit": 1}).mappings().one_or_none()
    if row is None:
        raise NotFound(kind="hold", id=hold_id)
    return _row(row)


def figures(session: Session, *, now: datetime) -> Figures:
    """Holds in force and the oldest, those lifted lately and how long they stood (median), and the money they stop."""
    row = session.execute(FIGURES, {"month": now - LATELY}).one()
    median = None if row.median is None else timedelta(seconds=float(row.median))
    stopped = in_order(Money(minor, currency) for currency, minor in session.execute(STOPPED))
    return Figures(row.active, row.oldest, row.oldest_id, row.lifted, median, stopped)


def candidates(session: Session, words: str, *, limit: int = 12) -> list[Candidate]:
    """Milestones by number (`17`, `M-17`) or by words in titles and parties; those with money in the desk first."""
    given = {
        "number": number_in("milestone", words),
        "words": bool(words.strip()),
        "like": like(words),
        "limit": limit,
    }
    return [
        Candidate(
            row.id,
            row.title,
            row.project,
            row.payer,
            row.payee,
            Status(row.status),
            Money(row.stopped_minor, row.currency),
        )
        for row in session.execute(CANDIDATES, given)
    ]


def _row(row: RowMapping) -> HoldRow:
    held = Money(row["held_minor"], row["currency"])
    same = (
        "id",
        "report_id",
        "milestone_id",
        "milestone",
        "project_id",
        "project",
        "platform",
        "payer",
        "payer_id",
        "payee_id",
    )
    rest = ("payee", "case_id", "lift_proposed", "placed_at", "expected_end", "released_at", "release_reason")
    return HoldRow(
        **{name: row[name] for name in (*same, *rest)},
        reason=" ".join(filter(None, (row["reason"], row["news"]))),
        kind=HoldKind(row["kind"]),
        milestone_status=Status(row["milestone_status"]),
        held=held,
        stopped=Money(row["stopped_minor"], row["currency"]),
        placed_by=who(row["kind"], row["placer"]),
        placed_by_id=row["placed_by"],
        released_by=who(row["kind"], row["lifter"]) if row["released_at"] else None,
    )
