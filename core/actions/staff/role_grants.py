"""Giving a role takes two administrators: one proposes it, and another approves (docs/decisions/0022).

Taking one away takes one, at once (`members`). Nobody proposes or approves roles of their own. While fewer than two
administrators work here nobody could approve: then whoever runs the machine gives roles alone, on the command line,
with an entry of its own, and colleagues are told at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Select, select, text
from sqlalchemy.orm import Session

from core import audit, notifications
from core.actions.staff import members, proposals
from core.actions.staff.proposals import Waiting
from core.audit.actions import AuditAction, StoredAction
from core.audit.content_hashes import Words
from core.errors import DeskError, NotFound
from core.queries import team
from core.records import RoleGrant, Staff
from core.rules.permissions import SYSTEM, Actor, NotPermitted, Permission, Role, require
from core.rules.proposals import ProposalKind, ProposalStatus, ended
from core.rules.reasons import given

GIVE_ALONE = text("select give_role_alone(:staff, :role)")


class NothingToGive(DeskError):
    """{name} has these roles already: {roles}. Nothing was proposed."""


class HasLeft(DeskError):
    """{name} does not work here any more, so no role is given to them."""


class TwoAdministratorsGive(DeskError):
    """Two administrators work here, so a role takes both: one proposes it, as in --as 7, and another approves it on the
    page People."""


def propose(
    session: Session, actor: Actor, *, now: datetime, staff_id: int, roles: Iterable[Role], reason: str
) -> RoleGrant:
    """Propose roles for a colleague, besides those that they have; nothing is given yet. The other administrators are
    told. Raises `OwnRoles`, `NothingToGive`, `HasLeft`, `ProposalWaits`, `NotFound`."""
    require(actor, Permission.MANAGE_STAFF, now)
    staff, held = members.opened(session, actor, now=now, staff_id=staff_id)
    reason = given(reason)
    me = proposals.require_maker(session, actor)
    return _put(session, actor, me, staff, _not_held(staff, held, roles), reason=reason, now=now)


def propose_on_joining(
    session: Session, staff: Staff, *, maker_id: int, roles: Iterable[Role], reason: str, now: datetime
) -> RoleGrant:
    """What the inviting administrator chose is proposed in their name when the colleague has joined; the entry says
    that the system did it."""
    return _put(session, SYSTEM, maker_id, staff, _not_held(staff, (), roles), reason=reason, now=now)


def _put(
    session: Session, actor: Actor, me: int, staff: Staff, wanted: list[str], *, reason: str, now: datetime
) -> RoleGrant:
    before = session.scalars(_open_of(staff.id)).one_or_none()
    if before is not None:
        what = f"to give {staff.name} the role of {members.named(before.roles)}"
        raise proposals.waits(session, maker_id=before.proposed_by, made_at=before.proposed_at, what=what)
    row = RoleGrant(
        staff_id=staff.id,
        roles=wanted,
        reason=reason,
        proposed_by=me,
        proposed_at=now,
        status=ProposalStatus.PROPOSED,
    )
    session.add(row)
    session.flush()
    action = AuditAction.ROLE_PROPOSE.by(actor.kind)
    _record(session, actor, action, row, said=reason, now=now, after={"by": me}, contents=[row])
    others = set(notifications.staff_of(session, Role.ADMINISTRATOR)) - {me, staff.id}
    notifications.tell_staff(
        session,
        "roles_proposed",
        staff_ids=others,
        about=("role_grant", row.id),
        key=f"role-grant-{row.id}-proposed",
        now=now,
        by=session.get_one(Staff, me).name,
        number=staff.id,
        roles=members.named(wanted),
    )
    return row


def approve(session: Session, actor: Actor, *, now: datetime, grant_id: int, reason: str = "") -> RoleGrant:
    """Give the roles, as another administrator than who proposed them, also in sessions that are open. Raises what
    `proposals.require_checker` does, `OwnRoles`, `HasLeft`, `ProposalEnded`."""
    require(actor, Permission.MANAGE_STAFF, now)
    plain = _known(session, grant_id)
    staff, held = members.opened(session, actor, now=now, staff_id=plain.staff_id)
    row = _open(session, grant_id)
    said = given(reason) if reason.strip() else None
    proposals.require_checker(session, actor, waiting(row), now=now)
    if not staff.active:
        raise HasLeft(name=staff.name)
    proposals.settle(row, ProposalStatus.DONE, actor, now=now)
    row.note = said
    session.flush()
    roles = {*held, *map(Role, row.roles)}
    _record(
        session,
        actor,
        AuditAction.ROLE_GRANT.by("staff"),
        row,
        said=said or row.reason,
        now=now,
        before={"roles": sorted(held)},
        after={"roles": sorted(roles)},
        contents=[Words("role_grant_ends", row), members.words(staff, roles)],
    )
    return row


def reject(session: Session, actor: Actor, *, now: datetime, grant_id: int, reason: str) -> None:
    """Nothing is given: whoever proposed it withdraws it, another administrator rejects it. Raises `OwnRoles`,
    `ProposalEnded`."""
    require(actor, Permission.MANAGE_STAFF, now)
    plain = _known(session, grant_id)
    members.opened(session, actor, now=now, staff_id=plain.staff_id)
    reason = given(reason)
    row = _open(session, grant_id)
    status = proposals.outcome(actor, row.proposed_by)
    withdrawn = status is ProposalStatus.WITHDRAWN
    action = AuditAction.ROLE_WITHDRAW if withdrawn else AuditAction.ROLE_REJECT
    _end(session, actor, row, status, action.by("staff"), said=reason, now=now)


def stale(session: Session, *, now: datetime) -> list[int]:
    """Which can no longer be approved, whoever wants to. Nothing is locked or written."""
    wanted = select(RoleGrant).where(RoleGrant.status == ProposalStatus.PROPOSED)
    return [row.id for row in session.scalars(wanted) if fallen(session, row, now=now)]


def fallen(session: Session, row: RoleGrant, *, now: datetime) -> str | None:
    """Why: its maker, its time, or that the colleague has left."""
    if not session.get_one(Staff, row.staff_id).active:
        return "The colleague does not work here any more."
    return proposals.flaw(session, waiting(row), now=now)


def return_stale(session: Session, *, now: datetime, number: int) -> bool:
    """What can no longer be approved goes back to its maker, with the reason."""
    row = _open(session, number)
    why = fallen(session, row, now=now)
    if why is None:
        return False
    _end(
        session, SYSTEM, row, ProposalStatus.RETURNED, AuditAction.ROLE_RETURN.by("system"), said=why, now=now
    )
    what, about = f"roles for member of staff {row.staff_id}", ("role_grant", row.id)
    proposals.tell_returned(session, waiting(row), what=what, why=why, about=about, now=now)
    return True


def waiting_of(session: Session, grant_id: int) -> Waiting:
    """The proposal of this number as it waits. There must be one."""
    return waiting(session.get_one(RoleGrant, grant_id))


def waiting(row: RoleGrant) -> Waiting:
    return Waiting(ProposalKind.ROLE_GRANT, row.proposed_by, row.proposed_at)


def give_alone(
    session: Session, actor: Actor, *, now: datetime, staff_id: int, roles: Iterable[Role], reason: str
) -> Staff:
    """Give roles from the command line while fewer than two administrators work here. The entry says so, and every
    administrator and compliance are told. Raises `TwoAdministratorsGive`, `NothingToGive`, `HasLeft`,
    `NotPermitted`."""
    if actor.kind != "operator":
        raise NotPermitted(action="give roles alone", roles="whoever runs the machine, on the command line")
    staff, held = members.opened(session, actor, now=now, staff_id=staff_id)
    reason = given(reason)
    wanted = _not_held(staff, held, roles)
    require_alone(session)
    give(session, staff, wanted)
    after = {*held, *map(Role, wanted)}
    audit.record(
        session,
        actor,
        AuditAction.ROLE_GRANT_ALONE.by("operator"),
        object_kind="staff",
        object_id=staff.id,
        now=now,
        reason=reason,
        before={"roles": sorted(held)},
        after={"roles": sorted(after)},
        contents=[members.words(staff, after)],
    )
    tell_given_alone(session, actor, staff, wanted, now=now)
    return staff


def give(session: Session, staff: Staff, roles: Iterable[str]) -> None:
    """The database gives them, and refuses where two administrators work here."""
    for role in roles:
        session.execute(GIVE_ALONE, {"staff": staff.id, "role": role})


def require_alone(session: Session) -> None:
    """Raises `TwoAdministratorsGive`."""
    if team.administrators(session) >= 2:
        raise TwoAdministratorsGive()


def tell_given_alone(
    session: Session, actor: Actor, staff: Staff, roles: Iterable[str], *, now: datetime
) -> None:
    watching = (Role.ADMINISTRATOR, Role.COMPLIANCE)
    told = {each for role in watching for each in notifications.staff_of(session, role)} - {staff.id}
    notifications.tell_staff(
        session,
        "roles_given_alone",
        staff_ids=told,
        about=("staff", staff.id),
        key=f"staff-{staff.id}-roles-alone-{now.isoformat()}",
        now=now,
        number=staff.id,
        roles=members.named(roles),
        by=actor.label,
    )


def _not_held(staff: Staff, held: Iterable[Role], roles: Iterable[Role]) -> list[str]:
    if not staff.active:
        raise HasLeft(name=staff.name)
    wanted = sorted({role.value for role in roles} - {role.value for role in held})
    if not wanted:
        raise NothingToGive(name=staff.name, roles=members.named(held))
    return wanted


def _open_of(staff_id: int) -> Select[RoleGrant]:
    return select(RoleGrant).where(
        RoleGrant.staff_id == staff_id, RoleGrant.status == ProposalStatus.PROPOSED
    )


def _end(
    session: Session,
    actor: Actor,
    row: RoleGrant,
    status: ProposalStatus,
    action: StoredAction,
    *,
    said: str,
    now: datetime,
) -> None:
    proposals.settle(row, status, actor, now=now)
    row.note = said
    session.flush()
    _record(session, actor, action, row, said=said, now=now, contents=[Words("role_grant_ends", row)])


def _record(
    session: Session,
    actor: Actor,
    action: StoredAction,
    row: RoleGrant,
    *,
    said: str,
    now: datetime,
    contents: list[RoleGrant | Words],
    before: dict[str, object] | None = None,
    after: dict[str, object] | None = None,
) -> None:
    audit.record(
        session,
        actor,
        action,
        object_kind="role_grant",
        object_id=row.id,
        now=now,
        reason=said,
        before=before,
        after={"staff": row.staff_id, "asked": row.roles, **(after or {})},
        contents=contents,
    )


def _known(session: Session, grant_id: int) -> RoleGrant:
    row = session.get(RoleGrant, grant_id)
    if row is None:
        raise NotFound(kind="proposal", id=grant_id)
    return row


def _open(session: Session, grant_id: int) -> RoleGrant:
    _known(session, grant_id)
    row = session.get_one(RoleGrant, grant_id, with_for_update=True, populate_existing=True)
    if row.status != ProposalStatus.PROPOSED:
        raise ended(ProposalKind.ROLE_GRANT, row.status)
    return row
