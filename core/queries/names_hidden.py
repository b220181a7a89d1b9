"""Whether names are hidden from a reader of a case, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.audit.actions import AuditAction
from core.queries.cases import CaseView
from core.records import CaseReveal, StaffPreference
from core.records.audit import audit_entries
from core.rules import name_redaction
from core.rules.permissions import Actor, Permission, allowed


@dataclass(frozen=True)
class NameVisibility:
    """`wanted`: the reader's own choice, None for the policy's; `revealed_at`: when they were shown the names."""

    hidden: bool
    decides: bool
    wanted: bool | None
    default: bool
    revealed_at: datetime | None


def hidden_then(session: Session, case: CaseView, staff_id: int, at: datetime) -> bool:
    """Whether names were hidden from this mediator when they decided the case at that instant."""
    shown = session.get(CaseReveal, (case.id, staff_id))
    own = any(each.record.maker_id == staff_id and each.record.made_at < at for each in case.decisions)
    return name_redaction.hidden(
        wanted=_wanted_then(session, staff_id, at),
        default=case.context.profile.blind,
        decides=True,
        undecided=True,
        revealed=own or (shown is not None and shown.at <= at),
    )


def _wanted_then(session: Session, staff_id: int, at: datetime) -> bool | None:
    """Their latest preference at that instant, by the audit log."""
    entries = audit_entries.c
    last = session.execute(
        select(entries.after)
        .where(entries.action == AuditAction.PREFERENCE_BLIND.by("staff"), entries.object_kind == "staff")
        .where(entries.object_id == str(staff_id), entries.at <= at)
        .order_by(entries.id.desc())
        .limit(1)
    ).scalar_one_or_none()
    return last["blind"] if last else None


def sight(session: Session, actor: Actor, case: CaseView) -> NameVisibility:
    """Whether this person sees names in this case."""
    known = session.get(StaffPreference, actor.id)
    shown = session.get(CaseReveal, (case.id, actor.id))
    wanted, default = known.blind if known else None, case.context.profile.blind
    decides = allowed(actor, Permission.DECIDE) or (
        case.record.escalated and allowed(actor, Permission.DECIDE_ESCALATED)
    )
    own = any(each.record.maker_id == actor.id for each in case.decisions)
    return NameVisibility(
        hidden=name_redaction.hidden(
            wanted=wanted,
            default=default,
            decides=decides,
            undecided=case.open and case.decision is None,
            revealed=shown is not None or own,
        ),
        decides=decides,
        wanted=wanted,
        default=default,
        revealed_at=shown.at if shown else None,
    )
