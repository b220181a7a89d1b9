"""Signed-in sessions, as rows of our own: ended by inactivity, by age, or on request.

The browser holds a random token, the database only its SHA-256. A session ends 15 minutes after its last activity, 8
hours after it began, when it is revoked, or when the person is deactivated, whichever comes first. Activity is
written at most twice a minute, so that reading a page stays a read.

From the token follows a proof, of which the database holds the hash as well: with it an entry is written in this
person's name, and without it none is. The token itself is never said to the database.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from core import audit
from core.audit.actions import AuditAction
from core.errors import DeskError
from core.records.people import Staff, StaffSession
from core.rules.permissions import SYSTEM, Actor, Permission, Role, require
from core.rules.reasons import given

IDLE = timedelta(minutes=15)
ABSOLUTE = timedelta(hours=8)
TOUCH_EVERY = timedelta(seconds=30)


class NotStaff(DeskError):
    """This person does not work at the desk, or no longer does."""


class SessionEnded(DeskError):
    """This session has ended. Sign in again."""


@dataclass(frozen=True)
class SignedIn:
    """A member of staff with an open session."""

    session_id: int
    staff_id: int
    name: str
    email: str
    title: str
    roles: frozenset[Role]
    authenticated_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    proof: str = field(repr=False)

    @property
    def actor(self) -> Actor:
        return Actor(
            kind="staff",
            id=self.staff_id,
            roles=self.roles,
            authenticated_at=self.authenticated_at,
            session_id=self.session_id,
            proof=self.proof,
        )

    def ends_at(self) -> datetime:
        """When it ends without further activity."""
        return min(self.last_seen_at + IDLE, self.expires_at)


@dataclass(frozen=True)
class Origin:
    """Where a session comes from: the address, the browser in words, and the sign-in provider's name for it."""

    address: str = ""
    browser: str = ""
    provider_session: str | None = None


def sign_in(session: Session, *, staff_id: int, now: datetime, origin: Origin = Origin()) -> str:
    """Begin a session for someone whose identity has just been proved. Returns the token, which is not stored. Raises
    `NotStaff`."""
    staff = session.get(Staff, staff_id)
    if staff is None or not staff.active:
        raise NotStaff()
    token = secrets.token_urlsafe(32)
    row = StaffSession(
        token_hash=_hash(token),
        staff_id=staff_id,
        created_at=now,
        last_seen_at=now,
        authenticated_at=now,
        expires_at=now + ABSOLUTE,
        address=origin.address,
        browser=origin.browser,
        provider_session=origin.provider_session,
        proof_hash=_hash(proof_of(token)),
    )
    session.add(row)
    session.flush()
    _record(session, row.id, staff_id, AuditAction.SESSION_BEGIN, now, proof_of(token))
    return token


_RESOLVE = text(
    """
    with alive as (
        select s.id, s.staff_id, p.name, p.email, p.title, s.authenticated_at, s.last_seen_at, s.expires_at,
               array(select r.role from staff_roles r where r.staff_id = s.staff_id order by r.role) as roles
          from staff_sessions s join staff p on p.id = s.staff_id
         where s.token_hash = :hash and s.revoked_at is null and p.active
           and :now < s.expires_at and :now < s.last_seen_at + :idle
    ), touched as (
        update staff_sessions s set last_seen_at = :now from alive
         where :touch and s.id = alive.id and s.last_seen_at < cast(:now as timestamptz) - cast(:every as interval)
    )
    select * from alive
    """
)


def resolve(session: Session, token: str | None, *, now: datetime, touch: bool = True) -> SignedIn | None:
    """Whose token this is, in one statement; None when it is unknown, ended or revoked.

    `touch` counts as activity; timers that run by themselves pass False, or no session would ever become inactive.
    """
    if not token:
        return None
    values = {"hash": _hash(token), "now": now, "idle": IDLE, "every": TOUCH_EVERY, "touch": touch}
    row = session.execute(_RESOLVE, values).mappings().one_or_none()
    if row is None:
        return None
    return SignedIn(
        session_id=row["id"],
        staff_id=row["staff_id"],
        name=row["name"],
        email=row["email"],
        title=row["title"],
        roles=frozenset(Role(role) for role in row["roles"]),
        authenticated_at=row["authenticated_at"],
        last_seen_at=max(now, row["last_seen_at"]) if touch else row["last_seen_at"],
        expires_at=row["expires_at"],
        proof=proof_of(token),
    )


_REVOKED = text(
    """
    select exists (
        select from staff_sessions s join audit_entries e
            on e.object_kind = 'staff_session' and e.object_id = s.id::text and e.action = :revoke
        where s.token_hash = :hash and e.actor_id is distinct from s.staff_id
    )
    """
)


