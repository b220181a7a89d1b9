"""Requests to Stripe go on after a restore: a reconciliation knows all that Stripe did since, or a person says so."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit, outbox
from core.audit.actions import AuditAction
from core.errors import DeskError
from core.queries import restores as queries
from core.records import ReconciliationRun, Restore
from core.rules.permissions import SYSTEM, Actor, Permission, require
from core.rules.reasons import given


class NotPaused(DeskError):
    """Requests to Stripe are not paused: this database was not restored, or they go on already."""


def release(session: Session, actor: Actor, *, now: datetime, reason: str) -> None:
    """A person has settled what Stripe did since the backup: requests go on. Each is looked for at Stripe before it is
    sent. Raises `NotPaused`, `StepUpRequired`."""
    require(actor, Permission.RELEASE_REQUESTS, now)
    reason = given(reason)
    waiting = _waiting(session)
    if not waiting:
        raise NotPaused()
    for row in waiting:
        _release(session, actor, row, now=now, reason=reason)
    outbox.wake_all(session, now=now)


def follow(session: Session, run: ReconciliationRun, *, now: datetime) -> None:
    """After a run that began since: requests go on by themselves where every line of Stripe's is known."""
    waiting = _waiting(session)
    if not waiting or any(run.started_at < row.restored_at for row in waiting):
        return
    if queries.unknown_since(session, min(row.taken_at for row in waiting)):
        return
    for row in waiting:
        _release(session, SYSTEM, row, now=now, run_id=run.id)
    outbox.wake_all(session, now=now)


def _waiting(session: Session) -> Sequence[Restore]:
    return session.scalars(
        select(Restore).where(Restore.released_at.is_(None)).order_by(Restore.id).with_for_update()
    ).all()


def _release(
    session: Session,
    actor: Actor,
    row: Restore,
    *,
    now: datetime,
    reason: str | None = None,
    run_id: int | None = None,
) -> None:
    row.released_at, row.reason, row.run_id = now, reason, run_id
    session.flush()
    audit.record(
        session,
        actor,
        AuditAction.RESTORE_RELEASE.by(actor.kind),
        object_kind="restore",
        object_id=row.id,
        now=now,
        reason=reason,
        after={"source": row.source, "taken_at": row.taken_at, "run": run_id},
    )
