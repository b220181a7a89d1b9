"""The states of an outgoing operation, each written in the transaction that books its result."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from core import audit
from core.records import OutgoingOperation
from core.rules.operations import ENDED, OperationStatus

LOOK_AGAIN_FIRST, LOOK_AGAIN_LONGEST = timedelta(minutes=10), timedelta(hours=6)
SHORT_OF_MONEY = (
    "The platform's balance at Stripe is too small for this. It is sent by itself when the money is there."
)
MAY_BE_DONE = "It was sent, and it may or may not have been done; it is not sent again while this lasts."
NOT_SETTLED_YET = "The money is not yet available on the payee's balance at Stripe. It is sent when it is."


def locked(session: Session, operation_id: int) -> OutgoingOperation:
    """The operation, locked until the end of the transaction; after the milestone's own lock."""
    return session.get_one(OutgoingOperation, operation_id, with_for_update=True, populate_existing=True)


def succeeded(operation: OutgoingOperation, *, provider_id: str, now: datetime) -> None:
    """Done and booked."""
    operation.provider_id, operation.last_error = provider_id, None
    _end(operation, OperationStatus.SUCCEEDED, now)


def refused(operation: OutgoingOperation, *, reason: str, now: datetime) -> None:
    """Stripe refused it definitively: nothing happened."""
    operation.last_error = reason
    _end(operation, OperationStatus.REFUSED, now)


def for_review(operation: OutgoingOperation, *, reason: str, now: datetime) -> None:
    """A person must look at it: sending it again automatically could do harm."""
    operation.last_error = reason
    _end(operation, OperationStatus.REVIEW, now)


def canceled(operation: OutgoingOperation, *, reason: str, now: datetime) -> None:
    """Canceled before it was sent."""
    operation.last_error = reason
    _end(operation, OperationStatus.CANCELED, now)


def waiting(
    operation: OutgoingOperation, *, provider_id: str, now: datetime, again_at: datetime | None = None
) -> None:
    """It exists at Stripe, but its outcome is not final: a webhook will tell, or the next look. A debit takes days, so
    the looks become rarer: until the next one it waits as long again as it has waited."""
    operation.provider_id = provider_id
    if operation.status in ENDED:
        return
    waited = now - (operation.first_sent_at or now)
    look = min(max(waited, LOOK_AGAIN_FIRST), LOOK_AGAIN_LONGEST)
    later(operation, at=max(again_at or now, now + look), reason=None, now=now)


def later(
    operation: OutgoingOperation,
    *,
    at: datetime,
    reason: str | None,
    now: datetime,
    status: OperationStatus = OperationStatus.QUEUED,
) -> None:
    """Try again at `at`, with the same key."""
    _become(operation, status, now, anyway=operation.last_error != reason)
    operation.next_try_at, operation.last_error = at, reason


def again_as_new(operation: OutgoingOperation, *, at: datetime, reason: str, now: datetime) -> None:
    """After a definitive refusal that time can heal: another attempt, under another key (docs/decisions/0004)."""
    operation.attempt += 1
    operation.tries, operation.first_sent_at = 0, None
    later(operation, at=at, reason=reason, now=now)


def _end(operation: OutgoingOperation, status: OperationStatus, now: datetime) -> None:
    _become(operation, status, now)
    operation.finished_at = now


def sending(operation: OutgoingOperation, *, now: datetime) -> None:
    """Claimed by a worker, and on its way as soon as this is committed. Whoever takes it over from one that died
    leaves an entry, too."""
    _become(operation, OperationStatus.SENDING, now, anyway=True)
    operation.sending_since = now
    operation.tries += 1
    operation.first_sent_at = operation.first_sent_at or now


def _become(
    operation: OutgoingOperation, status: OperationStatus, now: datetime, *, anyway: bool = False
) -> None:
    """Through the table of steps, or `IllegalMove`: what was called off is over for good."""
    audit.become(operation, status, now=now, anyway=anyway)
    operation.sending_since = None
