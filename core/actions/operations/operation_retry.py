"""Retrying an operation in review: a refund that failed, or an operation whose outcome stayed unknown.

Unless it certainly did not happen, it is looked up at Stripe before it is sent, and keeps its key. After a definitive
refusal, or for a refund that failed, it is another attempt under another key (docs/decisions/0004).
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit, jobs
from core.actions.funding import duplicate_payments
from core.actions.milestones.milestone_context import open_milestone
from core.actions.operations import operation_states
from core.actions.refunds import return_conflicts
from core.audit.actions import AuditAction
from core.errors import DeskError, NotFound
from core.records import OutgoingOperation, Refund
from core.rules import refunds as rules
from core.rules.duplicate_payments import DuplicateStatus
from core.rules.operations import OperationKind, OperationStatus
from core.rules.permissions import Actor, Permission, require
from core.rules.reasons import given
from core.rules.refunds import RefundEvent, RefundStatus
from core.rules.transitions import status_words


class OperationNotInReview(DeskError):
    """This call is {status}; only one that waits for a person can be sent again."""


class ReviewThePayout(DeskError):
    """This call belongs to a payout. Review the payout: another method can be chosen there."""


def retry(
    session: Session, actor: Actor, *, now: datetime, operation_id: int, reason: str
) -> OutgoingOperation:
    """Send an operation in review again. Raises `NotFound`, `OperationNotInReview`, `ReviewThePayout`,
    `ProposalWaits`, `StepUpRequired`."""
    require(actor, Permission.RETRY_OPERATION, now)
    reason = given(reason)
    plain = session.get(OutgoingOperation, operation_id)
    if plain is None:
        raise NotFound(kind="call", id=operation_id)
    context = open_milestone(session, plain.milestone_id)
    operation = operation_states.locked(session, operation_id)
    if operation.status != OperationStatus.REVIEW:
        raise OperationNotInReview(status=status_words(operation.status))
    if operation.kind in (OperationKind.TRANSFER, OperationKind.PAYOUT):
        raise ReviewThePayout()
    before = {"status": operation.status, "attempt": operation.attempt}
    _again(session, actor, operation, now=now)
    session.flush()
    context.note(
        session,
        actor,
        AuditAction.OPERATION_RETRY.by(actor.kind),
        now=now,
        about=("operation", operation.id),
        reason=reason,
        before=before,
        after={"status": operation.status, "attempt": operation.attempt},
        operation_key=operation.key,
    )
    jobs.defer(session, jobs.DISPATCH, operation_id=operation.id)
    return operation


def _again(session: Session, actor: Actor, operation: OutgoingOperation, *, now: datetime) -> None:
    reason = operation.last_error or "sent again after review"
    operation.finished_at = None
    if _came_back(session, actor, operation, now=now):
        operation.provider_id = None
        operation_states.again_as_new(operation, at=now, reason=reason, now=now)
        return
    operation.tries = 0
    if operation.first_sent_at is not None:  # unknown: for a day from now its trace is looked for first
        operation.first_sent_at = now
    operation_states.later(operation, at=now, reason=reason, now=now)


def _came_back(session: Session, actor: Actor, operation: OutgoingOperation, *, now: datetime) -> bool:
    """Whether this is a refund that failed or was canceled at Stripe: the debt is open, and it can be sent again."""
    if operation.kind != OperationKind.REFUND:
        return False
    second = duplicate_payments.returned_by(session, operation)
    if second is not None:
        if second.status != DuplicateStatus.FAILED:
            return False
        audit.become(second, DuplicateStatus.RETURNING, now=now, by=actor)
        second.stripe_refund = None
        return True
    wanted = select(Refund).where(Refund.operation_id == operation.id).with_for_update()
    refund = session.scalars(wanted).one()
    if refund.status not in (RefundStatus.FAILED, RefundStatus.CANCELED):
        return False
    return_conflicts.require_free(session, refund)
    audit.become(refund, rules.after(refund.status, RefundEvent.RETRY), now=now, by=actor)
    refund.stripe_refund = None
    refund.failure = refund.failure_code = None
    return True
