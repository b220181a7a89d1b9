"""The mediators' queue: open cases, what is due first on top, a page at a time.

The rows of a page are found on `cases` alone where no filter needs more, and only they are joined with the rest, so
the cost of a page does not grow with what a row shows. Pages are found by the place of their first row (keyset), never
by counting up to it. Three statements draw a page (`page`, and `count` twice), two the figures above it (`figures`),
however many rows there are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.orm import Session

from core.money import Money, in_order
from core.queries.case_filters import OPEN, WHERE, WORK, CaseFilter, Place, View, Watch
from core.rules.cases import DisputeReason
from core.rules.references import reference

__all__ = [
    "CaseFilter",
    "CaseRow",
    "Figures",
    "Place",
    "View",
    "Watch",
    "count",
    "every",
    "figures",
    "neighbours",
    "next_unassigned",
    "page",
]

BOUND = 10_000
AT_ONCE = 1_000
LIVE = "d.status in ('AWAITING_APPROVAL', 'COOLING_OFF', 'EXECUTED')"
PEOPLE = f"{WORK} join parties payer on payer.id = p.payer_id join parties payee on payee.id = p.payee_id"
# What came since this person last had the case open; their own words are no news to them.
NEWS = """
       (select count(*) from messages w
        where w.milestone_id = t.milestone_id and w.at > coalesce(v.seen_at, '-infinity')
          and not (w.author_kind = 'staff' and w.author_id = :me))
     + (select count(*) from evidence e
        where e.milestone_id = t.milestone_id and e.at > coalesce(v.seen_at, '-infinity'))
"""


@dataclass(frozen=True)
class CaseRow:
    """One case. `stake` is what is held, or was disputed; `news` counts what came since the reader last had it open.
    `unjudged`: whoever may decide it is not to see names before a first judgement (`core.queries.names_hidden`)."""

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
    sort_at: datetime
    unjudged: bool

    @property
    def place(self) -> Place:
        return Place(self.id, self.sort_at)

    @property
    def reference(self) -> str:
        return reference("case", self.id)

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


MARKS = (
    "ESCALATED",
    "AWAITING_APPROVAL",
    "COOLING_OFF",
    "VOIDED",
    "SINCE",
    "TIED",
    "RECUSED",
    "HOLD",
    "CHARGEBACK",
    "RISK_REVIEW",
    "HIGH_VALUE",
)
PAGE = """
with page as materialized (select t.id {source} order by {order} limit :limit offset :offset)
select t.id, payer.name as payer, payee.name as payee, p.title as project, m.title as milestone, p.platform,
       t.reason, t.status, case when o.held_minor > 0 then o.held_minor else m.amount_minor end as minor, m.currency,
       case when t.resolved_at is null then t.due_at end as due_at, t.due_at as sort_at, t.opened_at,
       s.name as mediator, t.escalated and t.resolved_at is null as "ESCALATED",
       d.status is not distinct from 'AWAITING_APPROVAL' as "AWAITING_APPROVAL",
       d.status is not distinct from 'COOLING_OFF' as "COOLING_OFF",
       t.resolved_at is null and d.id is null and (
           select y.status from decisions y where y.case_id = t.id order by y.id desc limit 1
       ) is not distinct from 'VOIDED' as "VOIDED",
       d.status in ('AWAITING_APPROVAL', 'COOLING_OFF') and exists (
           select from messages w
           where w.milestone_id = t.milestone_id and w.author_kind = 'party' and w.at > d.made_at
       ) as "SINCE",
       exists (select from staff_ties y
               where y.staff_id = :me and y.party_id in (p.payer_id, p.payee_id)) as "TIED",
       exists (select from recusals y where y.staff_id = :me and y.case_id = t.id) as "RECUSED",
       (exists (select from holds h where h.milestone_id = m.id and h.released_at is null)
        or exists (select from payee_holds k where k.party_id = p.payee_id and k.released_at is null)) as "HOLD",
       o.chargeback_open as "CHARGEBACK",
       exists (select from risk_reviews k where k.milestone_id = m.id and k.settled_at is null) as "RISK_REVIEW",
       m.amount_minor > (rules.snapshot -> 'second_person_above' ->> m.currency)::bigint as "HIGH_VALUE",
       {news} as news,
       coalesce((select blind from staff_preferences where staff_id = :me),
                (rules.snapshot ->> 'blind')::boolean, false)
       and t.resolved_at is null and d.id is null
       and not exists (select from case_reveals y where y.case_id = t.id and y.staff_id = :me)
       and not exists (select from decisions y where y.case_id = t.id and y.maker_id = :me) as unjudged
