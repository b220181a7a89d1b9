"""Timers: every deadline is stored, and what is due is done in the order in which it fell due.

A worker that was down for a week catches up in that order, one transaction per deadline. Each handler looks again under
the lock, so a deadline that was met meanwhile, or that another worker took, does nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import func, literal, or_, select, union_all
from sqlalchemy.orm import Session

from core.actions import card_retries, conversation, decide, dispute, mediate, offers, ratings, verify
from core.desk import Desk
from core.errors import DeskError
from core.records import Decision, Milestone, Offer, PaymentOrder, ReviewRound, Ticket
from core.rules.approvals import DecisionStatus
from core.rules.disputes import BLOCKING, TicketStatus
from core.rules.milestones import Status
from core.rules.offers import OfferStatus
from core.rules.permissions import SYSTEM

log = structlog.get_logger(__name__)

BATCH = 100


def run_due(desk: Desk) -> int:
    """Do everything whose time has come; returns how many deadlines were handled."""
    done = 0
    skipped: set[tuple[str, int]] = set()
    while due := [each for each in _due(desk) if each[:2] not in skipped]:
        for kind, number, at in due:
            if not _handle(desk, kind, number, at):
                skipped.add((kind, number))
            else:
                done += 1
    return done


def _handle(desk: Desk, kind: str, number: int, at: datetime) -> bool:
    def act(session: Session) -> bool:
        return HANDLERS[kind](session, number, desk.clock())

    try:
        acted = desk.database.run(act)
    except DeskError as refusal:
        log.warning("timer.refused", kind=kind, id=number, due=at.isoformat(), reason=refusal.message)
        return False
    log.info("timer.fired", kind=kind, id=number, due=at.isoformat(), acted=acted)
    return acted


def _due(desk: Desk) -> list[tuple[str, int, datetime]]:
    now = desk.clock()
    with desk.database.reading() as session:
        each = union_all(*(_timer(kind, column, now) for kind, column in SOURCES.items())).subquery()
        rows = session.execute(select(each).order_by(each.c.at, each.c.kind, each.c.id).limit(BATCH)).all()
    return [(row.kind, row.id, row.at) for row in rows]


def _timer(kind: str, source: Callable[[datetime], Any], now: datetime) -> Any:
    due = source(now).subquery()
    return select(literal(kind).label("kind"), due.c.id, due.c.at)


def _reminders(now: datetime) -> Any:
    """Nobody is reminded at the instant at which silence approves."""
    at, silence = Milestone.next_reminder_at, Milestone.auto_approve_at
    return select(Milestone.id, at.label("at")).where(
        at <= now,
        Milestone.status == Status.PENDING_VERIFICATION,
        or_(silence.is_(None), at < silence),
    )


def _silences(now: datetime) -> Any:
    at = Milestone.auto_approve_at
    return select(Milestone.id, at.label("at")).where(
        at <= now, Milestone.status == Status.PENDING_VERIFICATION
    )


def _mediations(now: datetime) -> Any:
    at = Ticket.mediation_due_at
    return (
        select(Ticket.milestone_id.label("id"), at.label("at"))
        .join(Milestone, Milestone.id == Ticket.milestone_id)
        .where(at <= now, Ticket.status.in_(BLOCKING), Milestone.status == Status.DISPUTED)
    )


def _deadlocks(now: datetime) -> Any:
    """A decision that only waits for its cooling-off was made in time."""
    at = Ticket.decision_due_at
    cooling = select(Decision.ticket_id).where(Decision.status == DecisionStatus.COOLING_OFF)
    return select(Ticket.id, at.label("at")).where(
        at <= now, Ticket.status.in_(BLOCKING), Ticket.escalated.is_(False), Ticket.id.not_in(cooling)
    )


def _answers(now: datetime) -> Any:
    at = Ticket.answer_due_at
    return select(Ticket.id, at.label("at")).where(at <= now, Ticket.status == TicketStatus.WAITING_PARTY)


def _executions(now: datetime) -> Any:
    at = Decision.execute_at
    return select(Decision.id, at.label("at")).where(at <= now, Decision.status == DecisionStatus.COOLING_OFF)


def _card_retries(now: datetime) -> Any:
    at = PaymentOrder.next_retry_at
    return select(PaymentOrder.milestone_id.label("id"), at.label("at")).where(at <= now)


def _reviews(now: datetime) -> Any:
    at = ReviewRound.due_at
    return select(ReviewRound.project_id.label("id"), at.label("at")).where(
        at <= now, ReviewRound.revealed_at.is_(None)
    )


def _offers(now: datetime) -> Any:
    """An offer ends with its time, or with its case."""
    at = func.least(Offer.expires_at, Ticket.resolved_at)
    return (
        select(Offer.id, at.label("at"))
        .join(Ticket, Ticket.id == Offer.ticket_id)
        .where(at <= now, Offer.status == OfferStatus.OPEN)
    )


SOURCES: dict[str, Callable[[datetime], Any]] = {
    "reminder": _reminders,
    "silence": _silences,
    "mediation": _mediations,
    "deadlock": _deadlocks,
    "answer": _answers,
    "execution": _executions,
    "card_retry": _card_retries,
    "offer": _offers,
    "reviews": _reviews,
}


def _locked_milestone(session: Session, number: int) -> Milestone:
    return session.get_one(Milestone, number, with_for_update=True)


def _remind(session: Session, number: int, now: datetime) -> bool:
    """A payer who approves at the same moment is not reminded."""
    milestone = _locked_milestone(session, number)
    if milestone.status != Status.PENDING_VERIFICATION or not _passed(milestone.next_reminder_at, now):
        return False
    verify.remind(session, now=now, milestone_id=number)
    return True


def _approve_by_silence(session: Session, number: int, now: datetime) -> bool:
    """7 days without an answer (milestone-payment-flow, Key Business Rules 5); legal: 72 h (Release Rules)."""
    milestone = _locked_milestone(session, number)
    if milestone.status != Status.PENDING_VERIFICATION or not _passed(milestone.auto_approve_at, now):
        return False
    verify.approve(session, SYSTEM, now=now, milestone_id=number)
    return True


def _mediate(session: Session, number: int, now: datetime) -> bool:
    milestone = _locked_milestone(session, number)
    if milestone.status != Status.DISPUTED:
        return False
    dispute.ask_mediation(session, SYSTEM, now=now, milestone_id=number)
    return True


def _escalate(session: Session, number: int, now: datetime) -> bool:
    mediate.escalate(session, now=now, ticket_id=number)
    return True


def _resume(session: Session, number: int, now: datetime) -> bool:
    """The party had its time to answer; the case goes on without it."""
    dossier, ticket = mediate.locked_ticket(session, number)
    if ticket.status != TicketStatus.WAITING_PARTY or not _passed(ticket.answer_due_at, now):
        return False
    conversation.resume(session, SYSTEM, dossier, ticket, now=now)
    return True


def _execute(session: Session, number: int, now: datetime) -> bool:
    return decide.execute_if_due(session, session.get_one(Decision, number), now=now)


def _charge_again(session: Session, number: int, now: datetime) -> bool:
    return card_retries.retry(session, now=now, milestone_id=number)


def _open_reviews(session: Session, number: int, now: datetime) -> bool:
    """14 days after both were asked (milestone-payment-flow, Final Project Completion)."""
    return ratings.reveal_if_due(session, number, now=now)


def _expire_offer(session: Session, number: int, now: datetime) -> bool:
    return offers.expire(session, now=now, offer_id=number)


def _passed(deadline: datetime | None, now: datetime) -> bool:
    return deadline is not None and deadline <= now


HANDLERS: dict[str, Callable[[Session, int, datetime], bool]] = {
    "reminder": _remind,
    "silence": _approve_by_silence,
    "mediation": _mediate,
    "deadlock": _escalate,
    "answer": _resume,
    "execution": _execute,
    "card_retry": _charge_again,
    "offer": _expire_offer,
    "reviews": _open_reviews,
}
