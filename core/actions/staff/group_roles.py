"""Roles that follow the groups of the sign-in provider, where whoever runs the desk has named groups.

Which group gives which role is written as the owner of the database, whose login no desk has. What a sign-in then says
of somebody's groups is given and taken at once, by one function of the database, and the entry says that the provider
did it. Where no group is named nothing of this happens.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import exists, or_, select, text
from sqlalchemy.orm import Session

from core import audit
from core.actions.staff import members
from core.audit.actions import AuditAction
from core.errors import DeskError
from core.records import GroupRole, ProviderRole, Staff
from core.rules.permissions import SYSTEM, Actor, NotPermitted, Role
from core.rules.reasons import given

APPLY = text("select apply_group_roles(:staff, :groups, :now)")
LONGEST = 500
"""Characters of a group's name, and groups of one person: more than that says nobody."""


class GroupNamed(DeskError):
    """The group “{group}” gives the role {role} already. Nothing was changed."""


class GroupNotNamed(DeskError):
    """The group “{group}” does not give the role {role}. Nothing was changed."""


def follow(session: Session, *, staff_id: int, groups: Iterable[str], now: datetime) -> bool:
    """Give and take what these groups say, of somebody whose identity has just been proved; whether anything changed.

    The last administrator keeps the role, as nobody could give it back; it goes once there is another.
    """
    concerned = select(
        or_(
            exists().where(GroupRole.ended_at.is_(None)),
            exists().where(ProviderRole.staff_id == staff_id, ProviderRole.ended_at.is_(None)),
        )
    )
    if not session.scalar(concerned):
        return False
    said = sorted({each for each in groups if 0 < len(each) <= LONGEST})[:LONGEST]
    session.execute(members.LOCK)
    before = members.roles_of(session, staff_id)
    if not session.scalar(APPLY, {"staff": staff_id, "groups": said, "now": now}):
        return False
    after = members.roles_of(session, staff_id)
    by = session.execute(
        select(ProviderRole.role, ProviderRole.group_name)
        .where(ProviderRole.staff_id == staff_id, ProviderRole.ended_at.is_(None))
        .order_by(ProviderRole.role)
    )
    audit.record(
        session,
        SYSTEM,
        AuditAction.ROLE_FOLLOW_GROUPS.by("system"),
        object_kind="staff",
        object_id=staff_id,
        now=now,
        before={"roles": sorted(before)},
        after={"roles": sorted(after), "by_groups": {role.value: group for role, group in by}},
        contents=[members.words(session.get_one(Staff, staff_id), after)],
    )
    return True


def name(owner: Session, actor: Actor, *, group: str, role: Role, now: datetime, reason: str) -> GroupRole:
    """Members of this group have this role from their next sign-in on. `owner` is a session as the owner of the
    database. Raises `GroupNamed`, `NotPermitted`."""
    _require_machine(actor)
    reason = given(reason)
    if _of(owner, group, role) is not None:
        raise GroupNamed(group=group, role=role)
    row = GroupRole(group_name=group, role=role, added_at=now)
    owner.add(row)
    owner.flush()
    _record(owner, actor, AuditAction.ROLE_NAME_GROUP, row, now=now, reason=reason)
    return row


def end(owner: Session, actor: Actor, *, group: str, role: Role, now: datetime, reason: str) -> GroupRole:
    """Whoever has the role by it alone loses it at their next sign-in. Raises `GroupNotNamed`, `NotPermitted`."""
    _require_machine(actor)
    reason = given(reason)
    row = _of(owner, group, role)
    if row is None:
        raise GroupNotNamed(group=group, role=role)
    row.ended_at = max(now, row.added_at)
    owner.flush()
    _record(owner, actor, AuditAction.ROLE_END_GROUP, row, now=now, reason=reason)
    return row


def named(session: Session) -> list[GroupRole]:
    """The groups that give a role now."""
    return list(
        session.scalars(
            select(GroupRole)
            .where(GroupRole.ended_at.is_(None))
            .order_by(GroupRole.group_name, GroupRole.role)
        )
    )


def _of(session: Session, group: str, role: Role) -> GroupRole | None:
    wanted = select(GroupRole).where(
        GroupRole.group_name == group, GroupRole.role == role, GroupRole.ended_at.is_(None)
    )
    return session.scalars(wanted).one_or_none()


def _require_machine(actor: Actor) -> None:
    if actor.kind != "operator":
        raise NotPermitted(action="choose groups", roles="whoever runs the machine, on the command line")


def _record(
    owner: Session, actor: Actor, action: AuditAction, row: GroupRole, *, now: datetime, reason: str
) -> None:
    facts = {"group": row.group_name, "role": row.role.value}
    before, after = (None, facts) if row.ended_at is None else (facts, None)
    audit.record(
        owner,
        actor,
        action.by("operator"),
        object_kind="group_role",
        object_id=row.id,
        now=now,
        reason=reason,
        before=before,
        after=after,
    )
