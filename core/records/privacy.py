"""Personal data: what must not be erased, whatever anybody asks."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Record


class LegalHold(Record):
    """Nothing about this party is erased while it stands: for a lawsuit, an investigation, an authority."""

    __tablename__ = "legal_holds"
    __table_args__ = (
        CheckConstraint(
            "(lifted_at is null) = (lifted_by is null) and (lifted_at is null) = (lift_reason is null)",
            name="lifted_whole",
        ),
        CheckConstraint("reason <> '' and lift_reason <> ''", name="says_why"),
        Index("legal_holds_one_open_idx", "party_id", unique=True, postgresql_where="lifted_at is null"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    party_id: Mapped[int] = mapped_column(ForeignKey("parties.id"), index=True)
    reason: Mapped[str]
    placed_by: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    placed_at: Mapped[datetime]
    lifted_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), default=None)
    lifted_at: Mapped[datetime | None] = mapped_column(default=None)
    lift_reason: Mapped[str | None] = mapped_column(default=None)
