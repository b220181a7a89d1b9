"""Staff: roles, ties, open cases, and sessions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select, text
from sqlalchemy.orm import Session

from core.actions.staff.sessions import IDLE
from core.errors import NotFound
from core.records import Case, Decision, Milestone, Project
from core.rules.approvals import DecisionStatus
from core.rules.cases import BLOCKING
from core.rules.permissions import Role

LIVE = """s.revoked_at is null and s.expires_at > :now
    and s.last_seen_at > cast(:now as timestamptz) - cast(:idle as interval)"""
STAFF = f"""
select p.id, p.name, p.title, p.skills, p.active, p.created_at, p.issuer,
       array(select r.role from staff_roles r where r.staff_id = p.id order by r.role) as roles,
       (select count(*) from staff_ties y where y.staff_id = p.id) as ties,
       (select count(*) from found_ties y where y.staff_id = p.id) as found,
       (select count(*) from cases t where t.mediator_id = p.id
        and t.status in ('OPEN', 'UNDER_REVIEW', 'WAITING_PARTY')) as cases,
       seen.last_seen_at, coalesce(seen.live, 0) as live, seen.signed_in_at, p.email
from staff p
left join lateral (select max(s.last_seen_at) as last_seen_at, max(s.created_at) as signed_in_at,
                          count(*) filter (where {LIVE}) as live
                   from staff_sessions s where s.staff_id = p.id) seen on true
where {{where}} order by p.active desc, p.name, p.id
"""
TIES = text(
    "select y.party_id, lower(p.role) as role, y.reason, y.declared_at from staff_ties y "
    "join parties p on p.id = y.party_id where y.staff_id = :id order by y.declared_at desc, y.party_id"
)
FOUND = text(
    "select y.party_id, lower(p.role) as role from found_ties y join parties p on p.id = y.party_id "
    "where y.staff_id = :id order by y.party_id"
)
SESSIONS = text(
    f"""
    select s.id, s.created_at, s.last_seen_at, s.authenticated_at, s.expires_at, s.revoked_at, {LIVE} as live,
           s.address, s.browser
    from staff_sessions s where s.staff_id = :id order by s.id desc limit :limit
    """
)
NAMES = text("select id, name from staff where id = any(:ids)")
PARTY_ROLES = text("select id, lower(role) as role from parties where id = any(:ids)")


@dataclass(frozen=True)
class Person:
    """A member of staff. `cases` are open ones; `live` sessions are signed in now."""

    id: int
    name: str
    title: str
    skills: list[str]
    active: bool
    since: datetime
    issuer: str
    roles: tuple[Role, ...]
    ties: int
    cases: int
    last_seen_at: datetime | None
    live: int
    signed_in_at: datetime | None
    email: str
    found: int


@dataclass(frozen=True)
class StaffTieRow:
    """A party whose cases this person must not decide; the party by number, as in the audit log."""

    party_id: int
    role: str
    reason: str
    declared_at: datetime

    @property
    def party(self) -> str:
        return f"{self.role} {self.party_id}"


@dataclass(frozen=True)
class FoundTie:
    """A party with the e-mail address of this person; nobody has said yet what that means."""

    party_id: int
    role: str

    @property
    def party(self) -> str:
        return f"{self.role} {self.party_id}"


@dataclass(frozen=True)
class Visit:
    """A session: one browser in which this person signed in."""

    id: int
    created_at: datetime
    last_seen_at: datetime
    authenticated_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    live: bool
    address: str
    browser: str

    @property
    def place(self) -> str:
        """From where and in which browser, as far as it is known."""
        return ", ".join(each for each in (self.browser, self.address) if each)

    @property
    def state(self) -> str:
        return "LIVE" if self.live else "REVOKED" if self.revoked_at else "ENDED"

    @property
    def ended_at(self) -> datetime | None:
        """When it ended, on request, by age or by inactivity."""
        return None if self.live else self.revoked_at or min(self.expires_at, self.last_seen_at + IDLE)


def staff(session: Session, *, now: datetime) -> list[Person]:
    """Everyone, those who left last."""
    return _people(session, "true", now)


def person(session: Session, staff_id: int, *, now: datetime) -> Person:
    """Raises `NotFound`."""
    found = _people(session, "p.id = :id", now, id=staff_id)
    if not found:
        raise NotFound(kind="member of staff", id=staff_id)
    return found[0]


def ties(session: Session, staff_id: int) -> list[StaffTieRow]:
    """The ties that this person has declared."""
    return [StaffTieRow(*row) for row in session.execute(TIES, {"id": staff_id})]


def found(session: Session, staff_id: int) -> list[FoundTie]:
    """Ties that were found and wait for an answer."""
    return [FoundTie(*row) for row in session.execute(FOUND, {"id": staff_id})]


def visits(session: Session, staff_id: int, *, now: datetime, limit: int = 20) -> list[Visit]:
    """The latest sessions, newest first."""
    given = {"id": staff_id, "now": now, "idle": IDLE, "limit": limit}
    return [Visit(*row) for row in session.execute(SESSIONS, given)]


def names(session: Session, staff_ids: Iterable[int]) -> Mapping[int, str]:
    """Names of these members of staff, also of former ones."""
    return {row.id: row.name for row in session.execute(NAMES, {"ids": sorted(set(staff_ids))})}


def party_roles(session: Session, party_ids: Iterable[int]) -> Mapping[int, str]:
    """`payer` or `payee` for each party; who they are is not read."""
    return {row.id: row.role for row in session.execute(PARTY_ROLES, {"ids": sorted(set(party_ids))})}


def _people(session: Session, where: str, now: datetime, **given: int) -> list[Person]:
    values: dict[str, datetime | timedelta | int] = {"now": now, "idle": IDLE, **given}
    return [
        Person(
            id=row.id,
            name=row.name,
            title=row.title,
            skills=row.skills,
            active=row.active,
            since=row.created_at,
            issuer=row.issuer,
            roles=tuple(Role(role) for role in row.roles),
            ties=row.ties,
            cases=row.cases,
            last_seen_at=row.last_seen_at,
            live=row.live,
            signed_in_at=row.signed_in_at,
            email=row.email,
            found=row.found,
        )
        for row in session.execute(text(STAFF.format(where=where)), values)
    ]


@dataclass(frozen=True)
class TouchedByTie:
    """Cases by their numbers: those that are still with the member of staff, and those with a decision that they made
    or approved and that is not executed yet."""

    open_cases: list[int]
    undone_decisions: list[int]


def touched_by_tie(session: Session, *, staff_id: int, party_id: int) -> TouchedByTie:
    """What a tie of this person to this party concerns now."""
    of_party = (
        select(Case.id)
        .join(Milestone, Milestone.id == Case.milestone_id)
        .join(Project, Project.id == Milestone.project_id)
        .where(or_(Project.payer_id == party_id, Project.payee_id == party_id))
        .order_by(Case.id)
    )
    theirs = of_party.where(Case.mediator_id == staff_id, Case.status.in_(BLOCKING))
    decided = of_party.join(Decision, Decision.case_id == Case.id).where(
        or_(Decision.maker_id == staff_id, Decision.checker_id == staff_id),
        Decision.status.in_((DecisionStatus.AWAITING_APPROVAL, DecisionStatus.COOLING_OFF)),
    )
    return TouchedByTie(list(session.scalars(theirs)), list(session.scalars(decided)))
