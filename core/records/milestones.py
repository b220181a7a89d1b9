"""Milestones: the unit of work that money is held for."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Record, one_of, search_index
from core.rules.milestones import Outcome as MilestoneOutcome
from core.rules.milestones import Status as MilestoneStatus


class Milestone(Record):
    """`version` counts changes: a plan made against one version is void under the next.

    `unanswered_at`: the payer's time to answer passed and silence did not release; a person has to look.
    """

    __tablename__ = "milestones"
    __table_args__ = (
        UniqueConstraint("project_id", "position"),
        CheckConstraint("amount_minor > 0", name="amount_positive"),
        one_of("status", MilestoneStatus),
        one_of("outcome", MilestoneOutcome),
        CheckConstraint(
            "case when status = 'COMPLETED' then ended_at is not null else ended_at is null or status = 'REFUNDED' end",
            name="ended_when_over",
        ),
        Index(
            "milestones_reminder_due_idx", "next_reminder_at", postgresql_where="next_reminder_at is not null"
        ),
        Index(
            "milestones_auto_approve_due_idx",
            "auto_approve_at",
            postgresql_where="auto_approve_at is not null",
        ),
        Index(
            "milestones_answer_due_idx",
            "answer_due_at",
            postgresql_where="answer_due_at is not null and unanswered_at is null",
        ),
        search_index("milestones_search_idx", "searched(title)"),
        Index("milestones_amount_idx", "amount_minor"),
        Index(
            "milestones_unanswered_idx",
            "unanswered_at",
            postgresql_where="unanswered_at is not null",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    position: Mapped[int]
    title: Mapped[str]
    deliverable: Mapped[str]
    amount_minor: Mapped[int]
    currency: Mapped[str]
    target_date: Mapped[date | None] = mapped_column(default=None)
    acceptance_rule: Mapped[str]
    status: Mapped[MilestoneStatus] = mapped_column(default=MilestoneStatus.PLANNED)
    outcome: Mapped[MilestoneOutcome | None] = mapped_column(default=None)
    version: Mapped[int] = mapped_column(default=1)
    activated_at: Mapped[datetime | None] = mapped_column(default=None)
    funded_at: Mapped[datetime | None] = mapped_column(default=None)
    completion_notice_at: Mapped[datetime | None] = mapped_column(default=None)
    dispute_until: Mapped[datetime | None] = mapped_column(default=None)
    auto_approve_at: Mapped[datetime | None] = mapped_column(default=None)
    answer_due_at: Mapped[datetime | None] = mapped_column(default=None)
    unanswered_at: Mapped[datetime | None] = mapped_column(default=None)
    next_reminder_at: Mapped[datetime | None] = mapped_column(default=None)
    reminder_level: Mapped[int] = mapped_column(default=0)
    verified_at: Mapped[datetime | None] = mapped_column(default=None)
    ended_at: Mapped[datetime | None] = mapped_column(default=None)
