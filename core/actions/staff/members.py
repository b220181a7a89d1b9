"""Members of staff after they joined: roles, leaving, returning. Joining is in `install`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from core import audit
from core.actions.cases import mediator_assignment
from core.actions.milestones.milestone_context import open_case
from core.audit.actions import AuditAction
from core.audit.content_hashes import Words
from core.errors import ChangedMeanwhile, DeskError, NotFound
from core.records import Case, Staff, StaffRole
from core.rules.cases import BLOCKING
from core.rules.permissions import Actor, Permission, Role, require
from core.rules.reasons import given

LOCK = text("select lock_administrators()")
TAKE_ROLE = text("select take_staff_role(:staff, :role)")


class LastAdministrator(DeskError):
    """{name} is the only administrator who works here. Make somebody else one first."""


class OwnRoles(DeskError):
    """Nobody changes their own roles, skills or place at the desk: ask another administrator."""


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
    session: Session,
    actor: Actor,
    *,
    now: datetime,
    staff_id: int,
    active: bool,
    reason: str,
    hand_over: Mapping[int, int | None] | None = None,
) -> Staff:
    """Deactivate a member of staff, which ends all of their sessions at once and takes their roles, or reactivate them:
    they come back without a role, and two administrators give them one.

    `hand_over`: to whom each of their open cases goes, None for the queue, all in this transaction; without it the
    worker passes each on. Raises `NothingChanges`, `ChangedMeanwhile` where these are not their open cases, what
    `mediator_assignment.assign` does, and as `take_roles`.
    """
    require(actor, Permission.MANAGE_STAFF, now)
    for case_id in sorted(hand_over or ()):  # milestones are locked before staff, as everywhere
        open_case(session, case_id)
    staff, roles = opened(session, actor, now=now, staff_id=staff_id)
    reason = given(reason)
    if staff.active == active:
        raise NothingChanges(name=staff.name, is_so="works here" if active else "has left")
    # Whoever left before roles were taken with it may have some left.
    _take(session, staff, roles)
    staff.active = active
    session.flush()
    if hand_over is not None:
        _hand_over(session, actor, staff, hand_over, now=now)
    _note(
        session,
        actor,
        AuditAction.STAFF_COME_BACK if active else AuditAction.STAFF_LEAVE,
        staff,
        now=now,
        reason=reason,
        before={"active": not active, "roles": sorted(roles)},
        after={"active": active, "roles": [], **({"cases": len(hand_over)} if hand_over else {})},
        roles=set(),
    )
    return staff


def open_cases(session: Session, staff_id: int) -> list[int]:
    """The cases that somebody else must take when they leave."""
    wanted = select(Case.id).where(Case.mediator_id == staff_id, Case.status.in_(BLOCKING)).order_by(Case.id)
    return list(session.scalars(wanted))


def _hand_over(
    session: Session, actor: Actor, staff: Staff, to: Mapping[int, int | None], *, now: datetime
) -> None:
    if open_cases(session, staff.id) != sorted(to):
        raise ChangedMeanwhile(kind="list of open cases", what=f"{staff.name} has other ones now")
    for case_id, whom in sorted(to.items()):
        mediator_assignment.assign(
            session, actor, now=now, case_id=case_id, staff_id=whom, taken_from=staff.id
        )


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
    return staff, roles_of(session, staff_id)


def roles_of(session: Session, staff_id: int) -> set[Role]:
    held = session.scalars(select(StaffRole.role).where(StaffRole.staff_id == staff_id))
    return set(map(Role, held))


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