def revoked_by_another(session: Session, token: str | None) -> bool:
    """Whether somebody else ended the session of this token, so that its owner can be told."""
    values = {"hash": _hash(token or ""), "revoke": AuditAction.SESSION_REVOKE.by("staff")}
    return bool(session.scalar(_REVOKED, values))


def sign_out(session: Session, token: str | None, *, now: datetime) -> None:
    """End the session of this token. Ending one that has ended is not an error."""
    if token and (alive := resolve(session, token, now=now, touch=False)):
        _end(
            session,
            session_id=alive.session_id,
            actor=alive.actor,
            now=now,
            action=AuditAction.SESSION_END,
            reason=None,
        )


def end_at_provider(
    session: Session,
    *,
    now: datetime,
    issuer: str,
    subject: str | None,
    provider_session: str | None,
    began_before: datetime,
) -> int:
    """Somebody has signed out at the sign-in provider: of one session there, or, where none is named, of all of theirs.
    What began afterwards stays. Returns how many sessions of the desk have ended."""
    wanted = (
        select(StaffSession.id)
        .join(Staff, Staff.id == StaffSession.staff_id)
        .where(
            Staff.issuer == issuer, StaffSession.revoked_at.is_(None), StaffSession.created_at <= began_before
        )
        .order_by(StaffSession.id)
    )
    if subject is not None:
        wanted = wanted.where(Staff.subject == subject)
    if provider_session is not None:
        wanted = wanted.where(StaffSession.provider_session == provider_session)
    found = session.scalars(wanted).all()
    for session_id in found:
        _end(
            session,
            session_id=session_id,
            actor=SYSTEM,
            now=now,
            action=AuditAction.SESSION_END_AT_PROVIDER,
            by="system",
            reason=None,
        )
    return len(found)


def revoke(session: Session, *, session_id: int, actor: Actor, now: datetime, reason: str) -> None:
    """End one session at once, also in tabs that are open. Someone else's session is ended by an administrator."""
    if session_id != actor.session_id:
        require(actor, Permission.MANAGE_STAFF, now)
    _end(
        session,
        session_id=session_id,
        actor=actor,
        now=now,
        action=AuditAction.SESSION_REVOKE,
        reason=given(reason),
    )


def _end(
    session: Session,
    *,
    session_id: int,
    actor: Actor,
    now: datetime,
    action: AuditAction,
    reason: str | None,
    by: str = "staff",
) -> None:
    ended = session.execute(
        update(StaffSession)
        .where(StaffSession.id == session_id, StaffSession.revoked_at.is_(None))
        .values(revoked_at=now)
        .returning(StaffSession.staff_id)
    ).scalar_one_or_none()
    if ended is not None:
        audit.record(
            session,
            actor,
            action.by(by),
            object_kind="staff_session",
            object_id=session_id,
            now=now,
            reason=reason,
            after={"staff": ended},
        )


def reauthenticate(
    session: Session, token: str, *, now: datetime, provider_session: str | None = None
) -> SignedIn:
    """The person has just proved again who they are: they may move money for five minutes. Raises `SessionEnded`."""
    alive = resolve(session, token, now=now)
    if alive is None:
        raise SessionEnded()
    session.execute(
        update(StaffSession)
        .where(StaffSession.id == alive.session_id)
        .values(
            authenticated_at=now,
            provider_session=func.coalesce(provider_session, StaffSession.provider_session),
        )
    )
    _record(session, alive.session_id, alive.staff_id, AuditAction.SESSION_REAUTHENTICATE, now, alive.proof)
    again = resolve(session, token, now=now)
    assert again is not None  # its row is locked since it was found
    return again


def staff_of(session: Session, *, issuer: str, subject: str) -> int | None:
    """Who this identity of the sign-in provider is here. Never by e-mail: an address can change hands."""
    return session.scalar(
        select(Staff.id).where(Staff.issuer == issuer, Staff.subject == subject, Staff.active.is_(True))
    )


def _record(
    session: Session, session_id: int, staff_id: int, action: AuditAction, now: datetime, proof: str
) -> None:
    actor = Actor(kind="staff", id=staff_id, session_id=session_id, proof=proof)
    audit.record(
        session, actor, action.by("staff"), object_kind="staff_session", object_id=session_id, now=now
    )


def proof_of(token: str) -> str:
    """What says to the database that an entry comes from this session, and opens nothing by itself."""
    return hashlib.sha256(b"escrow-desk entry " + token.encode()).hexdigest()


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
