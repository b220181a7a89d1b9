"""Trying a background job again that ended with an error."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from core import audit, jobs
from core.audit.actions import AuditAction
from core.rules.permissions import Actor, Permission, require
from core.rules.reasons import given


def retry(session: Session, actor: Actor, *, now: datetime, job_id: int, reason: str) -> None:
    """The next worker that is free runs it. What it was for may be done already; then it changes nothing.

    Raises `NotFound`, `JobNotFailed`, `JobQueuedAlready`, `NotPermitted`, `StepUpRequired`.
    """
    require(actor, Permission.RETRY_OPERATION, now)
    reason = given(reason)
    task = jobs.again(session, job_id)
    audit.record(
        session,
        actor,
        AuditAction.JOB_RETRY.by(actor.kind),
        object_kind="job",
        object_id=job_id,
        now=now,
        reason=reason,
        after={"task": task},
    )
