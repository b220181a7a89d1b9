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

LOCK = text("select lock_administrators()")
TAKE_ROLE = text("select take_staff_role(:staff, :role)")


class LastAdministrator(DeskError):
    """{name} is the only administrator who works here. Make somebody else one first."""


class OwnRoles(DeskError):
    """Nobody changes their own roles or their own place at the desk: ask another administrator."""


class NothingChanges(DeskError):
    """{name} {is_so} already. Nothing was done."""


def take_roles(
    session: Session, actor: Actor, *, now: datetime, staff_id: int, roles: Iterable[Role], reason: str
) -> Staff:
    """Take these roles away, at once and in every open session; one administrator is enough. Raises `NotFound`,
    `LastAdministrator`, `OwnRoles`, `NothingChanges`."""
    require(actor, Permission.MANAGE_STAFF, now)
    staff, before = opened(session, actor, now=now, staff_id=staff_id)
    reason = given(reason)
    taken = set(roles) & before
    if not taken:
        raise NothingChanges(name=staff.name, is_so=f"is {named(before) or 'without a role'}")
    _take(session, staff, taken)
    left = before - taken
    _note(
        session,
        actor,
        AuditAction.ROLE_TAKE,
        staff,
        now=now,
        reason=reason,
        before={"roles": sorted(before)},
        after={"roles": sorted(left)},
        roles=left,
    )
    return staff


def set_active(
    session: Session, actor: Actor, *, now: datetime, staff_id: int, active: bool, reason: str
) -> Staff:
    """Deactivate a member of staff, which ends all of their sessions at once and takes their roles, or reactivate them:
    they come back without a role, and two administrators give them one. Raises `NothingChanges`, and as
    `take_roles`."""
    require(actor, Permission.MANAGE_STAFF, now)
    staff, roles = opened(session, actor, now=now, staff_id=staff_id)
    reason = given(reason)
    if staff.active == active:
        raise NothingChanges(name=staff.name, is_so="works here" if active else "has left")
    # Whoever left before roles were taken with it may have some left.
    _take(session, staff, roles)
    staff.active = active
    session.flush()
    _note(
        session,
        actor,
        AuditAction.STAFF_COME_BACK if active else AuditAction.STAFF_LEAVE,
        staff,
        now=now,
        reason=reason,
        before={"active": not active, "roles": sorted(roles)},
        after={"active": active, "roles": []},
        roles=set(),
    )
    return staff


def open_cases(session: Session, staff_id: int) -> int:
    """The cases that somebody else must take when they leave."""
    wanted = select(func.count()).where(Case.mediator_id == staff_id, Case.resolved_at.is_(None))
    return session.scalar(wanted) or 0


def opened(session: Session, actor: Actor, *, now: datetime, staff_id: int) -> tuple[Staff, set[Role]]:
    """A colleague and their roles, for an administrator; everyone's roles are locked. Raises `NotFound`, `OwnRoles`."""
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


def _take(session: Session, staff: Staff, roles: set[Role]) -> None:
    if Role.ADMINISTRATOR in roles and staff.active:
        _require_another(session, staff)
    for role in sorted(roles):
        session.execute(TAKE_ROLE, {"staff": staff.id, "role": role})


def _require_another(session: Session, staff: Staff) -> None:
    others = (
        select(func.count())
        .select_from(StaffRole)
        .join(Staff, Staff.id == StaffRole.staff_id)
        .where(StaffRole.role == Role.ADMINISTRATOR, Staff.active, Staff.id != staff.id)
    )
    if not session.scalar(others):
        raise LastAdministrator(name=staff.name)


def named(roles: Iterable[str]) -> str:
    return " and ".join(sorted(roles))


def words(staff: Staff, roles: Iterable[Role]) -> Words:
    """What an entry keeps of someone's name, address and roles."""
    return Words("staff_roles", staff, {"roles": sorted(role.value for role in roles)})


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
        contents=[words(staff, roles)],
    )
