"""The month's retention run: whom the policy keeps no longer is proposed for erasure, and another carries it out.

A run is erasures that bear its month, each of which is approved, refused and proved as any erasure is
(docs/decisions/0034): what was done stays done wherever it is broken off, and what is left waits.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy.orm import Session

from core import audit, notifications
from core.actions.privacy import erasures
from core.audit.actions import AuditAction
from core.db import one_at_a_time
from core.errors import DeskError
from core.queries import retention
from core.records import Erasure
from core.rules.permissions import SYSTEM, Actor, Permission, Role, require
from core.rules.reasons import given


class NobodyErasable(DeskError):
    """Nobody is proposed: of {due} whose time is over, {waiting} wait for a second person already and of the others
    something is in the way of each. Nothing was done."""


def propose(session: Session, actor: Actor, *, now: datetime, reason: str) -> list[Erasure]:
    """Propose to erase those whose time is over and whom nothing keeps, the longest first, a limited number at once.
    Nothing is erased yet. Raises `NobodyErasable`, `TiedToParty`, `NotPermitted`, `StepUpRequired`."""
    require(actor, Permission.PROPOSE_ERASURE, now)
    reason = given(reason)
    one_at_a_time(session, "retention")
    plan = retention.planned(session, now=now)
    if not plan.chosen:
        raise NobodyErasable(due=plan.due, waiting=plan.waiting)
    month = now.date().replace(day=1)
    rows = [
        erasures.propose(session, actor, now=now, party_id=each.id, reason=reason, retention_month=month)
        for each in plan.chosen
    ]
    audit.record(
        session,
        actor,
        AuditAction.PERSON_PROPOSE_RETENTION.by("staff"),
        object_kind="retention",
        object_id=month.isoformat(),
        now=now,
        reason=reason,
        after={"due": plan.due, "proposed": len(rows), "kept": len(plan.kept)},
    )
    return rows


def lock(session: Session, month: int) -> None:
    """Of two who would remind, one does."""
    one_at_a_time(session, "retention")


def remind(session: Session, month: int, *, now: datetime) -> bool:
    """Once a month: how many are due stands in the log, and compliance is told where anybody is."""
    first = date(month // 100, month % 100, 1)
    count = len(retention.due(session, now=now))
    audit.record(
        session,
        SYSTEM,
        AuditAction.PERSON_REMIND_RETENTION.by("system"),
        object_kind="retention",
        object_id=first.isoformat(),
        now=now,
        after={"due": count},
    )
    if count:
        notifications.tell_staff(
            session,
            "retention_due",
            staff_ids=notifications.staff_of(session, Role.COMPLIANCE),
            about=("retention", month),
            key=f"retention-{month}",
            now=now,
            month=f"{first:%B %Y}",
            people=count,
        )
    return True
