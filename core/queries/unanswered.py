"""Completed work that was neither approved nor disputed in time: a person has to look."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core.money import Money
from core.queries.bounded_list import Listed, total
from core.records import Milestone
from core.rules.milestones import Status
from core.rules.references import reference

BOUND = 200
WAITING = text(
    """
    select m.id, m.title, p.id as project_id, p.title as project, m.currency, o.held_minor, m.unanswered_at
    from milestones m
    join payment_orders o on o.milestone_id = m.id
    join projects p on p.id = m.project_id
    where m.unanswered_at is not null and m.status = 'PENDING_VERIFICATION'
    order by m.unanswered_at, m.id limit :limit
    """
)


@dataclass(frozen=True)
class UnansweredMilestone:
    """`since` is when the time to answer was over; `id` is the milestone's. Who the parties are, the project shows."""

    id: int
    title: str
    project_id: int
    project: str
    held: Money
    since: datetime

    @property
    def reference(self) -> str:
        return reference("milestone", self.id)


def waiting(session: Session, *, limit: int | None = BOUND) -> Listed[UnansweredMilestone]:
    """Longest first."""
    rows = [
        UnansweredMilestone(
            id=row.id,
            title=row.title,
            project_id=row.project_id,
            project=row.project,
            held=Money(row.held_minor, row.currency),
            since=row.unanswered_at,
        )
        for row in session.execute(WAITING, {"limit": limit})
    ]
    every = select(Milestone.id).where(
        Milestone.unanswered_at.is_not(None), Milestone.status == Status.PENDING_VERIFICATION
    )
    return Listed(rows, total(session, every, shown=len(rows), limit=limit))
