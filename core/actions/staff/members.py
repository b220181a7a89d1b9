"""Members of staff after they joined: roles, leaving, returning. Joining is in `install`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from core import audit
from core.audit.actions import AuditAction
from core.audit.content_hashes import Words
from core.errors import DeskError, NotFound
from core.records import Case, Staff, StaffRole
from core.rules.permissions import Actor, Permission, Role, require
from core.rules.reasons import given

TAKE_ROLE = text("select take_staff_role(:staff, :role)")


class LastAdministrator(DeskError):
    """{name} is the only administrator who works here. Make somebody else one first."""


class OwnRoles(DeskError):
    """Nobody changes their own roles or their own place at the desk: ask another administrator."""


class NothingChanges(DeskError):
    """{name} {is_so} already. Nothing was done."""


def set_roles(
    session: Session, actor: Actor, *, now: datetime, staff_id: int, roles: Iterable[Role], reason: str
) -> Staff:
    """Set exactly these roles, also for open sessions. Raises `NotFound`, `LastAdministrator`, `OwnRoles`,
    `NothingChanges`."""
    staff, before = _opened(session, actor, now=now, staff_id=staff_id)
    reason = given(reason)
    wanted = set(roles)
    if wanted == before:
        raise NothingChanges(name=staff.name, is_so=f"is {_named(before)}")
    if Role.ADMINISTRATOR in before - wanted and staff.active:
        _require_another(session, staff)
    for role in sorted(before - wanted):
        session.execute(TAKE_ROLE, {"staff": staff.id, "role": role})
    session.add_all(StaffRole(staff_id=staff.id, role=role) for role in sorted(wanted - before))
    _note(
        session,
        actor,
        AuditAction.STAFF_SET_ROLES,
        staff,
        now=now,
        reason=reason,
        before={"roles": sorted(before)},
        after={"roles": sorted(wanted)},
        roles=wanted,
    )
    return staff


def set_active(
    session: Session, actor: Actor, *, now: datetime, staff_id: int, active: bool, reason: str
) -> Staff:
    """Deactivate a member of staff, which ends all of their sessions at once, or reactivate them. Raises
    `NothingChanges`, and as `set_roles`."""
    staff, roles = _opened(session, actor, now=now, staff_id=staff_id)
    reason = given(reason)
    if staff.active == active:
        raise NothingChanges(name=staff.name, is_so="works here" if active else "has left")
    if not active and Role.ADMINISTRATOR in roles:
        _require_another(session, staff)
    staff.active = active
    session.flush()
    _note(
        session,
        actor,
        AuditAction.STAFF_COME_BACK if active else AuditAction.STAFF_LEAVE,
        staff,
        now=now,
        reason=reason,
        before={"active": not active},
        after={"active": active},
        roles=roles,
    )
    return staff


def open_cases(session: Session, staff_id: int) -> int:
    """The cases that somebody else must take when they leave."""
    wanted = select(func.count()).where(Case.mediator_id == staff_id, Case.resolved_at.is_(None))
    return session.scalar(wanted) or 0


def _opened(session: Session, actor: Actor, *, now: datetime, staff_id: int) -> tuple[Staff, set[Role]]:
    require(actor, Permission.MANAGE_STAFF, now)
    # Everyone's roles under one lock, in one order: two administrators cannot each remove the other.
    session.scalars(select(Staff.id).order_by(Staff.id).with_for_update()).all()
    staff = session.get(Staff, staff_id, populate_existing=True)
    if staff is None:
        raise NotFound(kind="member of staff", id=staff_id)
    if actor.kind == "staff" and actor.id == staff_id:
        raise OwnRoles()
    held = session.scalars(select(StaffRole.role).where(StaffRole.staff_id == staff_id))
    return staff, set(map(Role, held))


def _require_another(session: Session, staff: Staff) -> None:
    others = (
        select(func.count())
        .select_from(StaffRole)
        .join(Staff, Staff.id == StaffRole.staff_id)
        .where(StaffRole.role == Role.ADMINISTRATOR, Staff.active, Staff.id != staff.id)
    )
    if not session.scalar(others):
        raise LastAdministrator(name=staff.name)


def _named(roles: Iterable[Role]) -> str:
    return " and ".join(sorted(roles)) or "without a role"


def _note(
    session: Session,
    actor: Actor,
    action: AuditAction,
    staff: Staff,
    *,
    now: datetime,
    reason: str,
    before: dict[str, object],
    after: dict[str, object],
    roles: set[Role],
) -> None:
    audit.record(
        session,
        actor,
        action.by(actor.kind),
        object_kind="staff",
        object_id=staff.id,
        now=now,
        reason=reason.strip(),
        before=before,
        after=after,
        contents=[Words("staff_roles", staff, {"roles": sorted(role.value for role in roles)})],
    )
