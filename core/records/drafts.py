"""Unfinished decisions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Record


class DecisionDraft(Record):
    """What a member of staff has chosen about a case so far; empty once it is decided. Their words: `UnsentText`.

    `version` counts what was saved, `writer` is the tab that saved last.
    """

    __tablename__ = "decision_drafts"
    __table_args__ = (CheckConstraint("version > 0", name="version"),)

    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), primary_key=True)
    content: Mapped[dict[str, Any]]
    version: Mapped[int] = mapped_column(default=1)
    writer: Mapped[str] = mapped_column(default="")
    updated_at: Mapped[datetime]
