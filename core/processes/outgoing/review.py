"""A call that a person must look at: its end, its entry in the log, and the payout that it was a step of."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy.orm import Session

from core import audit
from core.actions.operations import operation_states
from core.actions.payouts import withdrawals
from core.audit.actions import AuditAction
from core.gateways.payments import ProviderRefused
from core.records import OutgoingOperation, Payout
from core.rules import payout_failures
from core.rules.operations import OperationStatus
from core.rules.payouts import NotPaid, PayoutEvent, PayoutStatus
from core.rules.permissions import SYSTEM


def send_to_review(
    session: Session,
    operation: OutgoingOperation,
    reason: str,
    *,
    now: datetime,
    payout: Payout | None = None,
    code: str | None = None,
    end: Callable[..., None] = operation_states.for_review,
) -> None:
    """`end`: how the operation itself ends; a payout goes to administrative review either way."""
    end(operation, reason=reason, now=now)
    audit.record(
        session,
        SYSTEM,
        AuditAction.OPERATION_REVIEW.by("system"),
        object_kind="operation",
        object_id=operation.id,
        now=now,
        reason=reason,
        milestone_id=operation.milestone_id,
        operation_key=operation.key,
    )
    if payout is not None:
        how = NotPaid.REFUSED if operation.status == OperationStatus.REFUSED else NotPaid.UNKNOWN
        payout.failure_code, payout.failure = code, payout_failures.sentence(code, how)
        if payout.status != PayoutStatus.ADMINISTRATIVE_REVIEW:
            withdrawals.move(payout, PayoutEvent.FAIL, now=now)
            withdrawals.move(payout, PayoutEvent.REVIEW, now=now)
        withdrawals.report_failure(session, payout, how, now=now, said=reason, operation_key=operation.key)


def refused_for_now(
    session: Session, operation: OutgoingOperation, refusal: ProviderRefused, now: datetime
) -> None:
    """What a person sends again is another attempt, because the provider would repeat its no for this one."""
    send_to_review(session, operation, refusal.message, now=now)
    operation.attempt, operation.first_sent_at = operation.attempt + 1, None
