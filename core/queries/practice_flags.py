"""Flagged practices that nobody has resolved, for those who do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.queries.bounded_list import Listed, total
from core.queries.risk import MOST
from core.records import PracticeFlag


@dataclass(frozen=True)
class Flag:
    """A practice mismatch that nobody has resolved."""

    id: int
    project_id: int
    licensed_in: str
    needed_in: str
    at: datetime


def open_flags(session: Session, *, most: int = MOST) -> Listed[Flag]:
    """The practice mismatches that are not resolved, the oldest first."""
    wanted = (
        select(PracticeFlag).where(PracticeFlag.resolved_at.is_(None)).order_by(PracticeFlag.id).limit(most)
    )
    rows = [
        Flag(row.id, row.project_id, row.licensed_in, row.needed_in, row.at)
        for row in session.scalars(wanted)
    ]
    return Listed(rows, total(session, wanted, shown=len(rows), limit=most))
