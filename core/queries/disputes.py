"""The mediators' queue: open cases, what is due first on top, a page at a time.

The rows of a page are found on `tickets` alone where no filter needs more, and only they are joined with the rest, so
the cost of a page does not grow with what a row shows. Two statements draw a page (`page`, `count`), two the figures
above it (`figures`), however many rows there are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.orm import Session

from core.money import Money
from core.queries.words import like
from core.rules.disputes import DisputeReason

BOUND = 10_000
OPEN = "t.status in ('OPEN', 'UNDER_REVIEW', 'WAITING_PARTY')"
LIVE = "d.status in ('AWAITING_APPROVAL', 'COOLING_OFF', 'EXECUTED')"
AWAITING = "exists (select from decisions d where d.ticket_id = t.id and d.status = 'AWAITING_APPROVAL')"
WORK = "join milestones m on m.id = t.milestone_id join projects p on p.id = m.project_id"
PEOPLE = f"{WORK} join parties payer on payer.id = p.payer_id join parties payee on payee.id = p.payee_id"
# Names are looked through once, in the parties, and not once for every case.
NAMED = "(select named.id from parties named where named.name ilike :like)"
FOUND = (
    "t.id = :number",
    "p.title ilike :like",
    "m.title ilike :like",
    f"p.payer_id in {NAMED}",
    f"p.payee_id in {NAMED}",
)
SEARCH = f"({' or '.join(FOUND)})"


class View(StrEnum):
    """Which cases; all but DECIDED are open ones."""

    MINE = "mine"
    UNASSIGNED = "unassigned"
    WAITING = "waiting"
    OVERDUE = "overdue"
    ESCALATED = "escalated"
    APPROVAL = "approval"
    DECIDED = "decided"


_WHERE = {
    None: OPEN,
    View.MINE: f"{OPEN} and t.mediator_id = :me",
    View.UNASSIGNED: f"{OPEN} and t.mediator_id is null",
    View.WAITING: f"{OPEN} and t.status = 'WAITING_PARTY'",
    View.OVERDUE: f"{OPEN} and t.due_at <= :now",
    View.ESCALATED: f"{OPEN} and t.escalated",
    View.APPROVAL: f"{OPEN} and {AWAITING}",
    View.DECIDED: "t.status in ('RESOLVED', 'WITHDRAWN')",
}


@dataclass(frozen=True)
class Filter:
    """`me` is the member of staff who looks; `words` are searched in parties, titles and case numbers."""

    me: int
    now: datetime
    view: View | None = None
    platform: str | None = None
    words: str = ""

    @property
    def values(self) -> dict[str, Any]:
        return {
            "me": self.me,
            "now": self.now,
            "platform": self.platform,
            "like": like(self.words),
            "number": case_number(self.words),
        }

    @property
    def source(self) -> str:
        joined = WORK if self.platform or self.words else ""
        return f"from tickets t {joined} where " + " and ".join(self._conditions())

    @property
    def order(self) -> str:
        return "t.id desc" if self.view is View.DECIDED else "t.due_at, t.id"

    def _conditions(self) -> Iterator[str]:
        yield _WHERE[self.view]
        if self.platform:
            yield "p.platform = :platform"
        if self.words:
            yield SEARCH


@dataclass(frozen=True)
class Row:
    """One case. `stake` is what is held, or was disputed; `news` counts what parties wrote since staff last did."""

    id: int
    payer: str
    payee: str
    project: str
    milestone: str
    platform: str
    reason: str
    status: str
    stake: Money
    due_at: datetime | None
    opened_at: datetime
    mediator: str | None
    marks: tuple[str, ...]
    news: int

    @property
    def reference(self) -> str:
        return f"D-{self.id}"

    @property
    def parties(self) -> str:
        return f"{self.payer} · {self.payee}"

    @property
    def about(self) -> str:
        return f"{self.milestone} · {self.project}"


@dataclass(frozen=True)
class Figures:
    """What is open now; `stakes` is the money held in open cases, one sum a currency."""

    open: int = 0
    mine: int = 0
    unassigned: int = 0
    waiting: int = 0
    overdue: int = 0
    escalated: int = 0
    approval: int = 0
    stakes: tuple[Money, ...] = field(default=())


MARKS = ("ESCALATED", "AWAITING_APPROVAL", "COOLING_OFF", "TIED", "HOLD", "CHARGEBACK", "HIGH_VALUE")
PAGE = """
with page as materialized (select t.id {source} order by {order} limit :limit offset :offset)
select t.id, payer.name as payer, payee.name as payee, p.title as project, m.title as milestone, p.platform,
       t.reason, t.status, case when o.held_minor > 0 then o.held_minor else m.amount_minor end as minor, m.currency,
       case when t.resolved_at is null then t.due_at end as due_at, t.opened_at, s.name as mediator,
       t.escalated as "ESCALATED",
       d.status is not distinct from 'AWAITING_APPROVAL' as "AWAITING_APPROVAL",
       d.status is not distinct from 'COOLING_OFF' as "COOLING_OFF",
       exists (select from staff_ties y
               where y.staff_id = :me and y.party_id in (p.payer_id, p.payee_id)) as "TIED",
       exists (select from holds h where h.milestone_id = m.id and h.released_at is null) as "HOLD",
       o.chargeback_open as "CHARGEBACK",
       m.amount_minor > (v.snapshot -> 'second_person_above' ->> m.currency)::bigint as "HIGH_VALUE",
       (select count(*) from messages w where w.milestone_id = m.id and w.author_kind = 'party'
          and w.at > coalesce((select max(a.at) from messages a where a.milestone_id = m.id
                               and a.author_kind = 'staff'), '-infinity')) as news
