"""Timers: every deadline is stored, and what is due is done in the order in which it fell due.

A worker that was down for a week catches up in that order, one transaction per deadline. Under the lock each is asked
for once more, by the same query that found it, so a deadline that was met, moved or taken meanwhile does nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import func, literal, or_, select, tuple_, union_all
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from core.actions.cases import conversation, disputes, mediator_assignment, offers
from core.actions.chargebacks import lifecycle
from core.actions.decisions import confirmation
from core.actions.funding import card_retries
from core.actions.milestones import ratings, verification, verification_timeout
from core.actions.milestones.milestone_context import open_milestone
from core.desk import Desk
from core.errors import DeskError
from core.policy.limits import CHARGEBACK_ALARM
from core.processes import returned_proposals
from core.records import (
    Case,
    Chargeback,
    Decision,
    Milestone,
    Notification,
    Offer,
    PaymentOrder,
    ReviewRound,
)
from core.rules.approvals import DecisionStatus
from core.rules.chargebacks import ANSWERABLE
from core.rules.disputes import BLOCKING, CaseStatus
from core.rules.milestones import Status
from core.rules.offers import OfferStatus
from core.rules.permissions import SYSTEM

log = structlog.get_logger(__name__)

BATCH = 100
Key = tuple[datetime, str, int]


def run_due(desk: Desk) -> int:
    """Do everything whose time has come, oldest first; returns how many deadlines were handled.

    What one deadline makes due at once is done too. What cannot be done now (a hold, a refusal) stands in nobody's way.
    Before anything else, what waits for a second person and can no longer be confirmed goes back to its maker.
    """
    done, seen = returned_proposals.return_stale(desk), set[Key]()
    while acted := _pass(desk, seen):
        done += acted
    return done


def _pass(desk: Desk, seen: set[Key]) -> int:
    """Once through all that is due and not yet seen, batch after batch."""
    done, last = 0, None
    while batch := _due(desk, after=last):
        for key in batch:
            if key not in seen:
                seen.add(key)
                done += _handle(desk, key)
        last = batch[-1]
    return done


def _handle(desk: Desk, key: Key) -> bool:
    at, kind, number = key

    def act(session: Session) -> bool:
        now, (lock, handle) = desk.clock(), HANDLERS[kind]
        lock(session, number)
        return _still_due(session, kind, number, now) and handle(session, number, now)

    try:
        acted = desk.database.run(act)
    except OperationalError:  # the database is away: that is not this deadline's fault
        raise
    except DeskError as refusal:
        log.warning("timer.refused", kind=kind, id=number, due=at.isoformat(), reason=refusal.message)
        return False
    except Exception:  # one that breaks is looked at by a person, and the others still have their time
        log.exception("timer.failed", kind=kind, id=number, due=at.isoformat())
        return False
    log.info("timer.fired", kind=kind, id=number, due=at.isoformat(), acted=acted)
    return acted


def _due(desk: Desk, *, after: Key | None) -> list[Key]:
    now = desk.clock()
    with desk.database.reading() as session:
        each = union_all(*(_timer(kind, source(now)) for kind, source in SOURCES.items())).subquery()
        place = tuple_(each.c.at, each.c.kind, each.c.id)
        wanted = select(each.c.at, each.c.kind, each.c.id).order_by(place).limit(BATCH)
        if after is not None:
            wanted = wanted.where(place > tuple_(*(literal(part) for part in after)))
        return [(row.at, row.kind, row.id) for row in session.execute(wanted)]


def _still_due(session: Session, kind: str, number: int, now: datetime) -> bool:
    due = SOURCES[kind](now).subquery()
    return session.execute(select(due.c.id).where(due.c.id == number)).first() is not None


def _timer(kind: str, source: Any) -> Any:
    due = source.subquery()
    return select(literal(kind).label("kind"), due.c.id, due.c.at)


def _reminders(now: datetime) -> Any:
    """Nobody is reminded of what silence approves at this very instant, or would have approved long ago; where it does
    not, the letter at the end of the time to answer is the reminder."""
    at, until = Milestone.next_reminder_at, Milestone.answer_due_at
    return select(Milestone.id, at.label("at")).where(
        at <= now,
        Milestone.status == Status.PENDING_VERIFICATION,
        or_(until.is_(None), until > now, Milestone.unanswered_at.is_not(None)),
    )


def _silences(now: datetime) -> Any:
    """The payer's time to answer is over, and nothing was made of it yet."""
    at = Milestone.answer_due_at
    return select(Milestone.id, at.label("at")).where(
        at <= now, Milestone.unanswered_at.is_(None), Milestone.status == Status.PENDING_VERIFICATION
    )


def _mediations(now: datetime) -> Any:
    at = Case.mediation_due_at
    return (
        select(Case.milestone_id.label("id"), at.label("at"))
        .join(Milestone, Milestone.id == Case.milestone_id)
        .where(at <= now, Case.status.in_(BLOCKING), Milestone.status == Status.DISPUTED)
    )


