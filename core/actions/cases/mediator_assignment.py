"""Mediators: who gets a case, who hands it on, and what happens when nobody decides."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from enum import Enum

from sqlalchemy import Executable, func, select
from sqlalchemy.orm import Session

from core.actions.cases.messages import checked
from core.actions.milestones.milestone_context import MilestoneContext, open_milestone
from core.audit.content_hashes import Words
from core.db import Record
from core.errors import ChangedMeanwhile, DeskError, NotFound
from core.notifications import staff_of
from core.records import Handover, Recusal, Staff, StaffRole, StaffTie, Ticket
from core.rules import mediation
from core.rules.disputes import BLOCKING, blocks_release
from core.rules.permissions import SYSTEM, Actor, Permission, Role, require
from core.rules.visible_text import says_something


class Unsaid(Enum):
    """The actor does not say whose case they saw it to be."""

    UNSAID = "unsaid"


class TicketClosed(DeskError):
    """Case D-{ticket} is already {status}. Nothing was changed."""


class NotAMediator(DeskError):
    """{name} is not an active mediator, so a case cannot be given to them."""


def locked_ticket(session: Session, ticket_id: int) -> tuple[MilestoneContext, Ticket]:
    """The ticket with its milestone's context, locked in the one order: milestone first."""
    plain = session.get(Ticket, ticket_id)
    if plain is None:
        raise NotFound(kind="case", id=ticket_id)
    context = open_milestone(session, plain.milestone_id)
    ticket = session.get_one(Ticket, ticket_id, with_for_update=True, populate_existing=True)
    return context, ticket


def require_open(ticket: Ticket) -> None:
    if not blocks_release(ticket.status):
        raise TicketClosed(ticket=ticket.id, status=ticket.status.lower())


def ties_of(session: Session, staff_id: int) -> frozenset[int]:
    return frozenset(session.scalars(select(StaffTie.party_id).where(StaffTie.staff_id == staff_id)))


def require_not_recused(session: Session, ticket_id: int, staff_id: int, *, reader: int | None) -> None:
    """Whoever stepped back from a case neither has, decides nor approves it again.

    Raises `YouSteppedBack` where that is the `reader`, else `SteppedBack`.
    """
    stepped = session.get(Recusal, (ticket_id, staff_id))
    if stepped is not None:
        if staff_id == reader:
            raise mediation.YouSteppedBack(at=stepped.at)
        raise mediation.SteppedBack(name=session.get_one(Staff, staff_id).name, at=stepped.at)


def assign(
    session: Session,
    actor: Actor,
    *,
    now: datetime,
    ticket_id: int,
    staff_id: int | None,
    note: str = "",
    taken_from: int | Unsaid | None = Unsaid.UNSAID,
) -> Ticket:
    """Give a case to a mediator without a tie to either party, or (None) back to the queue.

    `claim` is assigning to oneself, handing over is assigning to another; `note` is what the next one should know.
    `taken_from`: whose case the actor saw that it is. Whoever loses it to another's hand is told.
    Raises `ChangedMeanwhile`, `NotPermitted`, `TicketClosed`, `NotAMediator`, `MediatorTied`, `ColleagueTied`,
    `SteppedBack`, `YouSteppedBack`.
    """
    require(actor, Permission.ASSIGN_TICKET)
    context, ticket = locked_ticket(session, ticket_id)
    require_open(ticket)
    before = ticket.mediator_id
    if taken_from is not Unsaid.UNSAID and taken_from != before:
        raise ChangedMeanwhile(kind="case", what=f"it is {_whose(session, before)} now")
    if staff_id is not None:
        _require_free(session, actor, context, ticket, staff_id)
    ticket.mediator_id = staff_id
    contents: list[Record | Words] = [Words("ticket_mediators", ticket)]
    if says_something(note):
        left = Handover(ticket_id=ticket.id, by_id=actor.id, to_id=staff_id, note=checked(note), at=now)
        session.add(left)
        session.flush()
        contents.append(left)
    context.note(
        session,
        actor,
        f"{_subject(actor)}:ticket:assign",
        now=now,
        about=("ticket", ticket.id),
        before={"mediator": before},
        after={"mediator": staff_id},
        contents=contents,
        ticket_id=ticket.id,
    )
    if before is not None and before != staff_id and (actor.kind, actor.id) != ("staff", before):
        context.tell_staff(
            session,
            "case_taken",
            [before],
            key=f"ticket-{ticket.id}-taken-{now.isoformat()}",
            now=now,
            about=("ticket", ticket.id),
            case=f"D-{ticket.id}",
            by=session.get_one(Staff, actor.id).name if actor.kind == "staff" else "The desk",
            to=f"to {session.get_one(Staff, staff_id).name}" if staff_id is not None else "back to the queue",
            decision_due_at=ticket.decision_due_at,
        )
    if staff_id is not None and (actor.kind, actor.id) != ("staff", staff_id):
        context.tell_staff(
            session,
            "case_assigned",
            [staff_id],
            key=f"ticket-{ticket.id}-assigned-{now.isoformat()}",
            now=now,
            about=("ticket", ticket.id),
            case=f"D-{ticket.id}",
            decision_due_at=ticket.decision_due_at,
        )
    session.flush()
    return ticket