from page join cases t on t.id = page.id {people}
join payment_orders o on o.milestone_id = m.id
join policy_versions rules on rules.id = p.policy_version_id
left join staff s on s.id = t.mediator_id
left join decisions d on d.case_id = t.id and {live}
left join case_visits v on v.case_id = t.id and v.staff_id = :me
order by {order}
"""


def page(
    session: Session,
    wanted: CaseFilter,
    *,
    after: Place | None = None,
    before: Place | None = None,
    offset: int = 0,
    limit: int = 50,
) -> list[CaseRow]:
    """A page of cases, by deadline (closed cases: newest first): those `after` a position, or the last ones `before`
    it."""
    query, values = statement(wanted, after=after, before=before, offset=offset, limit=limit)
    rows = [_row(row) for row in session.execute(text(query), values).mappings()]
    return rows[::-1] if before else rows


def every(session: Session, wanted: CaseFilter) -> Iterator[CaseRow]:
    """All matching cases in the order of the queue, a thousand at a time."""
    after: Place | None = None
    while rows := page(session, wanted, after=after, limit=AT_ONCE):
        yield from rows
        after = rows[-1].place


def statement(
    wanted: CaseFilter,
    *,
    after: Place | None = None,
    before: Place | None = None,
    offset: int = 0,
    limit: int = 50,
) -> tuple[str, dict[str, Any]]:
    """The SQL of one page of the queue and its values: after a place, before one, or by offset."""
    backwards, place = before is not None, before or after
    query = PAGE.format(
        source=wanted.source + wanted.beyond(place, backwards=backwards),
        order=wanted.order(backwards=backwards),
        people=PEOPLE,
        live=LIVE,
        news=NEWS,
    )
    values = {**wanted.values, "limit": limit, "offset": offset}
    return query, values | ({"place_at": place.at, "place_id": place.id} if place else {})


def count(session: Session, wanted: CaseFilter, *, after: Place | None = None) -> int:
    """How many there are (or come after a position), counted up to `BOUND`."""
    query = f"select count(*) from (select {wanted.source}{wanted.beyond(after)} limit {BOUND}) as found"
    values = wanted.values | ({"place_at": after.at, "place_id": after.id} if after else {})
    return int(session.execute(text(query), values).scalar_one())


def next_unassigned(session: Session, *, me: int, now: datetime) -> int | None:
    """The unassigned case with the earliest deadline that this member of staff may take."""
    query = f"""
        select t.id from cases t join milestones m on m.id = t.milestone_id join projects p on p.id = m.project_id
        where {OPEN} and t.mediator_id is null and not exists (
            select from staff_ties y where y.staff_id = :me and y.party_id in (p.payer_id, p.payee_id))
        and not exists (select from recusals y where y.staff_id = :me and y.case_id = t.id)
        order by t.due_at, t.id limit 1
    """
    found: int | None = session.execute(text(query), {"me": me, "now": now}).scalar_one_or_none()
    return found


def neighbours(session: Session, case_id: int, *, me: int) -> tuple[int | None, int | None]:
    """The cases of this member of staff before and after this one, in the order of the queue."""
    beside = """
        select t.id from cases t, cases here
        where {open} and t.mediator_id = :me and here.id = :id and (t.due_at, t.id) {than} (here.due_at, here.id)
        order by t.due_at {way}, t.id {way} limit 1
    """
    found = [
        session.execute(
            text(beside.format(open=OPEN, than=than, way=way)), {"me": me, "id": case_id}
        ).scalar_one_or_none()
        for than, way in (("<", "desc"), (">", "asc"))
    ]
    return found[0], found[1]


def figures(session: Session, *, me: int, now: datetime) -> Figures:
    """The figures above the queue, whatever its filters."""
    names = [view for view in View if view is not View.DECIDED]
    wanted = ", ".join(f"count(*) filter (where {WHERE[view]})" for view in names)
    counted = session.execute(
        text(f"select count(*), {wanted} from cases t where {OPEN}"), {"me": me, "now": now}
    ).one()
    stakes = session.execute(
        text(
            "select o.currency, sum(o.held_minor)::bigint from cases t "
            f"join payment_orders o on o.milestone_id = t.milestone_id where {OPEN} and o.held_minor > 0 "
            "group by o.currency"
        )
    )
    each = dict(zip(("open", *(view.value for view in names)), counted, strict=True))
    return Figures(**each, stakes=in_order(Money(minor, currency) for currency, minor in stakes))


def _row(found: RowMapping) -> CaseRow:
    row = dict(found)
    marks = tuple(mark for mark in MARKS if row.pop(mark))
    stake = Money(row.pop("minor"), row.pop("currency"))
    return CaseRow(**row | {"reason": DisputeReason(row["reason"]).label, "stake": stake, "marks": marks})
