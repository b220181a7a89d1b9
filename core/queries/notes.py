"""What staff noted about the evidence of a milestone."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.records import Evidence, EvidenceNote, Staff


@dataclass(frozen=True)
class Noted:
    """One note, with who wrote it."""

    body: str
    author: str
    at: datetime


def of_milestone(session: Session, milestone_id: int) -> dict[int, list[Noted]]:
    """Notes by piece of evidence, oldest first."""
    rows = session.execute(
        select(EvidenceNote.evidence_id, EvidenceNote.body, Staff.name, EvidenceNote.at)
        .join(Evidence, Evidence.id == EvidenceNote.evidence_id)
        .join(Staff, Staff.id == EvidenceNote.staff_id)
        .where(Evidence.milestone_id == milestone_id)
        .order_by(EvidenceNote.at, EvidenceNote.id)
    )
    found: dict[int, list[Noted]] = defaultdict(list)
    for number, body, author, at in rows:
        found[number].append(Noted(body, author, at))
    return dict(found)
