"""Reviews: both sides of a finished project are asked, and what came of it for each."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Record


class ReviewRound(Record):
    """Both parties of a project are asked; the reviews are opened when both are in or the time is up."""

    __tablename__ = "review_rounds"
    __table_args__ = (Index("review_rounds_due_idx", "due_at", postgresql_where="revealed_at is null"),)

    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"), primary_key=True)
    asked_at: Mapped[datetime]
    due_at: Mapped[datetime]
    revealed_at: Mapped[datetime | None] = mapped_column(default=None)


class ProjectReview(Record):
    """One party's stars and words about the other. Never changes."""

    __tablename__ = "project_reviews"
    __table_args__ = (
        UniqueConstraint("project_id", "author_id"),
        CheckConstraint("stars between 1 and 5", name="stars"),
        CheckConstraint("author_id <> subject_id", name="two_parties"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("review_rounds.project_id"))
    author_id: Mapped[int] = mapped_column(ForeignKey("parties.id"))
    subject_id: Mapped[int] = mapped_column(ForeignKey("parties.id"), index=True)
    stars: Mapped[int]
    body: Mapped[str]
    at: Mapped[datetime]


class FinalRating(Record):
    """A party's rating once a project's reviews were opened: the mean of all its stars so far, in tenths of a star."""

    __tablename__ = "final_ratings"
    __table_args__ = (CheckConstraint("reviews > 0 and tenths between 10 and 50", name="amounts"),)

    project_id: Mapped[int] = mapped_column(ForeignKey("review_rounds.project_id"), primary_key=True)
    party_id: Mapped[int] = mapped_column(ForeignKey("parties.id"), primary_key=True, index=True)
    reviews: Mapped[int]
    tenths: Mapped[int]
    calculated_at: Mapped[datetime]
