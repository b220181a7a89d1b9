"""When a hold is expected to end: put off with a reason, and its placer reminded when it is over.

Nothing lifts it by itself (internal policy).
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from core import audit, notifications
from core.actions.milestones.milestone_context import open_milestone
from core.actions.risk.holds import HoldAlreadyLifted
from core.audit.actions import AuditAction
from core.errors import NotFound
from core.records import Hold, PayeeHold
from core.rules import holds
from core.rules.permissions import SYSTEM, Actor, Permission, Role, require
from core.rules.reasons import given
from core.rules.references import reference


def extend(
    session: Session, actor: Actor, *, now: datetime, hold_id: int, until: datetime, reason: str
) -> Hold | PayeeHold:
    """Expect its end at another moment from now on; its placer is reminded then. Raises `HoldAlreadyLifted`,
    `EndNotAhead`.
    """
    require(actor, Permission.PLACE_HOLD)
    reason = given(reason)
    holds.check_end(until, now)
    hold = locked(session, hold_id)
    if hold.released_at is not None:
        raise HoldAlreadyLifted(hold=hold_id)
    before, hold.expected_end, hold.reminded_at = hold.expected_end, until, None
    session.flush()
    audit.record(
        session,
        actor,
        AuditAction.HOLD_EXTEND.by("staff"),
        object_kind="hold",
        object_id=hold.id,
        now=now,
        reason=reason,
        before={"expected_end": before},
        after={"expected_end": until},
        milestone_id=hold.milestone_id if isinstance(hold, Hold) else None,
    )
    return hold


def locked(session: Session, hold_id: int) -> Hold | PayeeHold:
    """A hold of a milestone, behind its milestone's lock, or one of a payee: their numbers are one series. Raises
    `NotFound`."""
    of_milestone = session.get(Hold, hold_id)
    if of_milestone is not None:
        open_milestone(session, of_milestone.milestone_id)
        return session.get_one(Hold, hold_id, with_for_update=True, populate_existing=True)
    if session.get(PayeeHold, hold_id) is None:
        raise NotFound(kind="hold", id=hold_id)
    return session.get_one(PayeeHold, hold_id, with_for_update=True, populate_existing=True)


def remind(session: Session, hold_id: int, *, now: datetime) -> bool:
    """Its expected end is over: whoever placed it decides whether it is lifted or goes on. What nobody of staff placed
    is compliance's."""
    hold = locked(session, hold_id)
    end = hold.expected_end
    if end is None or hold.released_at is not None:
        return False
    hold.reminded_at = now
    session.flush()
    audit.record(
        session,
        SYSTEM,
        AuditAction.HOLD_REMIND.by("system"),
        object_kind="hold",
        object_id=hold.id,
        now=now,
        milestone_id=hold.milestone_id if isinstance(hold, Hold) else None,
    )
    told = [hold.placed_by] if hold.placed_by else notifications.staff_of(session, Role.COMPLIANCE)
    notifications.tell_staff(
        session,
        "hold_end_reached",
        staff_ids=told,
        about=("hold", hold.id),
        key=f"hold-{hold.id}-end-{end.isoformat()}",
        now=now,
        hold=reference("hold", hold.id),
        placed_at=hold.placed_at,
        expected_end=end,
    )
    return True
