"""Practices of another state than the one where the work needs them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Record, one_of
from core.rules.messages import AuthorKind

SETTLED = (
    "(outcome is null) = (settled_at is null) and (outcome is null) = (settled_by is null) "
    "and (outcome is null) = (note is null)"
)


class PracticeFlag(Record):
    """A practice licensed in another state than the one where it is needed, until someone resolves it.

    A member of staff does, or (`resolved_by` empty) the marketplace itself.
    """

    __tablename__ = "practice_flags"
    __table_args__ = (
        one_of("author_kind", AuthorKind),
        CheckConstraint(
            "(resolution is null) = (resolved_at is null) and (resolved_by is null or resolution is not null)",
            name="resolved_by_someone",
        ),
        Index(
            "practice_flags_one_open_idx", "project_id", unique=True, postgresql_where="resolved_at is null"
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    licensed_in: Mapped[str]
    needed_in: Mapped[str]
    author_kind: Mapped[AuthorKind]
    author_id: Mapped[int | None] = mapped_column(default=None)
    at: Mapped[datetime]
    resolution: Mapped[str | None] = mapped_column(default=None)
    resolved_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), default=None)
    resolved_at: Mapped[datetime | None] = mapped_column(default=None)