from page join tickets t on t.id = page.id {people}
join payment_orders o on o.milestone_id = m.id
join policy_versions v on v.id = p.policy_version_id
left join staff s on s.id = t.mediator_id
left join decisions d on d.ticket_id = t.id and {live}
order by {order}
"""


def page(session: Session, wanted: Filter, *, offset: int = 0, limit: int = 50) -> list[Row]:
    """The cases of a page, the one due first on top (decided ones: the newest)."""
    query = PAGE.format(source=wanted.source, order=wanted.order, people=PEOPLE, live=LIVE)
    rows = session.execute(text(query), {**wanted.values, "limit": limit, "offset": offset})
    return [_row(row) for row in rows.mappings()]


def count(session: Session, wanted: Filter) -> int:
    """How many there are, counted no further than `BOUND`."""
    query = f"select count(*) from (select {wanted.source} limit {BOUND}) as found"
    return int(session.execute(text(query), wanted.values).scalar_one())


def next_unassigned(session: Session, *, me: int, now: datetime) -> int | None:
    """The case without a mediator that is due first and that this member of staff has no tie to."""
    query = f"""
        select t.id from tickets t join milestones m on m.id = t.milestone_id join projects p on p.id = m.project_id
        where {OPEN} and t.mediator_id is null and not exists (
            select from staff_ties y where y.staff_id = :me and y.party_id in (p.payer_id, p.payee_id))
        order by t.due_at, t.id limit 1
    """
    found: int | None = session.execute(text(query), {"me": me, "now": now}).scalar_one_or_none()
    return found


def neighbours(session: Session, ticket_id: int, *, me: int) -> tuple[int | None, int | None]:
    """The cases of this member of staff before and after this one, in the order of the queue."""
    beside = """
        select t.id from tickets t, tickets here
        where {open} and t.mediator_id = :me and here.id = :id and (t.due_at, t.id) {than} (here.due_at, here.id)
        order by t.due_at {way}, t.id {way} limit 1
    """
    found = [
        session.execute(
            text(beside.format(open=OPEN, than=than, way=way)), {"me": me, "id": ticket_id}
        ).scalar_one_or_none()
        for than, way in (("<", "desc"), (">", "asc"))
    ]
    return found[0], found[1]


def figures(session: Session, *, me: int, now: datetime) -> Figures:
    """The figures above the queue, whatever its filters."""
    names = [view for view in View if view is not View.DECIDED]
    wanted = ", ".join(f"count(*) filter (where {_WHERE[view]})" for view in names)
    counted = session.execute(
        text(f"select count(*), {wanted} from tickets t where {OPEN}"), {"me": me, "now": now}
    ).one()
    stakes = session.execute(
        text(
            "select o.currency, sum(o.held_minor)::bigint from tickets t "
            f"join payment_orders o on o.milestone_id = t.milestone_id where {OPEN} and o.held_minor > 0 "
            "group by o.currency order by sum(o.held_minor) desc"
        )
    )
    each = dict(zip(("open", *(view.value for view in names)), counted, strict=True))
    return Figures(**each, stakes=tuple(Money(minor, currency) for currency, minor in stakes))


def case_number(words: str) -> int | None:
    """`D-42`, `d42` and `42` as 42."""
    digits = words.strip().upper().removeprefix("D").removeprefix("-")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 16 else None


def _row(found: RowMapping) -> Row:
    row = dict(found)
    marks = tuple(mark for mark in MARKS if row.pop(mark))
    stake = Money(row.pop("minor"), row.pop("currency"))
    return Row(**row | {"reason": DisputeReason(row["reason"]).label, "stake": stake, "marks": marks})
