"""An administrator alone gives a colleague a role in an emergency, and another administrator reviews it afterwards.

Every administrator and compliance are told at once. Where nobody reviews it in time the role ends by itself. The role
of an administrator is never given so: with one that was, the second person of every other grant could be made up.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit, notifications
from core.actions.staff import members
from core.actions.staff.role_grants import HasLeft, NothingToGive
from core.audit.actions import AuditAction, StoredAction
from core.errors import DeskError, NotFound
from core.policy.limits import EMERGENCY_REVIEWED_WITHIN
from core.records import EmergencyGrant, Staff
from core.rules.permissions import SYSTEM, Actor, Permission, Role, require, staff_number
from core.rules.reasons import given


class NeverInAnEmergency(DeskError):
    """Nobody is made administrator by one person alone: propose it, and another administrator approves."""


class EmergencySettled(DeskError):
    """This role was reviewed already, or has ended because nobody did in time. Nothing was changed."""


class OwnEmergency(DeskError):
    """You gave this role, or have it yourself, so another administrator reviews it."""


def give(
    session: Session, actor: Actor, *, now: datetime, staff_id: int, role: Role, reason: str
) -> EmergencyGrant:
    """Give one role at once, also in sessions that are open. Raises `NeverInAnEmergency`, `OwnRoles`, `HasLeft`,
    `NothingToGive`, `NotFound`, `NotPermitted`, `StepUpRequired`."""
    require(actor, Permission.MANAGE_STAFF, now)
    me = staff_number(actor, action="give a role in an emergency", roles="administrators who are named")
    if role is Role.ADMINISTRATOR:
        raise NeverInAnEmergency()
    session.execute(members.LOCK)
    staff, held = members.opened(session, actor, now=now, staff_id=staff_id)
    reason = given(reason)
    if not staff.active:
        raise HasLeft(name=staff.name)
    if role in held:
        raise NothingToGive(name=staff.name, roles=members.named(held))
    row = EmergencyGrant(
        staff_id=staff_id,
        role=role,
        reason=reason,
        given_by=me,
        given_at=now,
        review_by=now + EMERGENCY_REVIEWED_WITHIN,
    )
    session.add(row)
    session.flush()
    action = AuditAction.ROLE_GIVE_IN_EMERGENCY.by("staff")
    _record(session, actor, action, row, said=reason, now=now, roles=(held, {*held, role}))
    _tell(session, "role_given_in_emergency", row, now=now, by=session.get_one(Staff, me).name)
    return row


def review(
    session: Session, actor: Actor, *, now: datetime, grant_id: int, stands: bool, reason: str
) -> EmergencyGrant:
    """The role stays, or is taken at once, as another administrator than who gave it. Raises `OwnEmergency`,
    `EmergencySettled`, `NotFound`, `NotPermitted`, `StepUpRequired`."""
    require(actor, Permission.MANAGE_STAFF, now)
    me = staff_number(actor, action="review a role", roles="administrators who are named")
    reason = given(reason)
    session.execute(members.LOCK)
    row = _open(session, grant_id)
    if me in (row.given_by, row.staff_id):
        raise OwnEmergency()
    kept = AuditAction.ROLE_KEEP_AFTER_EMERGENCY
    action = kept if stands else AuditAction.ROLE_END_EMERGENCY
    _settle(session, actor, row, action.by("staff"), stands=stands, by=me, said=reason, now=now)
    return row


def lock(session: Session, grant_id: int) -> None:
    """Whoever reviews it and whoever ends it wait for each other."""
    session.execute(members.LOCK)


def end(session: Session, grant_id: int, *, now: datetime) -> bool:
    """Nobody reviewed it in time, so the role is taken and everybody who watches is told. Whether it still waited."""
    row = session.get_one(EmergencyGrant, grant_id, with_for_update=True, populate_existing=True)
    if row.settled_at is not None:
        return False
    action = AuditAction.ROLE_END_EMERGENCY.by("system")
    _settle(session, SYSTEM, row, action, stands=False, by=None, said=None, now=now)
    _tell(session, "emergency_role_ended", row, now=now, by=session.get_one(Staff, row.given_by).name)
    return True


def _settle(
    session: Session,
    actor: Actor,
    row: EmergencyGrant,
    action: StoredAction,
    *,
    stands: bool,
    by: int | None,
    said: str | None,
    now: datetime,
) -> None:
    held = members.roles_of(session, row.staff_id)
    row.stands, row.reviewed_by, row.note, row.settled_at = stands, by, said, now
    session.flush()
    left = members.roles_of(session, row.staff_id)
    _record(session, actor, action, row, said=said, now=now, roles=(held, left))


def _tell(session: Session, template: str, row: EmergencyGrant, *, now: datetime, by: str) -> None:
    watching = (Role.ADMINISTRATOR, Role.COMPLIANCE)
    told = {each for role in watching for each in notifications.staff_of(session, role)} - {row.staff_id}
    notifications.tell_staff(
        session,
        template,
        staff_ids=told,
        about=("emergency_grant", row.id),
        key=f"emergency-grant-{row.id}-{template}",
        now=now,
        number=row.staff_id,
        roles=row.role,
        by=by,
        review_by=row.review_by,
    )


def _open(session: Session, grant_id: int) -> EmergencyGrant:
    wanted = select(EmergencyGrant).where(EmergencyGrant.id == grant_id).with_for_update()
    row = session.scalars(wanted.execution_options(populate_existing=True)).one_or_none()
    if row is None:
        raise NotFound(kind="role given in an emergency", id=grant_id)
    if row.settled_at is not None:
        raise EmergencySettled()
    return row


def _record(
    session: Session,
    actor: Actor,
    action: StoredAction,
    row: EmergencyGrant,
    *,
    said: str | None,
    now: datetime,
    roles: tuple[set[Role], set[Role]],
) -> None:
    before, after = roles
    more: dict[str, Any] = {"staff": row.staff_id, "role": row.role}
    audit.record(
        session,
        actor,
        action,
        object_kind="emergency_grant",
        object_id=row.id,
        now=now,
        reason=said,
        before={"roles": sorted(before)},
        after={"roles": sorted(after), **more},
        contents=[members.words(session.get_one(Staff, row.staff_id), after)],
    )
