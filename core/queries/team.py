"""Who is about to get a role or to join the staff, and roles that one person gave alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session, aliased

from core.audit import actions
from core.audit.actions import AuditAction
from core.queries import mediators
from core.queries.mediators import Colleague
from core.records import (
    Case,
    Milestone,
    Party,
    Project,
    ProviderRole,
    RoleGrant,
    Staff,
    StaffInvitation,
    StaffRole,
)
from core.rules.cases import BLOCKING
from core.rules.permissions import Role
from core.rules.proposals import ProposalStatus

HISTORY = text(
    """
    select e.id, e.at, e.action, e.reason, e.role, s.name as by
    from audit_entries e left join staff s on e.actor_kind = 'staff' and s.id = e.actor_id
    where e.object_kind = 'staff' and e.object_id = :id
       or e.object_kind = 'role_grant'
          and e.object_id in (select g.id::text from role_grants g where g.staff_id = :staff)
       or e.object_kind = 'staff_invitation'
          and e.object_id in (select i.id::text from staff_invitations i where i.staff_id = :staff)
       or e.object_kind = 'emergency_grant'
          and e.object_id in (select m.id::text from emergency_grants m where m.staff_id = :staff)
    order by e.at desc, e.id desc limit :limit
    """
)
ALONE_SHOWN_FOR = timedelta(days=7)
GIVEN_ALONE = text(
    """
    select e.id, e.at, e.role as by, e.action, e.object_id::bigint as staff_id, s.name, given.roles
    from audit_entries e join staff s on s.id = e.object_id::bigint
    cross join lateral (
        select jsonb_agg(each.name order by each.name) as roles
        from jsonb_array_elements_text(coalesce(nullif(e.after -> 'roles', 'null'), '[]')) as each(name)
        where not coalesce(e.before -> 'roles' ? each.name, false)
    ) given
    where e.action in (:alone, :added) and e.object_kind = 'staff' and e.at > :since and given.roles is not null
    order by e.at desc, e.id desc
    """
)


def by_groups(session: Session, staff_id: int) -> dict[Role, str]:
    """The roles that a colleague has by a group of the sign-in provider, and by which."""
    open = select(ProviderRole.role, ProviderRole.group_name).where(
        ProviderRole.staff_id == staff_id, ProviderRole.ended_at.is_(None)
    )
    return {Role(role): group for role, group in session.execute(open.order_by(ProviderRole.role))}


@dataclass(frozen=True)
class Proposed:
    """Roles that wait for a second administrator."""

    id: int
    staff_id: int
    name: str
    title: str
    roles: tuple[Role, ...]
    reason: str
    by_id: int
    by: str
    at: datetime


@dataclass(frozen=True)
class Invitation:
    """Somebody who has not joined yet. `expired`: the link is good for nothing any more."""

    id: int
    email: str
    name: str
    title: str
    roles: tuple[Role, ...]
    by: str
    at: datetime
    until: datetime
    expired: bool


@dataclass(frozen=True)
class OpenCase:
    """A case that somebody has, and the mediators to whom it can be given."""

    id: int
    title: str
    colleagues: tuple[Colleague, ...]


@dataclass(frozen=True)
class Step:
    """What was done about a member of staff, by the audit log."""

    id: int
    at: datetime
    title: str
    by: str
    reason: str | None


@dataclass(frozen=True)
class GivenAlone:
    """Roles that the account `by` of the machine gave while fewer than two administrators worked here."""

    entry: int
    at: datetime
    by: str
    staff_id: int
    name: str
    roles: tuple[str, ...]


def proposed(session: Session, *, staff_id: int | None = None) -> list[Proposed]:
    """The proposals that wait, the oldest first; those for one colleague alone where `staff_id` says so."""
    maker, whom = aliased(Staff), aliased(Staff)
    wanted = (
        select(RoleGrant, whom.name, whom.title, maker.name)
        .join(whom, whom.id == RoleGrant.staff_id)
        .join(maker, maker.id == RoleGrant.proposed_by)
        .where(RoleGrant.status == ProposalStatus.PROPOSED)
        .order_by(RoleGrant.proposed_at, RoleGrant.id)
    )
    if staff_id is not None:
        wanted = wanted.where(RoleGrant.staff_id == staff_id)
    return [
        Proposed(
            row.id,
            row.staff_id,
            name,
            title,
            tuple(map(Role, row.roles)),
            row.reason,
            row.proposed_by,
            by,
            row.proposed_at,
        )
        for row, name, title, by in session.execute(wanted)
    ]


def invitations(session: Session, *, now: datetime) -> list[Invitation]:
    """Those that nobody has used or called off, the newest first."""
    wanted = (
        select(StaffInvitation, Staff.name)
        .join(Staff, Staff.id == StaffInvitation.invited_by)
        .where(StaffInvitation.ended_at.is_(None))
        .order_by(StaffInvitation.id.desc())
    )
    return [
        Invitation(
            row.id,
            row.email,
            row.name,
            row.title,
            tuple(map(Role, row.roles)),
            by,
            row.invited_at,
            row.expires_at,
            row.expires_at <= now,
        )
        for row, by in session.execute(wanted)
    ]


def open_cases(session: Session, staff_id: int) -> list[tuple[int, str]]:
    """Number and title of each open case that this person has, the oldest first."""
    wanted = (
        select(Case.id, Milestone.title)
        .join(Milestone, Milestone.id == Case.milestone_id)
        .where(Case.mediator_id == staff_id, Case.status.in_(BLOCKING))
        .order_by(Case.id)
    )
    return [(row.id, row.title) for row in session.execute(wanted)]


def cases_of(session: Session, staff_id: int) -> list[OpenCase]:
    """The open cases that this person has, the oldest first, each with whom else it can be given to."""
    wanted = (
        select(Case, Milestone.title, Project)
        .join(Milestone, Milestone.id == Case.milestone_id)
        .join(Project, Project.id == Milestone.project_id)
        .where(Case.mediator_id == staff_id, Case.status.in_(BLOCKING))
        .order_by(Case.id)
    )
    found = []
    for case, title, project in session.execute(wanted):
        parties = [session.get_one(Party, each) for each in (project.payer_id, project.payee_id)]
        colleagues = mediators.for_parties(session, parties, case_id=case.id, skill=project.project_type)
        free = tuple(each for each in colleagues if each.id != staff_id and each.why_not is None)
        found.append(OpenCase(case.id, title, free))
    return found


def history(session: Session, staff_id: int, *, limit: int = 20) -> list[Step]:
    """The latest of what was done about this person, not what they did."""
    rows = session.execute(HISTORY, {"id": str(staff_id), "staff": staff_id, "limit": limit})
    return [
        Step(row.id, row.at, actions.title(row.action), row.by or row.role or "the system", row.reason)
        for row in rows
    ]


def administrators(session: Session) -> int:
    """How many work here."""
    wanted = (
        select(func.count())
        .select_from(StaffRole)
        .join(Staff, Staff.id == StaffRole.staff_id)
        .where(StaffRole.role == Role.ADMINISTRATOR, Staff.active)
    )
    return session.scalar(wanted) or 0


def given_alone(session: Session, *, now: datetime) -> list[GivenAlone]:
    """In the last week, the newest first."""
    found = session.execute(
        GIVEN_ALONE,
        {
            "alone": AuditAction.ROLE_GRANT_ALONE.by("operator"),
            "added": AuditAction.STAFF_ADD.by("operator"),
            "since": now - ALONE_SHOWN_FOR,
        },
    )
    return [GivenAlone(row.id, row.at, row.by, row.staff_id, row.name, tuple(row.roles)) for row in found]
