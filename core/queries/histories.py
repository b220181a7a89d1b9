"""What a party has been through on the platform: projects, disputes and how they ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select, text
from sqlalchemy.orm import Session

from core.queries.passages import Passage, passage
from core.records import Milestone, Project, Ticket

COUNTS = text(
    """
    select count(distinct p.id) as projects,
           count(distinct p.id) filter (where p.status = 'COMPLETED') as completed,
           count(distinct m.id) filter (where m.status in ('COMPLETED', 'REFUNDED')) as settled,
           count(distinct t.id) as disputes,
           count(distinct t.id) filter (where t.resolution = 'FULL_RELEASE') as released,
           count(distinct t.id) filter (where t.resolution = 'PARTIAL_RELEASE') as divided,
           count(distinct t.id) filter (where t.resolution = 'FULL_REFUND') as refunded,
           count(distinct t.id) filter (where t.status in ('OPEN', 'UNDER_REVIEW', 'WAITING_PARTY')) as open,
           count(distinct o.milestone_id) filter (where o.chargeback_open) as chargebacks
    from (select * from projects where payer_id = :party union select * from projects where payee_id = :party) p
    join milestones m on m.project_id = p.id
    left join payment_orders o on o.milestone_id = m.id
    left join tickets t on t.milestone_id = m.id
    """
)
TIES = text(
    "select s.name, y.reason, y.declared_at from staff_ties y join staff s on s.id = y.staff_id "
    "where y.party_id = :party order by s.name"
)


@dataclass(frozen=True)
class Tie:
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
    cases: tuple[Passage, ...]
    ties: tuple[Tie, ...]


def history(session: Session, party_id: int, *, but: int | None = None, limit: int = 20) -> History:
    """A party's past; `but` is the case at hand, which is left out of the list."""
    counts: dict[str, Any] = dict(session.execute(COUNTS, {"party": party_id}).mappings().one())
    rows = session.execute(
        select(Ticket, Milestone.title, Project.title, Milestone.amount_minor, Milestone.currency)
        .join(Milestone, Milestone.id == Ticket.milestone_id)
        .join(Project, Project.id == Milestone.project_id)
        .where(or_(Project.payer_id == party_id, Project.payee_id == party_id), Ticket.id != (but or 0))
        .order_by(Ticket.id.desc())
        .limit(limit)
    )
    ties = session.execute(TIES, {"party": party_id})
    counts["cases"] = tuple(passage(*row) for row in rows)
    return History(**counts, ties=tuple(Tie(*tuple(row)) for row in ties))
