"""Cases in a list: those of a project, or of a party's past."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.money import Money
from core.records import (
    Milestone,
    Project,
    Ticket,
)
from core.rules.disputes import DisputeReason


@dataclass(frozen=True)
class CaseSummary:
    """A case in a list: of a project, or of a party's past."""

    id: int
    milestone: str
    project: str
    status: str
    reason: str
    resolution: str | None
    amount: Money
    opened_at: datetime

    @property
    def reference(self) -> str:
        return f"D-{self.id}"


def of_project(session: Session, project_id: int) -> list[CaseSummary]:
    """The cases of a project, newest first."""
    rows = session.execute(
        select(Ticket, Milestone.title, Project.title, Milestone.amount_minor, Milestone.currency)
        .join(Milestone, Milestone.id == Ticket.milestone_id)
        .join(Project, Project.id == Milestone.project_id)
        .where(Milestone.project_id == project_id)
        .order_by(Ticket.id.desc())
    )
    return [passage(*row) for row in rows]


def passage(ticket: Ticket, milestone: str, project: str, minor: int, currency: str) -> CaseSummary:
    return CaseSummary(
        id=ticket.id,
        milestone=milestone,
        project=project,
        status=ticket.status,
        reason=DisputeReason(ticket.reason).label,
        resolution=ticket.resolution,
        amount=Money(minor, currency),
        opened_at=ticket.opened_at,
    )
