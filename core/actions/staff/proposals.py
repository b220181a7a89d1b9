"""Maker and checker: everything that one person proposes and a second confirms (`core.rules.proposals`).

Each kind keeps its own table, audit entries and consequences; who may make and check it, whether it still stands, and
what is said when it does not are decided here.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit, notifications
from core.actions.milestones.milestone_context import MilestoneContext
from core.db import Record
from core.errors import DeskError
from core.records import Case, Recusal, Staff, StaffRole
from core.records.people import ties_that_bar
from core.rules import proposals as rules
from core.rules.mediation import CORRECTED_BY_OTHERS
from core.rules.permissions import Actor, Role, staff_number
from core.rules.proposals import Maker, ProposalKind, ProposalStatus


@dataclass(frozen=True)
class Subject:
    """What a proposal is about, as far as people can have a tie to it: its parties, and the cases of its milestone, or
    one of them alone."""

    parties: frozenset[int] = frozenset()
    milestone_id: int | None = None
    case_id: int | None = None

    @classmethod
    def of(cls, context: MilestoneContext) -> Subject:
        return cls(frozenset({context.payer.id, context.payee.id}), context.milestone.id)


NOBODY = Subject()
TWO = "do what takes two people"


@dataclass(frozen=True)
class Waiting:
    """A proposal that waits: its maker, its time and its subject."""

    kind: ProposalKind
    maker_id: int
    made_at: datetime
    subject: Subject = NOBODY


def require_maker(session: Session, actor: Actor, subject: Subject = NOBODY) -> int:
    """The member of staff who proposes, without a tie to the subject. Raises `NotPermitted`, `TiedToParty`,
    `RecusedFromCase`."""
    me = staff_number(actor, action=TWO)
    if _tied(session, me, subject.parties):
        raise rules.TiedToParty()
    if _recused(session, me, subject):
        raise rules.RecusedFromCase()
    return me


def require_checker(session: Session, actor: Actor, waiting: Waiting, *, now: datetime) -> int:
    """Another member of staff without a tie, while the proposal still stands. Raises `MakerIsChecker`, `TiedToParty`,
    `RecusedFromCase`, `ProposalFallen`."""
    me = _another(session, actor, waiting)
    if why := flaw(session, waiting, now=now):
        raise rules.fallen(waiting.kind, why)
    return me


def _another(session: Session, actor: Actor, waiting: Waiting) -> int:
    rules.check_two(waiting.kind, maker_id=waiting.maker_id, checker_id=staff_number(actor, action=TWO))
    return require_maker(session, actor, waiting.subject)


def why_not(session: Session, actor: Actor, waiting: Waiting, *, now: datetime) -> str | None:
    """Why this person cannot confirm it now, as the refusal says it; None if they can. That it no longer stands is
    said first, and to everybody."""
    if why := flaw(session, waiting, now=now):
        return rules.fallen(waiting.kind, why).message
    try:
        _another(session, actor, waiting)
    except DeskError as refusal:
        return refusal.message
    return None


def flaw(session: Session, waiting: Waiting, *, now: datetime) -> str | None:
    """Why nobody can confirm it any more; None while somebody can."""
    maker = known_of(session, waiting.maker_id, waiting.subject)
    return rules.flaw(waiting.kind, maker) or rules.expired(waiting.kind, waiting.made_at, now)


def known_of(session: Session, staff_id: int, subject: Subject) -> Maker:
    """What is known now of this person, and of their ties to what is proposed. Nothing is locked."""
    active = session.scalars(select(Staff.active).where(Staff.id == staff_id)).one()
    roles = session.scalars(select(StaffRole.role).where(StaffRole.staff_id == staff_id))
    return Maker(
        active=active,
        roles=frozenset(map(Role, roles)),
        tied=_tied(session, staff_id, subject.parties),
        recused=_recused(session, staff_id, subject),
    )


def _tied(session: Session, staff_id: int, parties: Collection[int]) -> bool:
    if not parties:
        return False
    wanted = select(ties_that_bar.c.party_id).where(
        ties_that_bar.c.staff_id == staff_id, ties_that_bar.c.party_id.in_(parties)
    )
    return session.scalars(wanted).first() is not None


def _recused(session: Session, staff_id: int, subject: Subject) -> bool:
    """By their own word: who only made a decision that others correct is not barred from the rest of the milestone."""
    wanted = select(Recusal.case_id).where(Recusal.staff_id == staff_id)
    if subject.case_id is not None:
        wanted = wanted.where(Recusal.case_id == subject.case_id)
    elif subject.milestone_id is not None:
        wanted = wanted.join(Case, Case.id == Recusal.case_id).where(
            Case.milestone_id == subject.milestone_id, Recusal.reason != CORRECTED_BY_OTHERS
        )
    else:
        return False
    return session.scalars(wanted).first() is not None


def settle(row: Record, status: ProposalStatus, actor: Actor, *, now: datetime) -> None:
    """End the proposal with this status, by this person, or by nobody where it is returned. The caller writes the
    audit entry after it."""
    audit.become(row, status, now=now, by=actor)
    row.settled_by, row.settled_at = actor.id, now  # type: ignore[attr-defined]


def outcome(actor: Actor, maker_id: int | None) -> ProposalStatus:
    """WITHDRAWN where the maker says no to their own proposal, else REJECTED."""
    return ProposalStatus.WITHDRAWN if actor.id == maker_id else ProposalStatus.REJECTED


def tell_returned(
    session: Session,
    waiting: Waiting,
    *,
    what: str,
    why: str,
    about: tuple[str, int],
    now: datetime,
) -> None:
    """Tell the maker why it was returned, if they still work here."""
    if not session.get_one(Staff, waiting.maker_id).active:
        return
    notifications.tell_staff(
        session,
        "proposal_returned",
        staff_ids=[waiting.maker_id],
        about=about,
        key=f"{about[0]}-{about[1]}-proposal-of-{waiting.made_at.isoformat()}-returned",
        now=now,
        what=what,
        noun=rules.TERMS[waiting.kind].noun,
        why=why,
    )


def waits(session: Session, *, maker_id: int, made_at: datetime, what: str) -> rules.ProposalWaits:
    """The refusal for a second proposal about the same thing; `what` goes on after "proposed"."""
    return rules.ProposalWaits(who=session.get_one(Staff, maker_id).name, when=made_at, what=what)