def _deadlocks(now: datetime) -> Any:
    """A decision that only waits for its cooling-off was made in time."""
    at = Case.decision_due_at
    cooling = select(Decision.case_id).where(Decision.status == DecisionStatus.COOLING_OFF)
    return select(Case.id, at.label("at")).where(
        at <= now, Case.status.in_(BLOCKING), Case.escalated.is_(False), Case.id.not_in(cooling)
    )


def _answers(now: datetime) -> Any:
    at = Case.answer_due_at
    return select(Case.id, at.label("at")).where(at <= now, Case.status == CaseStatus.WAITING_PARTY)


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
    at = func.least(Offer.expires_at, Case.resolved_at)
    return (
        select(Offer.id, at.label("at"))
        .join(Case, Case.id == Offer.case_id)
        .where(at <= now, Offer.status == OfferStatus.OPEN)
    )


def _chargebacks(now: datetime) -> Any:
    """The bank's last moment is near, and nobody of staff was told so yet."""
    at = Chargeback.due_by - CHARGEBACK_ALARM
    key = func.concat("chargeback-", Chargeback.id, "-alarm-staff-")
    told = select(Notification.id).where(Notification.key.startswith(key)).exists()
    return select(Chargeback.id, at.label("at")).where(
        Chargeback.due_by <= now + CHARGEBACK_ALARM,
        Chargeback.due_by > now,
        Chargeback.closed_at.is_(None),
        Chargeback.status.in_(ANSWERABLE),
        ~told,
    )


SOURCES: dict[str, Callable[[datetime], Any]] = {
    "reminder": _reminders,
    "silence": _silences,
    "mediation": _mediations,
    "deadlock": _deadlocks,
    "answer": _answers,
    "execution": _executions,
    "card_retry": _card_retries,
    "chargeback": _chargebacks,
    "offer": _offers,
    "reviews": _reviews,
}


def _weigh_silence(session: Session, number: int, now: datetime) -> bool:
    """7 days without an answer (milestone-payment-flow, Key Business Rules 5); legal: 72 h (Release Rules)."""
    return verification_timeout.at_deadline(session, now=now, milestone_id=number)


def _remind(session: Session, number: int, now: datetime) -> bool:
    verification.remind(session, now=now, milestone_id=number)
    return True


def _mediate(session: Session, number: int, now: datetime) -> bool:
    disputes.ask_mediation(session, SYSTEM, now=now, milestone_id=number)
    return True


def _escalate(session: Session, number: int, now: datetime) -> bool:
    mediator_assignment.escalate(session, now=now, case_id=number)
    return True


def _resume(session: Session, number: int, now: datetime) -> bool:
    """The party had its time to answer; the case goes on without it."""
    context, case = mediator_assignment.locked_case(session, number)
    conversation.resume(session, SYSTEM, context, case, now=now)
    return True


def _execute(session: Session, number: int, now: datetime) -> bool:
    return confirmation.execute_if_due(session, session.get_one(Decision, number), now=now)


def _charge_again(session: Session, number: int, now: datetime) -> bool:
    return card_retries.retry(session, now=now, milestone_id=number)


def _alarm_of_chargeback(session: Session, number: int, now: datetime) -> bool:
    return lifecycle.alarm(session, now=now, chargeback_id=number)


def _open_reviews(session: Session, number: int, now: datetime) -> bool:
    """14 days after both were asked (milestone-payment-flow, Final Project Completion)."""
    return ratings.reveal_if_due(session, number, now=now)


def _expire_offer(session: Session, number: int, now: datetime) -> bool:
    return offers.expire(session, now=now, offer_id=number)


def _milestone(session: Session, number: int) -> None:
    open_milestone(session, number)


def _case(session: Session, number: int) -> None:
    mediator_assignment.locked_case(session, number)


def _case_of_decision(session: Session, number: int) -> None:
    _case(session, session.get_one(Decision, number).case_id)


def _case_of_offer(session: Session, number: int) -> None:
    _case(session, session.get_one(Offer, number).case_id)


def _chargeback(session: Session, number: int) -> None:
    _milestone(session, session.get_one(Chargeback, number).milestone_id)


def _round(session: Session, number: int) -> None:
    session.get_one(ReviewRound, number, with_for_update=True)


# What is locked before a deadline is looked at once more, and what is done about it.
HANDLERS: dict[str, tuple[Callable[[Session, int], None], Callable[[Session, int, datetime], bool]]] = {
    "reminder": (_milestone, _remind),
    "silence": (_milestone, _weigh_silence),
    "mediation": (_milestone, _mediate),
    "deadlock": (_case, _escalate),
    "answer": (_case, _resume),
    "execution": (_case_of_decision, _execute),
    "card_retry": (_milestone, _charge_again),
    "offer": (_case_of_offer, _expire_offer),
    "reviews": (_round, _open_reviews),
    "chargeback": (_chargeback, _alarm_of_chargeback),
}
