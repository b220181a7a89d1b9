"""When a member of staff last had a case open, so that the queue can count what is new to them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.records import CaseVisit
from core.rules.permissions import Actor, Permission, require


def seen(session: Session, actor: Actor, *, now: datetime, case_id: int) -> None:
    """Record that this person has the case open now. Not audited; opening evidence is."""
    require(actor, Permission.READ_CASES)
    visit = insert(CaseVisit).values(case_id=case_id, staff_id=actor.id, seen_at=now)
    later = func.greatest(CaseVisit.seen_at, visit.excluded.seen_at)
    session.execute(
        visit.on_conflict_do_update(index_elements=["case_id", "staff_id"], set_={"seen_at": later})
    )


def last(session: Session, actor: Actor, *, case_id: int) -> datetime | None:
    """When this person last had the case open."""
    visit = session.get(CaseVisit, (case_id, actor.id)) if actor.id else None
    return visit.seen_at if visit else None
