"""A colleague is invited: whoever opens the link and signs in joins, without a role until two administrators agree.

The link is shown once, to whoever invites, and is good for one person and a week. It says nothing about who somebody
is: the sign-in provider does, and where it names an e-mail address, that is the invited one. On joining, the roles that
were chosen become a proposal of the inviting administrator, which another approves (`role_grants`).
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import audit
from core.actions.milestones import letters
from core.actions.staff import install, members, proposals, role_grants
from core.actions.staff.skills import known
from core.audit.actions import AuditAction
from core.audit.content_hashes import Words
from core.errors import DeskError, NotFound
from core.policy.limits import INVITATION_STANDS
from core.records import Staff, StaffInvitation
from core.rules import outside_words
from core.rules.permissions import SYSTEM, Actor, Permission, Role, require
from core.rules.reasons import given


class InvitationUnknown(DeskError):
    """This invitation has been used, called off or has expired. Ask an administrator for another."""


class NotInvited(DeskError):
    """This invitation is for another e-mail address than the one that the sign-in provider names. Ask an administrator
    to invite you at that one."""


class InvitedAlready(DeskError):
    """{email} is invited already. Call that invitation off first, if its link was lost."""


@dataclass(frozen=True)
class Invited:
    """`token` is not stored: whoever invites passes it on."""

    id: int
    token: str


def invite(
    session: Session,
    actor: Actor,
    *,
    now: datetime,
    email: str,
    name: str,
    roles: Iterable[Role],
    reason: str,
    title: str = "",
    skills: Iterable[str] = (),
) -> Invited:
    """Ask someone to join. Nobody is on the staff by it. Raises `InvitedAlready`, `AddressUnusable`, `WordsUnusable`,
    `SkillUnknown`, `NotPermitted`, `StepUpRequired`."""
    require(actor, Permission.MANAGE_STAFF, now)
    reason, me = given(reason), proposals.require_maker(session, actor)
    email = letters.checked(email.strip())
    session.execute(members.LOCK)
    waiting = select(StaffInvitation).where(
        func.lower(StaffInvitation.email) == email.lower(), StaffInvitation.ended_at.is_(None)
    )
    before = session.scalars(waiting).one_or_none()
    if before is not None:
        raise InvitedAlready(email=email)
    token = secrets.token_urlsafe(32)
    row = StaffInvitation(
        email=email,
        name=outside_words.line(name, field="name"),
        title=outside_words.place(title.strip(), field="title"),
        skills=known(skills),
        roles=sorted({role.value for role in roles}),
        reason=reason,
        token_hash=_hash(token),
        invited_by=me,
        invited_at=now,
        expires_at=now + INVITATION_STANDS,
    )
    session.add(row)
    session.flush()
    audit.record(
        session,
        actor,
        AuditAction.STAFF_INVITE.by("staff"),
        object_kind="staff_invitation",
        object_id=row.id,
        now=now,
        reason=reason,
        after={"roles": row.roles, "until": row.expires_at.isoformat()},
        contents=[row],
    )
    return Invited(row.id, token)


def call_off(session: Session, actor: Actor, *, now: datetime, invitation_id: int, reason: str) -> None:
    """Its link is good for nothing any more. Raises `InvitationUnknown`, `NotFound`."""
    require(actor, Permission.MANAGE_STAFF, now)
    reason, me = given(reason), proposals.require_maker(session, actor)
    row = session.get(StaffInvitation, invitation_id, with_for_update=True)
    if row is None:
        raise NotFound(kind="invitation", id=invitation_id)
    if row.ended_at is not None:
        raise InvitationUnknown()
    row.ended_by, row.ended_at = me, now
    session.flush()
    audit.record(
        session,
        actor,
        AuditAction.STAFF_CALL_OFF_INVITATION.by("staff"),
        object_kind="staff_invitation",
        object_id=row.id,
        now=now,
        reason=reason,
        contents=[Words("staff_invitation_ends", row)],
    )


def named(session: Session, token: str | None, *, now: datetime) -> str | None:
    """The name that a link was made for, while it is good and whoever made it is an administrator."""
    row = _standing(session, token, now=now)
    return row.name if row else None


def accept(
    session: Session, token: str, *, now: datetime, issuer: str, subject: str, email: str | None = None
) -> Staff:
    """Whoever has just proved who they are joins with this link, once. `email`: as the provider has verified it. Raises
    `InvitationUnknown`, `NotInvited`, `AlreadyStaff`."""
    row = _standing(session, token, now=now, lock=True)
    if row is None:
        raise InvitationUnknown()
    if email is not None and email.casefold() != row.email.casefold():
        raise NotInvited()
    staff = install.add_staff(
        session,
        SYSTEM,
        now=now,
        issuer=issuer,
        subject=subject,
        name=row.name,
        email=row.email,
        roles=(),
        title=row.title,
        skills=tuple(row.skills),
    )
    row.staff_id, row.ended_at = staff.id, now
    session.flush()
    audit.record(
        session,
        Actor("staff", staff.id),
        AuditAction.STAFF_JOIN.by("staff"),
        object_kind="staff_invitation",
        object_id=row.id,
        now=now,
        after={"staff": staff.id},
        contents=[Words("staff_invitation_ends", row)],
    )
    if row.roles:
        roles = map(Role, row.roles)
        role_grants.propose_on_joining(
            session, staff, maker_id=row.invited_by, roles=roles, reason=row.reason, now=now
        )
    return staff


def _standing(
    session: Session, token: str | None, *, now: datetime, lock: bool = False
) -> StaffInvitation | None:
    if not token:
        return None
    wanted = select(StaffInvitation).where(
        StaffInvitation.token_hash == _hash(token),
        StaffInvitation.ended_at.is_(None),
        StaffInvitation.expires_at > now,
    )
    row = session.scalars(wanted.with_for_update() if lock else wanted).one_or_none()
    if row is None:
        return None
    inviter = proposals.known_of(session, row.invited_by, proposals.NOBODY)
    return row if inviter.active and Role.ADMINISTRATOR in inviter.roles else None


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
