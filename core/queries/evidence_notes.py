"""Notes of staff on a milestone's evidence."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.records import Evidence, EvidenceNote, Staff
from core.rules.evidence import Area


@dataclass(frozen=True)
class Noted:
    """One note, with who wrote it. `area` is the part of the picture, or of `page`, that it is about."""

    body: str
    author: str
    at: datetime
    page: int | None = None
    area: Area | None = None
    number: int = 0


def of_milestone(
    session: Session, milestone_id: int, *, until: datetime | None = None
) -> dict[int, list[Noted]]:
    """Notes by piece of evidence, oldest first; those on an area are numbered as the area is. Up to an instant."""
    wanted = (
        select(
            EvidenceNote.evidence_id,
            EvidenceNote.body,
            Staff.name,
            EvidenceNote.at,
            EvidenceNote.page,
            EvidenceNote.area,
        )
        .join(Evidence, Evidence.id == EvidenceNote.evidence_id)
        .join(Staff, Staff.id == EvidenceNote.staff_id)
        .where(Evidence.milestone_id == milestone_id)
        .order_by(EvidenceNote.at, EvidenceNote.id)
    )
    rows = session.execute(wanted.where(EvidenceNote.at <= until) if until else wanted)
    found: dict[int, list[Noted]] = defaultdict(list)
    for piece, body, author, at, page, area in rows:
        marked = sum(1 for each in found[piece] if each.area) + 1 if area else 0
        part = (area[0], area[1], area[2], area[3]) if area else None
        found[piece].append(Noted(body, author, at, page, part, marked))
    return dict(found)
