"""Practices licensed in another state than the one where the work needs it: flagged, and resolved.

(payment-escrow-rules, Risk Controls.)
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit
from core.actions.risk import reports, risk_reviews
from core.audit.actions import AuditAction, StoredAction
from core.errors import DeskError, NotFound
from core.records import PracticeFlag
from core.rules.outside_words import two_places
from core.rules.permissions import Actor, Permission, require
from core.rules.reasons import given


class MismatchFlagged(DeskError, tells=("practice_flag", "project")):
    """The practice of this project is already flagged. Resolve that first."""


class MismatchResolved(DeskError, tells=("practice_flag",)):
    """This practice mismatch was already resolved."""


def flag(
    session: Session, actor: Actor, *, now: datetime, project_id: int, licensed_in: str, needed_in: str
) -> PracticeFlag:
    """The practice is licensed in another state than the one where the work is done (or the client lives).

    Raises `SamePlace`, `MismatchFlagged`.
    """
    two_places(licensed_in, needed_in)
    if actor.kind != "system":
        require(actor, Permission.PLACE_HOLD)
    reports.speaks_of(session, actor, project_id)
    concerned = risk_reviews.in_scope(session, project_id, None)
    wanted = select(PracticeFlag.id).where(
        PracticeFlag.project_id == project_id, PracticeFlag.resolved_at.is_(None)
    )
    if (known := session.scalar(wanted)) is not None:
        raise MismatchFlagged(practice_flag=known, project=project_id)
    row = PracticeFlag(
        project_id=project_id,
        licensed_in=licensed_in,
        needed_in=needed_in,
        author_kind=actor.kind,
        author_id=actor.id,
        at=now,
    )
    session.add(row)
    session.flush()
    after = {"licensed_in": licensed_in, "needed_in": needed_in}
    _note(session, actor, AuditAction.PRACTICE_FLAG.by(actor.kind), row, now=now, after=after)
    risk_reviews.consider_all(session, concerned, now=now)
    return row


def resolve(session: Session, actor: Actor, *, now: datetime, flag_id: int, resolution: str) -> None:
    """A person has found that the practice may do this work, or has arranged for one that may.

    The marketplace (the system) may say so of what it flagged itself; staff still settles the review that was opened
    for it. The marketplace's words are kept with the flag, and not in the log. Raises `MismatchResolved`, `NotFound`.
    """
    resolution = given(resolution)
    row = session.get(PracticeFlag, flag_id, with_for_update=True)
    if row is None:
        raise NotFound(kind="practice flag", id=flag_id)
    if not actor.kind == row.author_kind == "system":
        require(actor, Permission.REVIEW_RISK)
    if row.resolved_at is not None:
        raise MismatchResolved(practice_flag=flag_id)
    row.resolution, row.resolved_by, row.resolved_at = resolution, actor.id, now
    session.flush()
    reason = resolution if actor.kind == "staff" else None
    _note(session, actor, AuditAction.PRACTICE_RESOLVE.by(actor.kind), row, now=now, reason=reason)


def _note(
    session: Session, actor: Actor, action: StoredAction, row: PracticeFlag, *, now: datetime, **fields: Any
) -> None:
    audit.record(
        session,
        actor,
        action,
        object_kind="practice",
        object_id=row.id,
        now=now,
        project_id=row.project_id,
        **fields,
    )
