"""A call that was not done, or of which nobody knows: tried again, waited with, or left to a person."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.actions.milestones.milestone_context import open_milestone
from core.actions.operations import operation_states
from core.actions.payouts import withdrawals
from core.gateways.payments import OutcomeUnknown, ProviderRefused
from core.processes.outgoing.kind import OutgoingKind
from core.processes.outgoing.kinds import KINDS
from core.processes.outgoing.lookups import Unanswered
from core.processes.outgoing.review import send_to_review
from core.records import Chargeback, OutgoingOperation
from core.rules import retries
from core.rules.chargebacks import ChargebackStatus
from core.rules.operations import ENDED, OperationStatus
from core.rules.payouts import PayoutEvent, PayoutStatus

log = structlog.get_logger(__name__)

NO_MONEY_YET = timedelta(hours=1)
LOOK_AGAIN = timedelta(minutes=5)
SHORT = ("balance_insufficient", "insufficient_funds")
NOT_ABLE = ("insufficient_capabilities_for_transfer", "payouts_not_allowed")
"""The payee's account owes something, or is stopped: what was read of it is too old."""
HEALED_BY_TIME = (*SHORT, *NOT_ABLE, "charge_disputed")


def refused(session: Session, operation_id: int, *, refusal: ProviderRefused, now: datetime) -> None:
    """The provider said no. Where time will heal it, it is sent as new later; else its kind knows what follows."""
    operation = _unsettled(session, operation_id)
    if operation is None:
        return
    log.warning("operation.refused", key=operation.key, code=refusal.provider_code)
    kind = KINDS[operation.kind]
    if not kind.waits_for_money or not _heals(session, operation, refusal):
        kind.refused(session, operation, refusal, now)
        return
    reason = _why_later(kind, refusal)
    wait = LOOK_AGAIN if refusal.provider_code in NOT_ABLE else NO_MONEY_YET
    operation_states.again_as_new(operation, at=now + wait, reason=reason, now=now)
    payout = kind.payout(session, operation)
    if payout is not None and payout.status == PayoutStatus.SENDING:
        # Certainly not sent: it can be called off meanwhile.
        withdrawals.move(payout, PayoutEvent.BLOCK, now=now)


def _why_later(kind: OutgoingKind, refusal: ProviderRefused) -> str:
    """What finance reads beside a call that time, or a top-up, will heal."""
    return kind.short_of_money if refusal.provider_code in SHORT else refusal.message


def _heals(session: Session, operation: OutgoingOperation, refusal: ProviderRefused) -> bool:
    """Time heals want of money, and a chargeback that is not over; what the bank has kept for good it does not."""
    if refusal.provider_code not in HEALED_BY_TIME:
        return False
    kept = select(Chargeback.id).where(
        Chargeback.milestone_id == operation.milestone_id, Chargeback.status == ChargebackStatus.LOST
    )
    return refusal.provider_code != "charge_disputed" or session.scalars(kept).first() is None


def try_again(session: Session, operation_id: int, *, unknown: OutcomeUnknown, now: datetime) -> None:
    """Same key, later: exponential backoff with full jitter; after the last try a person looks at it. What is at Stripe
    already is not sent again but looked at, so no number of tries is too many. A question that got no answer is a try,
    but never too late: what was sent long ago may be done."""
    operation = _unsettled(session, operation_id)
    if operation is None:
        return
    assert operation.first_sent_at is not None
    asked_only = isinstance(unknown, Unanswered) and not retries.exhausted(operation.tries)
    if operation.provider_id or asked_only:
        at: datetime | None = now + retries.delay(operation.tries, random.randrange)
    else:
        at = retries.next_try(operation.tries, operation.first_sent_at, now, random.randrange)
    if at is None:
        _leave(session, operation, unknown.message, now=now)
    else:
        operation_states.later(operation, at=at, reason=unknown.message, now=now)


class NotBooked(OutcomeUnknown):
    """It was sent, but what came of it could not be read or booked: {reason}"""


def broke_off(session: Session, operation_id: int, *, reason: str, now: datetime) -> None:
    """Our own work on it failed. What was sent counts as sent without an answer; what was not is looked at again."""
    operation = _unsettled(session, operation_id)
    if operation is None:
        return
    log.warning("operation.broke_off", key=operation.key, reason=reason)
    if operation.status == OperationStatus.SENDING:
        unknown = NotBooked(reason=reason, status=None)
        try_again(session, operation_id, unknown=unknown, now=now)
    else:
        operation_states.later(
            operation, at=now + LOOK_AGAIN, reason=reason, now=now, status=operation.status
        )


def for_review(session: Session, operation_id: int, *, reason: str, now: datetime) -> None:
    """Sending it again by ourselves could do harm."""
    operation = _unsettled(session, operation_id)
    if operation is not None:
        _leave(session, operation, reason, now=now)


def _leave(session: Session, operation: OutgoingOperation, reason: str, *, now: datetime) -> None:
    payout = KINDS[operation.kind].payout(session, operation)
    send_to_review(session, operation, reason, now=now, payout=payout)


def _unsettled(session: Session, operation_id: int) -> OutgoingOperation | None:
    """The operation under its locks; None when it was settled by other news while we waited for the answer."""
    plain = session.get_one(OutgoingOperation, operation_id)
    open_milestone(session, plain.milestone_id)
    operation = operation_states.locked(session, operation_id)
    return None if operation.status in ENDED else operation
