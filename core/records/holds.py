"""Holds on a milestone."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Record, one_of
from core.rules.holds import HoldKind


class Hold(Record):
    """A manual stop on a release: on reports, disputes or risk (payment-escrow-rules, Release Rules).

    `stripe_object` moved the milestone's money past the desk; `news` is what became of it since.
    """

    __tablename__ = "holds"
    __table_args__ = (
        Index("holds_active_idx", "milestone_id", postgresql_where="released_at is null"),
        one_of("kind", HoldKind),
        CheckConstraint("kind <> 'COMPLAINT' or placed_by is null", name="complaint_is_a_partys"),
        CheckConstraint("released_by <> placed_by", name="lifted_by_another"),
        CheckConstraint("news is null or stripe_object is not null", name="news_of_an_object"),
        Index(
            "holds_stripe_object_idx",
            "milestone_id",
            "stripe_object",
            unique=True,
            postgresql_where="stripe_object is not null",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    milestone_id: Mapped[int] = mapped_column(ForeignKey("milestones.id"))
    kind: Mapped[HoldKind]
    reason: Mapped[str]
    report_id: Mapped[int | None] = mapped_column(default=None)
    placed_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), default=None)
    placed_at: Mapped[datetime]
    released_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), default=None)
    released_at: Mapped[datetime | None] = mapped_column(default=None)
    release_reason: Mapped[str | None] = mapped_column(default=None)
    stripe_object: Mapped[str | None] = mapped_column(default=None)
    news: Mapped[str | None] = mapped_column(default=None)
