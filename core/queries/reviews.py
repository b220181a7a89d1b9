"""The reviews of a project, once they are opened, and the rating of a party."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.records import Party, ProjectReview, ReviewRound


@dataclass(frozen=True)
class Review:
    author: str
    role: str
    stars: int
    body: str
    at: datetime


@dataclass(frozen=True)
class Round:
    """`given` of two reviews are in. Until they are revealed `shown` is empty, for staff too."""

    asked_at: datetime | None = None
    due_at: datetime | None = None
    revealed_at: datetime | None = None
    given: int = 0
    shown: tuple[Review, ...] = ()


def of_project(session: Session, project_id: int) -> Round:
    """The reviews of a project: who was asked until when, what came in, and whether it is shown yet."""
    asked = session.get(ReviewRound, project_id)
    if asked is None:
        return Round()
    rows = session.execute(
        select(ProjectReview, Party)
        .join(Party, Party.id == ProjectReview.author_id)
        .where(ProjectReview.project_id == project_id)
        .order_by(ProjectReview.id)
    ).all()
    shown = tuple(
        Review(party.name, party.role, review.stars, review.body, review.at) for review, party in rows
    )
    opened = asked.revealed_at is not None
    return Round(asked.asked_at, asked.due_at, asked.revealed_at, len(rows), shown if opened else ())
