"""Risk reviews and unsettled reports, for those who settle them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from core.errors import NotFound
from core.money import Money
from core.queries.bounded_list import Listed, total
from core.records import Milestone, Project, Report, RiskReview, Staff

MOST = 200


@dataclass(frozen=True)
class Review:
    """An open review. `reasons` are sentences."""

    id: int
    milestone_id: int
    milestone: str
    project_id: int
    project: str
    amount: Money
    reasons: tuple[str, ...]
    opened_at: datetime
    assigned_to: str | None

    @property
    def about(self) -> str:
        return f"M-{self.milestone_id} {self.milestone} · {self.project}"


@dataclass(frozen=True)
class Filed:
    """A report that nobody has settled."""

    id: int
    project_id: int
    milestone_id: int | None
    kind: str
    source: str
    severity: str
    details: str
    at: datetime


def open_reviews(session: Session, *, most: int = MOST) -> Listed[Review]:
    """Oldest first."""
    return _reviews(session, RiskReview.settled_at.is_(None), most)


def review(session: Session, review_id: int) -> Review:
    """Raises `NotFound`."""
    found = _reviews(session, RiskReview.id == review_id)
    if not found:
        raise NotFound(kind="review", id=review_id)
    return found[0]


def open_reports(session: Session, project_id: int | None = None, *, most: int = MOST) -> Listed[Filed]:
    """Oldest first; of one project, or of all."""
    wanted = select(Report).where(Report.settled_at.is_(None)).order_by(Report.id).limit(most)
    if project_id is not None:
        wanted = wanted.where(Report.project_id == project_id)
    rows = [
        Filed(
            row.id,
            row.project_id,
            row.milestone_id,
            row.kind,
            row.source,
            row.severity,
            row.details,
            row.at,
        )
        for row in session.scalars(wanted)
    ]
    return Listed(rows, total(session, wanted, shown=len(rows), limit=most))


def _reviews(session: Session, condition: ColumnElement[bool], most: int = MOST) -> Listed[Review]:
    wanted = (
        select(RiskReview, Milestone, Project, Staff.name)
        .join(Milestone, Milestone.id == RiskReview.milestone_id)
        .join(Project, Project.id == Milestone.project_id)
        .outerjoin(Staff, Staff.id == RiskReview.assigned_to)
        .where(condition)
        .order_by(RiskReview.id)
        .limit(most)
    )
    found = [
        Review(
            id=row.id,
            milestone_id=milestone.id,
            milestone=milestone.title,
            project_id=project.id,
            project=project.title,
            amount=Money(milestone.amount_minor, milestone.currency),
            reasons=tuple(reason["sentence"] for reason in row.reasons),
            opened_at=row.opened_at,
            assigned_to=name,
        )
        for row, milestone, project, name in session.execute(wanted)
    ]
    ids = select(RiskReview.id).where(condition)
    return Listed(found, total(session, ids, shown=len(found), limit=most))
