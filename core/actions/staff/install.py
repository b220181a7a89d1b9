"""The first things a desk needs: its mark, its policies, its staff."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit
from core.actions.milestones import letters
from core.actions.staff import members, role_grants
from core.audit.actions import AuditAction
from core.errors import DeskError
from core.policy import PROFILES, accept
from core.records import Installation, PolicyVersion, Staff
from core.rules import outside_words
from core.rules.permissions import SYSTEM, Actor, Permission, Role, require


class AlreadyInstalled(DeskError):
    """This database already belongs to the desk {name}."""


class AlreadyStaff(DeskError):
    """{subject} of {issuer} is already on the desk, as {name}."""


def install(
    session: Session, actor: Actor = SYSTEM, *, now: datetime, name: str, demo: bool = False
) -> Installation:
    """Mark an empty database as this desk's and publish the first version of both policy profiles. Raises
    `AlreadyInstalled`."""
    before = session.scalars(select(Installation)).one_or_none()
    if before is not None:
        raise AlreadyInstalled(name=before.name)
    row = Installation(id=1, name=name, demo=demo, created_at=now)
    session.add(row)
    for profile in PROFILES.values():
        accept(profile)
        session.add(
            PolicyVersion(
                profile=profile.name, version=profile.version, snapshot=profile.snapshot(), effective_at=now
            )
        )
    session.flush()
    audit.record(
        session,
        actor,
        AuditAction.DESK_INSTALL.by(actor.kind),
        object_kind="desk",
        object_id=name,
        now=now,
        after={"demo": demo, "profiles": sorted(profile.name for profile in PROFILES.values())},
    )
    return row


def add_staff(
    session: Session,
    actor: Actor,
    *,
    now: datetime,
    issuer: str,
    subject: str,
    name: str,
    email: str,
    roles: tuple[Role, ...],
    title: str = "",
    skills: tuple[str, ...] = (),
) -> Staff:
    """Someone joins the desk, known by (issuer, subject), with these roles while fewer than two administrators work
    here; after that roles are proposed (`role_grants`). Raises `AlreadyStaff`, `TwoAdministratorsGive`."""
    if actor != SYSTEM:
        require(actor, Permission.MANAGE_STAFF, now)
    if roles and actor.kind == "staff":
        raise role_grants.TwoAdministratorsGive()
    if roles:
        session.execute(members.LOCK)
        role_grants.require_alone(session)
    before = select(Staff.name).where(Staff.issuer == issuer, Staff.subject == subject)
    if known := session.scalars(before).one_or_none():
        raise AlreadyStaff(name=known, issuer=issuer, subject=subject)
    row = Staff(
        issuer=issuer,
        subject=subject,
        name=outside_words.line(name, field="name"),
        email=letters.checked(email),
        title=outside_words.place(title, field="title"),
        skills=list(skills),
        created_at=now,
    )
    session.add(row)
    session.flush()
    role_grants.give(session, row, [role.value for role in roles])
    audit.record(
        session,
        actor,
        AuditAction.STAFF_ADD.by(actor.kind),
        object_kind="staff",
        object_id=row.id,
        now=now,
        after={"roles": [role.value for role in roles]},
        contents=[row, members.words(row, set(roles))],
    )
    if roles and actor.kind == "operator":
        role_grants.tell_given_alone(session, actor, row, roles, now=now)
    return row
