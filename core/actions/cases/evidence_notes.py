"""Notes of staff on evidence, for staff: added to, never changed. The parties do not see them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from core import audit
from core.actions.cases.messages import checked
from core.audit.actions import AuditAction
from core.errors import NotFound
from core.records import Evidence, EvidenceNote
from core.rules.evidence import Area, check_area
from core.rules.permissions import Actor, Permission, require


def note(
    session: Session,
    actor: Actor,
    *,
    now: datetime,
    evidence_id: int,
    body: str,
    area: Area | None = None,
    page: int | None = None,
) -> EvidenceNote:
    """Add a note to a piece of evidence, or to an `area` of the picture or of `page` (from 1).

    Raises `NotFound`, `MessageEmpty`, `MessageTooLong`, `AreaOutside`.
    """
    require(actor, Permission.WORK_CASE)
    piece = session.get(Evidence, evidence_id)
    if piece is None:
        raise NotFound(kind="piece of evidence", id=evidence_id)
    made = EvidenceNote(
        evidence_id=piece.id,
        staff_id=actor.id,
        body=checked(body),
        at=now,
        area=list(check_area(area)) if area else None,
        page=page if page and page > 0 else None,
    )
    session.add(made)
    session.flush()
    audit.record(
        session,
        actor,
        AuditAction.EVIDENCE_NOTE.by("staff"),
        object_kind="evidence",
        object_id=piece.id,
        now=now,
        after={"note": made.id} | ({"area": made.area} if made.area else {}),
        milestone_id=piece.milestone_id,
        contents=[made],
    )
    return made
