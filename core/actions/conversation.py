"""Talking about a milestone: the parties and staff write, staff asks, and a case waits for the answer."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.actions import messages
from core.actions.dossier import Dossier, open_dossier
from core.actions.mediate import locked_ticket, require_open
from core.errors import DeskError, NotFound
from core.records import Message, Party, Ticket
from core.rules import disputes
from core.rules.disputes import BLOCKING, TicketEvent
from core.rules.permissions import Actor, NotYours, Permission, require


class AnswerTimePast(DeskError):
    """{at:%d %B %Y at %H:%M} UTC has passed; give the party time to answer."""


def say(
    session: Session, actor: Actor, *, now: datetime, milestone_id: int, body: str, audience: str = "PARTIES"
) -> Message:
    """A party writes to everyone, staff to the parties or (`STAFF`) among themselves.

    An answer from the party that a case is waiting for lets the case go on.
    """
    dossier = open_dossier(session, milestone_id)
    if actor.kind == "party" and actor.id not in (dossier.payer.id, dossier.payee.id):
        raise NotYours(actor=actor.label)
    if actor.kind == "staff":
        require(actor, Permission.WORK_TICKET)
    ticket = session.scalars(
        select(Ticket)
        .where(Ticket.milestone_id == milestone_id, Ticket.status.in_(BLOCKING))
        .with_for_update()
    ).one_or_none()
    to = audience if actor.kind == "staff" else "PARTIES"
    message = messages.write(
        session, actor, dossier, body=body, audience=to, ticket_id=ticket.id if ticket else None, now=now
    )
    if ticket is not None and actor.kind == "party" and ticket.waiting_on == actor.id:
        resume(session, actor, dossier, ticket, now=now)
    return message


def ask(
    session: Session,
    actor: Actor,
    *,
    now: datetime,
    ticket_id: int,
    party_id: int,
    question: str,
    answer_due_at: datetime,
) -> Ticket:
    """Ask a party for an answer or a document: the case waits for them, and goes on by itself when they answer or when
    the time is up."""
    require(actor, Permission.WORK_TICKET)
    dossier, ticket = locked_ticket(session, ticket_id)
    require_open(ticket)
    if party_id not in (dossier.payer.id, dossier.payee.id):
        raise NotFound(kind="party", id=party_id)
    if answer_due_at <= now:
        raise AnswerTimePast(at=answer_due_at)
    messages.write(session, actor, dossier, body=question, audience="PARTIES", ticket_id=ticket.id, now=now)
    ticket.status = disputes.after(ticket.status, TicketEvent.ASK_PARTY)
    ticket.waiting_on, ticket.answer_due_at, ticket.due_at = party_id, answer_due_at, answer_due_at
    ticket.version += 1
    session.flush()
    dossier.note(
        session,
        actor,
        "mediator:ticket:ask",
        now=now,
        about=("ticket", ticket.id),
        after={"waiting_on": party_id, "until": answer_due_at.isoformat()},
        ticket_id=ticket.id,
    )
    dossier.tell(
        session,
        "information_requested",
        session.get_one(Party, party_id),
        key=f"ticket-{ticket.id}-ask-{ticket.version}",
        now=now,
        question=question,
        answer_by=answer_due_at,
    )
    return ticket


def resume(session: Session, actor: Actor, dossier: Dossier, ticket: Ticket, *, now: datetime) -> None:
    """The party answered, or had long enough: the case is under review again."""
    ticket.status = disputes.after(ticket.status, TicketEvent.PARTY_ANSWERS)
    ticket.waiting_on, ticket.answer_due_at = None, None
    ticket.due_at = ticket.decision_due_at or ticket.mediation_due_at or now
    ticket.version += 1
    session.flush()
    dossier.note(
        session,
        actor,
        f"{actor.kind}:ticket:resume",
        now=now,
        about=("ticket", ticket.id),
        after={"status": ticket.status},
        ticket_id=ticket.id,
    )
