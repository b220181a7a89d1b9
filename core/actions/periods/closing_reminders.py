"""Finance is reminded of a day or month that should be closed and is not (internal policy). Nothing closes it by
itself."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from core import audit, notifications
from core.audit.actions import AuditAction
from core.queries import periods
from core.records import PeriodReminder
from core.rules.periods import PeriodKind, closed_by
from core.rules.permissions import SYSTEM, Role

NEWEST = text("select id from periods order by id desc limit 1 for no key update")


def lock(session: Session) -> None:
    """Of two who would remind, one does."""
    session.execute(NEWEST)


def remind(session: Session, day: date, *, now: datetime) -> bool:
    """Write to everybody in finance. Whether the day was still the first open one."""
    due = periods.next_due(session)
    if due is None or due.first != day:
        return False
    session.add(PeriodReminder(day=day, sent_at=now))
    session.flush()
    audit.record(
        session,
        SYSTEM,
        AuditAction.PERIOD_REMIND.by("system"),
        object_kind="period",
        object_id=day.isoformat(),
        now=now,
        after={"day": day.isoformat()},
    )
    notifications.tell_staff(
        session,
        "day_not_closed",
        staff_ids=notifications.staff_of(session, Role.FINANCE),
        about=("period", int(f"{day:%Y%m%d}")),
        key=f"day-not-closed-{day.isoformat()}",
        now=now,
        period=f"{day:%-d %B %Y}" if due.kind is PeriodKind.DAY else due.words,
        day=f"{day:%-d %B %Y}",
        due_at=closed_by(due),
    )
    return True
