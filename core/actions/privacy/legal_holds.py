"""A legal hold on a party: while it stands nothing about them is erased, whatever anybody asks.

It names who placed it, when and why, and it is lifted by a person with a reason. It stops no money.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from core import audit
from core.audit.actions import AuditAction
from core.audit.content_hashes import Words
from core.errors import DeskError, NotFound
from core.records import LegalHold, Party, Staff
from core.rules.permissions import Actor, Permission, require, staff_number
from core.rules.reasons import given


class LegalHoldStands(DeskError):
    """{party} is under a legal hold since {placed_at:%-d %b %Y, %H:%M} UTC, placed by {placed_by}. A second one is
    not placed."""


class NoLegalHold(DeskError):
    """No legal hold stands on {party}. Nothing was lifted."""


def place(session: Session, actor: Actor, *, now: datetime, party_id: int, reason: str) -> LegalHold:
    """Nothing about this party is erased until it is lifted. Raises `LegalHoldStands`, `NotFound`,
    `StepUpRequired`."""
    require(actor, Permission.PLACE_LEGAL_HOLD, now)
    reason = given(reason)
    party = locked(session, party_id)
    if hold := standing(session, party_id):
        by = session.get_one(Staff, hold.placed_by).name
        raise LegalHoldStands(party=party.external_id, placed_at=hold.placed_at, placed_by=by)
    hold = LegalHold(
        party_id=party_id,
        reason=reason,
        placed_by=staff_number(actor, action="place a legal hold"),
        placed_at=now,
    )
    session.add(hold)
    session.flush()
    audit.record(
        session,
        actor,
        AuditAction.LEGAL_HOLD_PLACE.by("staff"),
        object_kind="party",
        object_id=party_id,
        now=now,
        reason=reason,
        after={"legal_hold": hold.id},
        contents=[hold],
    )
    return hold


def lift(session: Session, actor: Actor, *, now: datetime, party_id: int, reason: str) -> LegalHold:
    """What is asked to be erased may be, unless something else is in the way. Raises `NoLegalHold`, `NotFound`,
    `StepUpRequired`."""
    require(actor, Permission.PLACE_LEGAL_HOLD, now)
    reason = given(reason)
    party = locked(session, party_id)
    hold = standing(session, party_id)
    if hold is None:
        raise NoLegalHold(party=party.external_id)
    hold.lifted_by, hold.lifted_at = staff_number(actor, action="lift a legal hold"), now
    hold.lift_reason = reason
    session.flush()
    audit.record(
        session,
        actor,
        AuditAction.LEGAL_HOLD_LIFT.by("staff"),
        object_kind="party",
        object_id=party_id,
        now=now,
        reason=reason,
        after={"legal_hold": hold.id},
        contents=[Words("legal_hold_ends", hold)],
    )
    return hold


def standing(session: Session, party_id: int) -> LegalHold | None:
    """The one that stands; there is at most one."""
    return session.scalars(_standing(party_id)).one_or_none()


def locked(session: Session, party_id: int) -> Party:
    """Whoever places a hold and whoever erases wait for each other here. Raises `NotFound`."""
    party = session.get(Party, party_id, with_for_update=True, populate_existing=True)
    if party is None:
        raise NotFound(kind="party", id=party_id)
    return party


def _standing(party_id: int) -> Select[LegalHold]:
    return select(LegalHold).where(LegalHold.party_id == party_id, LegalHold.lifted_at.is_(None))
