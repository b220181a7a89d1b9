"""What only a demo stores."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Record


class DemoClock(Record):
    """One row: how far a demo's time is ahead of this computer's, and the move that goes on. The database refuses it on
    a desk that is no demo, and refuses every way back.

    A move is `began_at` to `until`, in the demo's time; while it goes on `arrived_at` is empty. `stopped_at` is the
    computer's time of its last stop, `trouble` why it does not go on, or what does not work.
    """

    __tablename__ = "demo_clock"
    __table_args__ = (
        CheckConstraint("id = 1", name="single"),
        CheckConstraint("ahead >= interval '0'", name="forward"),
        CheckConstraint("until > began_at", name="somewhere"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    ahead: Mapped[timedelta]
    began_at: Mapped[datetime]
    until: Mapped[datetime]
    stops: Mapped[int] = mapped_column(default=0)
    stopped_at: Mapped[datetime]
    arrived_at: Mapped[datetime | None] = mapped_column(default=None)
    trouble: Mapped[str | None] = mapped_column(default=None)

    @property
    def moving(self) -> bool:
        return self.arrived_at is None
