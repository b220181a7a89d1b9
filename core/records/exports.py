"""Files that are made beside the pages."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Record, one_of
from core.rules.exports import ExportKind


class Export(Record):
    """An export of a session: waiting or under way, then finished or failed; given out once, and not for long.

    `next_try_at` is the end of a worker's lease. `facts` are what the page says of a finished file, which lies in
    `ESCROW_DESK_HOME/exports` until `removed_at`.
    """

    __tablename__ = "exports"
    __table_args__ = (
        one_of("kind", ExportKind),
        CheckConstraint("finished_at is null or failure is null", name="one_end"),
        CheckConstraint("(finished_at is null) = (facts is null)", name="finished"),
        CheckConstraint("fetched_at is null or finished_at is not null", name="fetched"),
        CheckConstraint("done >= 0 and total >= 0 and tries >= 0", name="counts"),
        Index(
            "exports_one_under_way_idx",
            "session_id",
            "kind",
            unique=True,
            postgresql_where="finished_at is null and failure is null",
        ),
        Index("exports_not_removed_idx", "id", postgresql_where="removed_at is null"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[ExportKind]
    session_id: Mapped[int] = mapped_column(ForeignKey("staff_sessions.id"))
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    name: Mapped[str]
    format: Mapped[str]
    filter: Mapped[dict[str, Any]]
    requested_at: Mapped[datetime]
    next_try_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    tries: Mapped[int] = mapped_column(default=0)
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    facts: Mapped[dict[str, Any] | None] = mapped_column(default=None)
    failure: Mapped[str | None] = mapped_column(default=None)
    finished_at: Mapped[datetime | None] = mapped_column(default=None)
    fetched_at: Mapped[datetime | None] = mapped_column(default=None)
    removed_at: Mapped[datetime | None] = mapped_column(default=None)
