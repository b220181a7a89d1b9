"""A party's history on the marketplace: projects, disputes and their outcomes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import or_, select, text
from sqlalchemy.orm import Session

from core.queries.case_summaries import CaseSummary, summary
from core.records import Case, Milestone, Project
from core.rules.cases import CaseStatus

NEWEST = 20  # other cases that are listed; their number is counted apart
COUNTS = text(
    """
    select count(distinct p.id) as projects,
           count(distinct p.id) filter (where p.completed_at <= :until) as completed,
           count(distinct m.id) filter (where m.ended_at < :until) as settled,
           count(distinct t.id) as disputes,
           count(distinct t.id) filter (where t.resolution = 'FULL_RELEASE' and t.resolved_at < :until) as released,
           count(distinct t.id) filter (where t.resolution = 'PARTIAL_RELEASE' and t.resolved_at < :until) as divided,
           count(distinct t.id) filter (where t.resolution = 'FULL_REFUND' and t.resolved_at < :until) as refunded,
           count(distinct t.id) filter (where t.resolved_at is null or t.resolved_at >= :until) as open,
           count(distinct c.milestone_id) as chargebacks,
           (select count(*) from reports r
            where r.subject_id = :party and r.outcome = 'UPHELD' and r.settled_at <= :until) as upheld
    from (select * from projects where payer_id = :party union select * from projects where payee_id = :party) p
    join milestones m on m.project_id = p.id
    left join chargebacks c on c.milestone_id = m.id and c.opened_at <= :until
                           and (c.closed_at is null or c.closed_at > :until)
    left join cases t on t.milestone_id = m.id and t.opened_at <= :until
    where p.created_at <= :until
    """
)
TIES = text(
    "select s.name, y.reason, y.declared_at from staff_ties y join staff s on s.id = y.staff_id "
    "where y.party_id = :party order by s.name"
)


@dataclass(frozen=True)
class DeclaredTie:
    """A member of staff who must not decide about this party."""

    name: str
    reason: str
    declared_at: datetime


@dataclass(frozen=True)
class History:
    """Counts over everything this party took part in, and its other cases, newest first."""

    projects: int
    completed: int
    settled: int
    disputes: int
    released: int
    divided: int
    refunded: int
    open: int
    chargebacks: int
    upheld: int
    cases: tuple[CaseSummary, ...]
    ties: tuple[DeclaredTie, ...]


def history(
    session: Session,
    party_id: int,
    *,
    but: int | None = None,
    limit: int | None = NEWEST,
    until: datetime | None = None,
) -> History:
    """A party's past, now or as it was `until` then; `but` is the case at hand, which is left out of the list."""
    then = until or datetime.max.replace(tzinfo=UTC)
    counts: dict[str, Any] = dict(
        session.execute(COUNTS, {"party": party_id, "until": then}).mappings().one()
    )
    rows = session.execute(
        select(Case, Milestone.title, Project.title, Milestone.amount_minor, Milestone.currency)
        .join(Milestone, Milestone.id == Case.milestone_id)
        .join(Project, Project.id == Milestone.project_id)
        .where(or_(Project.payer_id == party_id, Project.payee_id == party_id), Case.id != (but or 0))
        .where(Case.opened_at <= then)
        .order_by(Case.id.desc())
        .limit(limit)
    )
    ties = session.execute(TIES, {"party": party_id})
    counts["cases"] = tuple(_then(summary(*row), row[0], then) for row in rows)
    return History(**counts, ties=tuple(DeclaredTie(*tuple(row)) for row in ties))


def _then(each: CaseSummary, case: Case, then: datetime) -> CaseSummary:
    """What was closed later was open then."""
    if case.resolved_at is None or case.resolved_at < then:
        return each
    return replace(each, status=CaseStatus.UNDER_REVIEW, resolution=None)
