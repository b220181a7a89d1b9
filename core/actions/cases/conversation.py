"""Talking about a milestone: the parties and staff write, staff asks, and a case waits for the answer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit
from core.actions.cases import messages
from core.actions.cases.mediator_assignment import locked_ticket, require_open
from core.actions.milestones.milestone_context import MilestoneContext, open_milestone
from core.audit.content_hashes import Words
from core.errors import NotFound
from core.records import Message, Party, PartyRequest, Ticket
from core.rules import disputes, requests
from core.rules.disputes import BLOCKING, TicketEvent, TicketStatus
from core.rules.permissions import SYSTEM, Actor, NotYours, Permission, require
from core.rules.requests import RequestKind, RequestStatus

ENDED_BY = {
    "party": RequestStatus.ANSWERED,
    "system": RequestStatus.UNANSWERED,
    "staff": RequestStatus.WITHDRAWN,
}


def say(
    session: Session,
    actor: Actor,
    *,
    now: datetime,
    milestone_id: int,
    body: str,
    audience: str = "PARTIES",
    contents: Sequence[Words] = (),
) -> Message:
    """A party writes to everyone, staff to the parties or (`STAFF`) among themselves.

    An answer from the party that a case is waiting for lets the case go on.
    """
    context = open_milestone(session, milestone_id)
    if actor.kind == "party" and actor.id not in (context.payer.id, context.payee.id):
        raise NotYours(actor=actor.label)
    if actor.kind == "staff":
        require(actor, Permission.WORK_TICKET)
    ticket = _open_ticket(session, milestone_id)
    to = audience if actor.kind == "staff" else "PARTIES"
    message = messages.write(
        session,
        actor,
        context,
        body=body,
        audience=to,
        ticket_id=ticket.id if ticket else None,
        now=now,
        contents=contents,
    )
    if ticket is not None:
        _resume_if_answered(session, actor, context, ticket, now=now, with_file=False)
    return message


def answer(session: Session, actor: Actor, *, now: datetime, ticket_id: int, body: str) -> Message:
    """The party that a case waits for gives its answer. A wanted document is handed in as evidence instead.

    Raises `NothingAsked` when the case waits for nobody, or for the other side.
    """
    context, ticket = locked_ticket(session, ticket_id)
    if actor.kind != "party" or actor.id not in (context.payer.id, context.payee.id):
        raise NotYours(actor=actor.label)
    if ticket.waiting_on != actor.id:
        raise requests.NothingAsked()
    return say(session, actor, now=now, milestone_id=context.milestone.id, body=body)


def handed_in(session: Session, actor: Actor, *, now: datetime, milestone_id: int) -> None:
    """A file from the party that a case is waiting for lets the case go on. The milestone is locked already."""
    ticket = _open_ticket(session, milestone_id)
    if ticket is not None and ticket.waiting_on == actor.id:
        _resume_if_answered(
            session, actor, open_milestone(session, milestone_id), ticket, now=now, with_file=True
        )


def ask(
    session: Session,
    actor: Actor,
    *,
    now: datetime,
    ticket_id: int,
    party_id: int,
    question: str,
    answer_due_at: datetime,
    kind: RequestKind = RequestKind.ANSWER,
) -> Ticket:
    """Ask a party for an answer or a document: the case waits for them, and goes on by itself when they answer or when
    the time is up, which is no later than the time to decide. Raises `AnswerAfterDecision`."""
    require(actor, Permission.WORK_TICKET)
    context, ticket = locked_ticket(session, ticket_id)
    require_open(ticket)
    if party_id not in (context.payer.id, context.payee.id):
        raise NotFound(kind="party", id=party_id)
    requests.check_due(answer_due_at, now, decide_by=None if ticket.escalated else ticket.decision_due_at)
    messages.write(session, actor, context, body=question, audience="PARTIES", ticket_id=ticket.id, now=now)
    audit.become(ticket, disputes.after(ticket.status, TicketEvent.ASK_PARTY), now=now, by=actor)
    ticket.waiting_on, ticket.answer_due_at = party_id, answer_due_at
    ticket.due_at = _first_due(ticket, answer_due_at)
    ticket.version += 1
    asked = PartyRequest(
        ticket_id=ticket.id,
        party_id=party_id,
        kind=kind,
        question=question,
        asked_by=actor.id,
        asked_at=now,
        due_at=answer_due_at,
    )
    session.add(asked)
    session.flush()
    context.note(
        session,
        actor,
        "mediator:ticket:ask",
        now=now,
        about=("ticket", ticket.id),
        after={"waiting_on": party_id, "for": kind, "until": answer_due_at.isoformat()},
        ticket_id=ticket.id,
        contents=[asked],
    )
    context.tell(
        session,
        "information_requested",
        session.get_one(Party, party_id),
        key=f"ticket-{ticket.id}-ask-{ticket.version}",
        now=now,
        about=("ticket", ticket.id),
        question=question,
        answer_by=answer_due_at,
    )
    return ticket


def stop_waiting(session: Session, actor: Actor, *, now: datetime, ticket_id: int) -> Ticket:
    """Staff needs the answer no more: the case is under review again. Raises `NothingAsked`."""
    require(actor, Permission.WORK_TICKET)
    context, ticket = locked_ticket(session, ticket_id)
    require_open(ticket)
    if ticket.status != TicketStatus.WAITING_PARTY:
        raise requests.NothingAsked()
    resume(session, actor, context, ticket, now=now)
    return ticket


def resume(
    session: Session, actor: Actor, context: MilestoneContext, ticket: Ticket, *, now: datetime
) -> None:
    """The party answered, or had long enough, or staff needs it no more: the case is under review again.

    When the time was up, a note to staff says what nobody answered.
    """
    asked = _end_request(session, actor, ticket, now)
    silent = session.get_one(Party, ticket.waiting_on) if ticket.waiting_on else None
    audit.become(ticket, disputes.after(ticket.status, TicketEvent.PARTY_ANSWERS), now=now, by=actor)
    ticket.waiting_on, ticket.answer_due_at = None, None
    # The version stays: no message voids a decision.
    ticket.due_at = ticket.decision_due_at or ticket.mediation_due_at or now
    session.flush()
    context.note(
        session,
        actor,
        f"{actor.kind}:ticket:resume",
        now=now,
        about=("ticket", ticket.id),
        after={"status": ticket.status},
        ticket_id=ticket.id,
    )
    if actor.kind == "system" and silent is not None:
        _note_silence(session, context, ticket, silent, asked, now)


def _open_ticket(session: Session, milestone_id: int) -> Ticket | None:
    wanted = select(Ticket).where(Ticket.milestone_id == milestone_id, Ticket.status.in_(BLOCKING))
    return session.scalars(wanted.with_for_update().execution_options(populate_existing=True)).one_or_none()


def _resume_if_answered(
    session: Session,
    actor: Actor,
    context: MilestoneContext,
    ticket: Ticket,
    *,
    now: datetime,
    with_file: bool,
) -> None:
    """If this is what the case waits for, it goes on."""
    if actor.kind != "party" or ticket.waiting_on != actor.id:
        return
    asked = _open_request(session, ticket.id)
    if asked is None or requests.answers(RequestKind(asked.kind), with_file=with_file):
        resume(session, actor, context, ticket, now=now)


def _open_request(session: Session, ticket_id: int) -> PartyRequest | None:
    wanted = select(PartyRequest).where(
        PartyRequest.ticket_id == ticket_id, PartyRequest.status == RequestStatus.OPEN
    )
    return session.scalars(wanted.with_for_update()).one_or_none()


def drop_request(session: Session, actor: Actor, ticket: Ticket, *, now: datetime) -> None:
    """The case is decided, settled or taken up again while it waits: the answer is needed no more."""
    asked = _open_request(session, ticket.id)
    if asked is not None:
        audit.become(asked, RequestStatus.WITHDRAWN, now=now, by=actor)
        asked.ended_at = now
        session.flush()


def _end_request(session: Session, actor: Actor, ticket: Ticket, now: datetime) -> PartyRequest | None:
    """Ended before the ticket moves on: what is open then, the database ends as no longer wanted."""
    asked = _open_request(session, ticket.id)
    if asked is not None:
        audit.become(asked, ENDED_BY[actor.kind], now=now, by=actor)
        asked.ended_at = now
        session.flush()
    return asked


def _note_silence(
    session: Session,
    context: MilestoneContext,
    ticket: Ticket,
    silent: Party,
    asked: PartyRequest | None,
    now: datetime,
) -> None:
    what = f" They were asked: “{asked.question[:500]}”" if asked else ""
    body = f"The {silent.role.lower()} did not answer in time. The case is under review again.{what}"
    messages.write(session, SYSTEM, context, body=body, audience="STAFF", ticket_id=ticket.id, now=now)


def _first_due(ticket: Ticket, answer_due_at: datetime) -> datetime:
    return min(answer_due_at, ticket.decision_due_at or answer_due_at)
