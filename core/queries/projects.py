"""Projects: a list that can be filtered, and one project with its milestones and their money."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import RowMapping, select, text
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from core.errors import NotFound
from core.like_patterns import like
from core.money import Money
from core.policy import Profile
from core.queries.word_search import OF_PROJECT
from core.records import Case, Engagement, Milestone, Party, PaymentOrder, PolicyVersion, Project
from core.rules.cases import BLOCKING
from core.rules.milestones import Status

BOUND = 10_000


@dataclass(frozen=True)
class ProjectFilter:
    """`status` ACTIVE, COMPLETED or CANCELED; `disputed`: with an open case. Words as in the queue."""

    platform: str | None = None
    status: str | None = None
    disputed: bool = False
    words: str = ""

    @property
    def source(self) -> str:
        return "from projects p where " + " and ".join(["true", *self._conditions()])

    @property
    def values(self) -> dict[str, Any]:
        return {"platform": self.platform, "status": self.status, "like": like(self.words)}

    def _conditions(self) -> Iterator[str]:
        if self.platform:
            yield "p.platform = :platform"
        if self.status:
            yield "p.status = :status"
        if self.disputed:
            yield (
                "p.id in (select m.project_id from cases t join milestones m on m.id = t.milestone_id "
                "where t.status in ('OPEN', 'UNDER_REVIEW', 'WAITING_PARTY'))"
            )
        if self.words:
            yield f"({' or '.join(OF_PROJECT)})"


@dataclass(frozen=True)
class ProjectRow:
    """`done` of `milestones` are settled. `now` is the milestone that is being worked on, if any."""

    id: int
    title: str
    payer: str
    payee: str
    platform: str
    status: str
    total: Money
    held: Money
    done: int
    milestones: int
    now: str | None
    now_status: str | None
    cases: int
    created_at: datetime

    @property
    def parties(self) -> str:
        return f"{self.payer} · {self.payee}"

    @property
    def progress(self) -> str:
        return f"{self.done} of {self.milestones}"


PAGE = """
with page as materialized (select p.id {source} order by p.id desc limit :limit offset :offset)
select p.id, p.title, payer.name as payer, payee.name as payee, p.platform, p.status, p.currency, p.total_minor,
       sums.held_minor, sums.done, sums.milestones, active.title as now, active.status as now_status, sums.cases,
       p.created_at
