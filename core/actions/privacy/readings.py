"""Reading in the log: what a colleague opens is written down before it is shown, and each hour becomes one entry."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core import audit
from core.audit.actions import AuditAction
from core.records import Reading
from core.rules.permissions import SYSTEM, Actor, require_one
from core.rules.readings import HOUR, OPENED_WITH, ReadingKind, hour_of


def note(session: Session, actor: Actor, *, now: datetime, kind: ReadingKind, number: int) -> None:
    """One statement; again within the hour it moves the last time. Of whoever is no member of staff nothing is noted:
    what they take leaves an entry of its own. Raises `NotPermitted`."""
    require_one(actor, *OPENED_WITH[kind])
    keep(session, actor, now=now, kind=kind, number=number)


def keep(session: Session, actor: Actor, *, now: datetime, kind: ReadingKind, number: int) -> None:
    """For an action that has asked for its own permission. The roles beside it are the database's to say."""
    if actor.kind != "staff":
        return
    read = insert(Reading).values(
        staff_id=actor.id,
        hour=hour_of(now),
        kind=kind,
        object_id=number,
        session_id=actor.session_id,
        first_at=now,
        last_at=now,
    )
    key = ["staff_id", "hour", "kind", "object_id"]
    later = func.greatest(Reading.last_at, read.excluded.last_at)
    session.execute(read.on_conflict_do_update(index_elements=key, set_={"last_at": later}))


def over(session: Session, *, now: datetime) -> list[tuple[int, datetime]]:
    """Colleagues and hours that are over and not in the log, the oldest first."""
    wanted = select(Reading.staff_id, Reading.hour).where(
        Reading.entered_at.is_(None), Reading.hour <= now - HOUR
    )
    rows = session.execute(wanted.distinct().order_by(Reading.hour, Reading.staff_id))
    return [(row.staff_id, row.hour) for row in rows]


def enter(session: Session, *, now: datetime, staff_id: int, hour: datetime) -> bool:
    """One entry that names all that this colleague read in this hour, by kind; False where another worker was first."""
    waiting = update(Reading).where(
        Reading.staff_id == staff_id, Reading.hour == hour, Reading.entered_at.is_(None)
    )
    rows = session.execute(
        waiting.values(entered_at=now).returning(
            Reading.kind, Reading.object_id, Reading.roles, Reading.session_id
        )
    ).all()
    if not rows:
        return False
    read = defaultdict[str, list[int]](list)
    for row in sorted(rows, key=lambda row: (row.kind.value, row.object_id)):
        read[row.kind.value.lower()].append(row.object_id)
    audit.record(
        session,
        SYSTEM,
        AuditAction.READING_ENTER.by("desk"),
        object_kind="staff",
        object_id=staff_id,
        now=now,
        after={
            "since": hour,
            "until": hour + HOUR,
            "roles": sorted({role for row in rows for role in row.roles.split(",") if role}),
            "sessions": sorted({row.session_id for row in rows if row.session_id}),
            "read": dict(read),
        },
    )
    return True
