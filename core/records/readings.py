"""Who read what: one row for each member of staff, object and hour, until the log has it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Record, one_of
from core.rules.readings import ReadingKind


class Reading(Record):
    """That a member of staff had this open: by numbers alone, so an erasure has nothing to overwrite here.

    `roles` as they were then; `session_id` is that of the first time. `entered_at`: when the entry of this hour named
    it in the audit log.
    """

    __tablename__ = "readings"
    __table_args__ = (
        one_of("kind", ReadingKind),
        CheckConstraint("first_at <= last_at", name="in_order"),
        Index("readings_object_idx", "kind", "object_id"),
        Index("readings_waiting_idx", "hour", "staff_id", postgresql_where="entered_at is null"),
    )

    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), primary_key=True)
    hour: Mapped[datetime] = mapped_column(primary_key=True)
    kind: Mapped[ReadingKind] = mapped_column(primary_key=True)
    object_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    roles: Mapped[str]
    session_id: Mapped[int | None] = mapped_column(ForeignKey("staff_sessions.id"))
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]
    entered_at: Mapped[datetime | None] = mapped_column(default=None)
