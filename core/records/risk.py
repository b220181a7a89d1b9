"""Risk: what was reported, and the reviews that a person must settle before money moves."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Record, one_of
from core.rules.messages import AuthorKind
from core.rules.reports import ReportKind, ReportOutcome, Severity, Source
from core.rules.risk import ReviewOutcome

SETTLED = (
    "(outcome is null) = (settled_at is null) and (outcome is null) = (settled_by is null) "
    "and (outcome is null) = (note is null)"
)


class Report(Record):
    """A report of a person or a ContentRuleEvent of the marketplace (payment-escrow-rules, Risk Controls).

    `external_id` is the marketplace's name for it: the same again is the same report. Without a milestone it concerns
    the whole project. `subject_id`: the party that it is about, where that is known.
    """

    __tablename__ = "reports"
    __table_args__ = (
        UniqueConstraint("project_id", "external_id"),
        one_of("kind", ReportKind),
        one_of("source", Source),
        one_of("severity", Severity),
        one_of("author_kind", AuthorKind),
        one_of("outcome", ReportOutcome),
        CheckConstraint(SETTLED, name="settled_by_someone"),
        Index("reports_open_idx", "project_id", "id", postgresql_where="settled_at is null"),
        Index("reports_upheld_idx", "subject_id", postgresql_where="outcome = 'UPHELD'"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"), index=True)
    milestone_id: Mapped[int | None] = mapped_column(ForeignKey("milestones.id"), default=None)
    external_id: Mapped[str | None] = mapped_column(default=None)
    kind: Mapped[ReportKind]
    source: Mapped[Source]
    severity: Mapped[Severity]
    details: Mapped[str]
    author_kind: Mapped[AuthorKind]
    author_id: Mapped[int | None] = mapped_column(default=None)
    subject_id: Mapped[int | None] = mapped_column(ForeignKey("parties.id"), default=None)
    at: Mapped[datetime]
    outcome: Mapped[ReportOutcome | None] = mapped_column(default=None)
    note: Mapped[str | None] = mapped_column(default=None)
    settled_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), default=None)
    settled_at: Mapped[datetime | None] = mapped_column(default=None)


class RiskReview(Record):
    """A risk review of one milestone. `reasons` is a list of {code, sentence}; at most one is open at a time.

    `reports`: the upheld reports that it has dealt with, written when it is settled.
    """

    __tablename__ = "risk_reviews"
    __table_args__ = (
        one_of("outcome", ReviewOutcome),
        CheckConstraint(SETTLED, name="settled_by_someone"),
        Index(
            "risk_reviews_one_open_idx", "milestone_id", unique=True, postgresql_where="settled_at is null"
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    milestone_id: Mapped[int] = mapped_column(ForeignKey("milestones.id"), index=True)
    reasons: Mapped[list[Any]]
    reports: Mapped[list[Any]] = mapped_column(default=list)
    opened_at: Mapped[datetime]
    assigned_to: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), default=None)
    outcome: Mapped[ReviewOutcome | None] = mapped_column(default=None)
    note: Mapped[str | None] = mapped_column(default=None)
    settled_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), default=None)
    settled_at: Mapped[datetime | None] = mapped_column(default=None)
