"""Signing a history that has no checkpoints any more: a person vouches for it, and the log says who and why."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.audit.actions import AuditAction
from core.audit.entries import record
from core.audit.pinned_keys import ledger_name
from core.rules.permissions import Actor, Permission, require
from core.rules.reasons import given

LAST = text("select coalesce(max(n), 0) from seals")


def note(session: Session, actor: Actor, *, now: datetime, reason: str) -> None:
    """Before `sealing.seal` is told to adopt: up to which seal. Raises `NotPermitted`, `ReasonMissing`."""
    require(actor, Permission.ROTATE_SIGNING_KEY)
    reason = given(reason)
    record(
        session,
        actor,
        AuditAction.CHECKPOINTS_ADOPT.by(actor.kind),
        object_kind="checkpoints",
        object_id=ledger_name(session),
        now=now,
        reason=reason,
        after={"last_seal": session.scalar(LAST)},
    )
