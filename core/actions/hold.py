"""Holds: staff stop a release by hand, on reports, disputes and risk (payment-escrow-rules, Release Rules)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from core.actions import release
from core.actions.dossier import open_dossier
from core.errors import DeskError, NotFound, ReasonMissing
from core.records import Hold
from core.rules import milestones
from core.rules.holds import HoldKind
from core.rules.permissions import Actor, Permission, require


class HoldAlreadyLifted(DeskError):
    """Hold {hold} was already lifted."""


def place(
    session: Session,
    actor: Actor,
    *,
    now: datetime,
    milestone_id: int,
    reason: str,
    kind: HoldKind = HoldKind.MANUAL,
    report_id: int | None = None,
) -> Hold:
    """Stop every release and payout of a milestone until the hold is lifted; the reason is kept."""
    require(actor, Permission.PLACE_HOLD)
    if not reason.strip():
        raise ReasonMissing()
    dossier = open_dossier(session, milestone_id)
    hold = Hold(
        milestone_id=milestone_id,
        kind=kind,
        reason=reason,
        report_id=report_id,
        placed_by=actor.id,
        placed_at=now,
    )
    session.add(hold)
    dossier.touch()
    session.flush()
    dossier.note(
        session,
        actor,
        "staff:hold:place",
        now=now,
        about=("hold", hold.id),
        reason=reason,
        after={"kind": kind},
        report_id=report_id,
    )
    return hold


def lift(session: Session, actor: Actor, *, now: datetime, hold_id: int, reason: str) -> None:
    """Lift a hold; what was verified meanwhile is released now, unless something else blocks it."""
    require(actor, Permission.RELEASE_HOLD)
    if not reason.strip():
        raise ReasonMissing()
    plain = session.get(Hold, hold_id)
    if plain is None:
        raise NotFound(kind="hold", id=hold_id)
    dossier = open_dossier(session, plain.milestone_id)
    hold = session.get_one(Hold, hold_id, with_for_update=True, populate_existing=True)
    if hold.released_at is not None:
        raise HoldAlreadyLifted(hold=hold_id)
    hold.released_by, hold.released_at, hold.release_reason = actor.id, now, reason
    dossier.touch()
    session.flush()
    dossier.note(
        session,
        actor,
        "staff:hold:lift",
        now=now,
        about=("hold", hold_id),
        reason=reason,
        report_id=hold.report_id,
    )
    if dossier.status is milestones.Status.VERIFIED and dossier.order.held_minor:
        release.release_verified(session, actor, dossier, now=now)
