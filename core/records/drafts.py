"""The mediator's workbench: unfinished decisions, first judgements, notes on evidence."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey
from sqlalchemy.dialects.postgresql import ARRAY
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


class StaffPreference(Record):
    """How a member of staff likes to work. `blind`: whether names are hidden in cases; None: as the policy says."""

    __tablename__ = "staff_preferences"

    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), primary_key=True)
    blind: Mapped[bool | None] = mapped_column(default=None)
    updated_at: Mapped[datetime]


class CaseReveal(Record):
    """What a mediator thought of a case before its names were shown to them, and when they were shown."""

    __tablename__ = "case_reveals"

    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), primary_key=True)
    draft: Mapped[dict[str, Any]]
    at: Mapped[datetime]


class EvidenceNote(Record):
    """What staff noted about a piece of evidence, for staff. Added to, never changed.

    `area` is a part of the picture or of `page`: left, top, width, height in ten-thousandths.
    """

    __tablename__ = "evidence_notes"
    __table_args__ = (
        CheckConstraint("body <> ''", name="not_empty"),
        CheckConstraint("page is null or page > 0", name="page"),
        CheckConstraint(
            "area is null or (cardinality(area) = 4 and 0 <= all (area) and area[3] > 0 and area[4] > 0 "
            "and area[1] + area[3] <= 10000 and area[2] + area[4] <= 10000)",
            name="area",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    evidence_id: Mapped[int] = mapped_column(ForeignKey("evidence.id"), index=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    body: Mapped[str]
    at: Mapped[datetime]
    page: Mapped[int | None] = mapped_column(default=None)
    area: Mapped[list[int] | None] = mapped_column(ARRAY(BigInteger), default=None)