def _whose(session: Session, staff_id: int | None) -> str:
    return f"{session.get_one(Staff, staff_id).name}'s" if staff_id is not None else "nobody's"


def _require_free(
    session: Session, actor: Actor, context: MilestoneContext, ticket: Ticket, staff_id: int
) -> None:
    _require_mediator(session, staff_id)
    require_not_recused(session, ticket.id, staff_id, reader=actor.id if actor.kind == "staff" else None)
    try:
        mediation.may_mediate(staff_id, ties_of(session, staff_id), context.payer.id, context.payee.id)
    except mediation.MediatorTied:
        if actor.id == staff_id:
            raise
        raise mediation.ColleagueTied(name=session.get_one(Staff, staff_id).name) from None


def _require_mediator(session: Session, staff_id: int) -> None:
    staff = session.get(Staff, staff_id)
    if staff is None:
        raise NotFound(kind="member of staff", id=staff_id)
    role = session.get(StaffRole, (staff_id, Role.MEDIATOR))
    if role is None or not staff.active:
        raise NotAMediator(name=staff.name)


def assign_best(session: Session, context: MilestoneContext, ticket: Ticket, *, now: datetime) -> None:
    """The untied mediator with the skill and the smallest load; with none free the case waits in the queue."""
    if ticket.mediator_id is not None:
        return
    try:
        best = mediation.choose(
            candidates(session),
            payer_id=context.payer.id,
            payee_id=context.payee.id,
            skill=context.project.project_type,
            ticket_id=ticket.id,
        )
    except mediation.NoMediatorFree:
        return
    assign(session, SYSTEM, now=now, ticket_id=ticket.id, staff_id=best.staff_id)


def candidates(session: Session) -> list[mediation.Candidate]:
    load = (
        select(Ticket.mediator_id, func.count().label("cases"))
        .where(Ticket.status.in_(BLOCKING))
        .group_by(Ticket.mediator_id)
        .subquery()
    )
    rows = session.execute(
        select(Staff.id, Staff.skills, func.coalesce(load.c.cases, 0))
        .join(StaffRole, StaffRole.staff_id == Staff.id)
        .outerjoin(load, load.c.mediator_id == Staff.id)
        .where(StaffRole.role == Role.MEDIATOR, Staff.active)
    ).all()
    ties = _by_staff(session, select(StaffTie.staff_id, StaffTie.party_id))
    recused = _by_staff(session, select(Recusal.staff_id, Recusal.ticket_id))
    return [
        mediation.Candidate(
            staff_id=staff_id,
            open_cases=cases,
            skills=frozenset(skills),
            ties=ties[staff_id],
            recused=recused[staff_id],
        )
        for staff_id, skills, cases in rows
    ]


def _by_staff(session: Session, pairs: Executable) -> defaultdict[int, frozenset[int]]:
    found: defaultdict[int, frozenset[int]] = defaultdict(frozenset)
    for staff_id, number in session.execute(pairs):
        found[staff_id] |= {number}
    return found


def escalate(session: Session, *, now: datetime, ticket_id: int) -> None:
    """No decision in time: the case is the platform administrators' too (milestone-payment-flow, Error Handling 3)."""
    context, ticket = locked_ticket(session, ticket_id)
    if ticket.escalated or not blocks_release(ticket.status):
        return
    ticket.escalated = True
    context.note(
        session,
        SYSTEM,
        "system:ticket:escalate",
        now=now,
        about=("ticket", ticket.id),
        after={"escalated": True},
        ticket_id=ticket.id,
    )
    key, about = f"ticket-{ticket.id}-escalated", ("ticket", ticket.id)
    told = [*staff_of(session, Role.ADMINISTRATOR), *([ticket.mediator_id] if ticket.mediator_id else [])]
    context.tell_staff(
        session,
        "case_escalated",
        told,
        key=key,
        now=now,
        about=about,
        case=f"D-{ticket.id}",
        due_at=ticket.decision_due_at,
    )
    for party in (context.payer, context.payee):
        context.tell(session, "decision_late", party, key=f"{key}-{party.id}", now=now, about=about)


def _subject(actor: Actor) -> str:
    """The role that an audit entry names: the one that the action is for, else the first."""
    if actor.kind != "staff":
        return actor.kind
    return Role.MEDIATOR if Role.MEDIATOR in actor.roles else sorted(actor.roles)[0]
