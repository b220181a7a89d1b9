"""Cases in short, for the list of a project or of a party's history."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.money import Money
from core.records import (
    Case,
    Milestone,
    Project,
)
from core.rules.cases import DisputeReason
from core.rules.references import reference


@dataclass(frozen=True)
class CaseSummary:
    """A case in short, for a list."""

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
        return reference("case", self.id)


def of_project(session: Session, project_id: int) -> list[CaseSummary]:
    """The cases of a project, newest first."""
    rows = session.execute(
        select(Case, Milestone.title, Project.title, Milestone.amount_minor, Milestone.currency)
        .join(Milestone, Milestone.id == Case.milestone_id)
        .join(Project, Project.id == Milestone.project_id)
        .where(Milestone.project_id == project_id)
        .order_by(Case.id.desc())
    )
    return [summary(*row) for row in rows]


def summary(case: Case, milestone: str, project: str, minor: int, currency: str) -> CaseSummary:
    """A case in one line; `minor` is the milestone's amount."""
    return CaseSummary(
        id=case.id,
        milestone=milestone,
        project=project,
        status=case.status,
        reason=DisputeReason(case.reason).label,
        resolution=case.resolution,
        amount=Money(minor, currency),
        opened_at=case.opened_at,
    )