from page join projects p on p.id = page.id
join parties payer on payer.id = p.payer_id
join parties payee on payee.id = p.payee_id
cross join lateral (
    select coalesce(sum(o.held_minor), 0)::bigint as held_minor,
           count(*) filter (where m.status in ('COMPLETED', 'REFUNDED')) as done,
           count(*) filter (where m.status <> 'CANCELED') as milestones,
           count(t.id) as cases
    from milestones m
    left join payment_orders o on o.milestone_id = m.id
    left join cases t on t.milestone_id = m.id and t.status in ('OPEN', 'UNDER_REVIEW', 'WAITING_PARTY')
    where m.project_id = p.id
) sums
left join lateral (
    select m.title, m.status from milestones m
    where m.project_id = p.id and m.status not in ('COMPLETED', 'REFUNDED', 'CANCELED', 'PLANNED')
    order by m.position limit 1
) active on true
order by p.id desc
"""


def page(session: Session, wanted: ProjectFilter, *, offset: int = 0, limit: int = 50) -> list[ProjectRow]:
    """Projects, newest first."""
    query = text(PAGE.format(source=wanted.source))
    rows = session.execute(query, {**wanted.values, "limit": limit, "offset": offset})
    return [_row(row) for row in rows.mappings()]


def _row(found: RowMapping) -> ProjectRow:
    row = dict(found)
    currency = row.pop("currency")
    total, held = Money(row.pop("total_minor"), currency), Money(row.pop("held_minor"), currency)
    return ProjectRow(**row | {"total": total, "held": held})


def count(session: Session, wanted: ProjectFilter) -> int:
    """How many there are, counted no further than `BOUND`."""
    query = text(f"select count(*) from (select {wanted.source} limit {BOUND}) as found")
    return int(session.execute(query, wanted.values).scalar_one())


@dataclass(frozen=True)
class MilestoneRow:
    """One milestone of a project. `case_id` is its newest case, if it had one."""

    id: int
    position: int
    title: str
    deliverable: str
    acceptance_rule: str
    target_date: date | None
    status: str
    outcome: str | None
    payment: str
    amount: Money
    platform_fee: Money
    processing_fee: Money
    charge: Money
    held: Money
    payable: Money
    released: Money
    refundable: Money
    refunded: Money
    funded_at: datetime | None
    ended_at: datetime | None
    case_id: int | None
    case_open: bool
    converted: bool


@dataclass(frozen=True)
class ProjectDetail:
    """A project with everything its page shows."""

    project: Project
    payer: Party
    payee: Party
    engagement: Engagement
    policy_version: int
    profile: Profile
    parts: tuple[MilestoneRow, ...]

    def total(self, name: str) -> Money:
        """The sum over the milestones that are not canceled: `held`, `released`, `charge`, …"""
        amounts = (getattr(part, name) for part in self.parts if part.status != Status.CANCELED)
        return Money.total(amounts, self.project.currency)


def project(session: Session, project_id: int) -> ProjectDetail:
    """Raises `NotFound`."""
    found = session.get(Project, project_id)
    if found is None:
        raise NotFound(kind="project", id=project_id)
    version = session.get_one(PolicyVersion, found.policy_version_id)
    return ProjectDetail(
        project=found,
        payer=session.get_one(Party, found.payer_id),
        payee=session.get_one(Party, found.payee_id),
        engagement=session.get_one(Engagement, project_id),
        policy_version=version.version,
        profile=Profile.from_snapshot(version.snapshot),
        parts=_parts(session, project_id),
    )


def _parts(session: Session, project_id: int) -> tuple[MilestoneRow, ...]:
    newest = (
        select(Case.id, Case.status, Case.milestone_id)
        .ext(distinct_on(Case.milestone_id))
        .join(Milestone, Milestone.id == Case.milestone_id)
        .where(Milestone.project_id == project_id)
        .order_by(Case.milestone_id, Case.id.desc())
        .subquery()
    )
    rows = session.execute(
        select(Milestone, PaymentOrder, newest.c.id, newest.c.status)
        .join(PaymentOrder, PaymentOrder.milestone_id == Milestone.id)
        .outerjoin(newest, newest.c.milestone_id == Milestone.id)
        .where(Milestone.project_id == project_id)
        .order_by(Milestone.position)
    )
    return tuple(_part(*row) for row in rows)


def _part(
    milestone: Milestone, order: PaymentOrder, case_id: int | None, case_status: str | None
) -> MilestoneRow:
    def money(minor: int) -> Money:
        return Money(minor, milestone.currency)

    return MilestoneRow(
        id=milestone.id,
        position=milestone.position,
        title=milestone.title,
        deliverable=milestone.deliverable,
        acceptance_rule=milestone.acceptance_rule,
        target_date=milestone.target_date,
        status=milestone.status,
        outcome=milestone.outcome,
        payment=order.state,
        amount=money(milestone.amount_minor),
        platform_fee=money(order.platform_fee_minor),
        processing_fee=money(order.processing_fee_minor),
        charge=money(order.charge_minor),
        held=money(order.held_minor),
        payable=money(order.payable_minor),
        released=money(order.released_minor),
        refundable=money(order.refundable_minor),
        refunded=money(order.refunded_minor),
        funded_at=milestone.funded_at,
        ended_at=milestone.ended_at,
        case_id=case_id,
        case_open=case_status in BLOCKING,
        converted=order.settled_currency is not None,
    )
