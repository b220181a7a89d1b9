"""Who looks after a payout: one member of staff who may review payouts, or nobody (internal policy)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.actions.milestones.milestone_context import open_milestone
from core.audit.actions import AuditAction
from core.errors import DeskError, NotFound
from core.records import Payout, Staff, StaffRole
from core.rules.payout_progress import OVER
from core.rules.permissions import TABLE, Actor, Permission, require


class CannotOwn(DeskError):
    """{who} cannot look after a payout: only finance and administrators who work here can."""


class PayoutOver(DeskError):
    """This payout is over, so nobody needs to look after it."""


def assign(session: Session, actor: Actor, *, now: datetime, payout_id: int, owner_id: int | None) -> Payout:
    """Give it to this member of staff, or to nobody; the entry says from whom to whom.

    Raises `NotFound`, `CannotOwn`, `PayoutOver`.
    """
    require(actor, Permission.ASSIGN_PAYOUT)
    plain = session.get(Payout, payout_id)
    if plain is None:
        raise NotFound(kind="payout", id=payout_id)
    context = open_milestone(session, plain.milestone_id)
    payout = session.get_one(Payout, payout_id, with_for_update=True, populate_existing=True)
    if payout.status in OVER:
        raise PayoutOver()
    if owner_id is not None:
        _require_able(session, owner_id)
    if payout.owner_id == owner_id:
        return payout
    before, payout.owner_id = payout.owner_id, owner_id
    session.flush()
    context.note(
        session,
        actor,
        AuditAction.PAYOUT_ASSIGN.by("staff"),
        now=now,
        about=("payout", payout.id),
        before={"owner": before},
        after={"owner": owner_id},
    )
    return payout


def able(session: Session) -> dict[int, str]:
    """Names of those who can look after a payout, by number."""
    wanted = (
        select(Staff.id, Staff.name)
        .where(Staff.active, Staff.id.in_(select(StaffRole.staff_id).where(StaffRole.role.in_(_ROLES))))
        .order_by(Staff.name)
    )
    return {row.id: row.name for row in session.execute(wanted)}


_ROLES = TABLE[Permission.REVIEW_PAYOUT]


def _require_able(session: Session, staff_id: int) -> None:
    if staff_id not in able(session):
        found = session.get(Staff, staff_id)
        raise CannotOwn(who=found.name if found else f"Staff {staff_id}")
