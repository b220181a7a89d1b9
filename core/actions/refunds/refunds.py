"""Refunds to the payer: requested, sent, settled, or failed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit, outbox
from core.actions.decisions import planned_calls
from core.actions.decisions.planned_calls import Call
from core.actions.funding import balance_transactions
from core.actions.milestones import completion, documents, orders
from core.actions.milestones.milestone_context import MilestoneContext, open_milestone
from core.actions.operations import operation_states
from core.actions.operations.operation_keys import idempotency_key
from core.audit.actions import AuditAction
from core.gateways.payments import BalanceLine, RefundSnapshot
from core.ledger import postings
from core.ledger.journals import Journal
from core.money import Money
from core.records import OutgoingOperation, Refund
from core.rules import refund_failures
from core.rules import refunds as rules
from core.rules.payment_states import Cause, CauseKind
from core.rules.permissions import SYSTEM
from core.rules.refunds import RefundEvent, RefundStatus

STATUS_AT_PROVIDER = {
    "pending": RefundStatus.PENDING,
    "requires_action": RefundStatus.PENDING,
    "succeeded": RefundStatus.SUCCEEDED,
    "failed": RefundStatus.FAILED,
    "canceled": RefundStatus.CANCELED,
}
EVENTS = {
    RefundStatus.PENDING: RefundEvent.SEND,
    RefundStatus.SUCCEEDED: RefundEvent.SUCCEED,
    RefundStatus.FAILED: RefundEvent.FAIL,
    RefundStatus.CANCELED: RefundEvent.CANCEL,
}
GONE_BACK = (RefundStatus.FAILED, RefundStatus.CANCELED)
NOT_OWED = (RefundStatus.RETURNED, RefundStatus.CHARGED_BACK)


def request(
    session: Session,
    context: MilestoneContext,
    call: Call,
    operation: OutgoingOperation,
    *,
    part: Money,
    ground: str,
    now: datetime,
    decision_id: int | None = None,
) -> Refund:
    """The refund that this call makes, which is queued as `operation`; `part` of it is of the milestone's amount."""
    refund = Refund(
        milestone_id=context.milestone.id,
        decision_id=decision_id,
        operation_id=operation.id,
        amount_minor=call.amount.minor,
        milestone_part_minor=part.minor,
        currency=call.amount.currency,
        ground=ground,
        status=RefundStatus.QUEUED,
        created_at=now,
    )
    session.add(refund)
    session.flush()
    context.note(
        session,
        SYSTEM,
        AuditAction.REFUND_REQUEST.by("system"),
        now=now,
        about=("refund", refund.id),
        after={"amount": call.amount.as_dict(), "ground": ground, "decision": decision_id},
        operation_key=operation.key,
    )
    return refund


def ask(
    session: Session,
    context: MilestoneContext,
    amount: Money,
    *,
    part: Money,
    ground: str,
    key: str,
    now: datetime,
    decision_id: int | None,
) -> None:
    """Request a refund of `amount` to the payer; `part` of it is of the milestone's amount."""
    call = planned_calls.refund_of(session, context, amount, key=key)
    queued = outbox.queue(session, [call], milestone_id=context.milestone.id, now=now)
    request(
        session, context, call, queued[call.key], part=part, ground=ground, now=now, decision_id=decision_id
    )


def settle(
    session: Session, operation: OutgoingOperation, snapshot: RefundSnapshot, *, now: datetime
) -> None:
    """Apply what the provider says about a refund now. Each of its lines is booked once, with its signed fee."""
    context = open_milestone(session, operation.milestone_id)
    refund = session.scalars(
        select(Refund).where(Refund.operation_id == operation.id).with_for_update()
    ).one()
    for line in sorted(snapshot.lines, key=lambda each: each.amount):
        if not balance_transactions.is_booked(session, line):
            journal = _journal(context, operation, snapshot, line)
            balance_transactions.book_line(session, line, journal, now=now, milestone_id=context.milestone.id)
    if refund.status in NOT_OWED:
        return  # it went another way meanwhile, or the bank gave it: late news
    if snapshot.lost and snapshot.key not in (None, idempotency_key(operation.key, operation.attempt)):
        return  # late news of an attempt that was made good since
    refund.stripe_refund = snapshot.id
    status = STATUS_AT_PROVIDER.get(snapshot.status, RefundStatus.PENDING)
    if status == RefundStatus.SUCCEEDED and not snapshot.lines:
        status = RefundStatus.PENDING
    if status != refund.status:
        _change(session, context, operation, refund, status, snapshot, now=now)
    if status == RefundStatus.SUCCEEDED:
        operation_states.succeeded(operation, provider_id=snapshot.id, now=now)
        completion.finish(session, context, now=now)
    elif status in GONE_BACK:
        operation_states.for_review(operation, reason=_why(snapshot) or f"refund {snapshot.status}", now=now)
    else:
        operation_states.waiting(operation, provider_id=snapshot.id, now=now)
    session.flush()


def refused(session: Session, operation: OutgoingOperation, *, code: str | None, now: datetime) -> None:
    """Stripe refused the refund: it counts as failed, and a person sends it again or records one outside Stripe."""
    wanted = select(Refund).where(Refund.operation_id == operation.id).with_for_update()
    refund = session.scalars(wanted).one_or_none()  # none: it returns a payment that came twice
    if refund is not None and refund.status == RefundStatus.QUEUED:
        audit.become(refund, rules.after(refund.status, RefundEvent.FAIL), now=now)
        refund.failure_code, refund.failure = code, refund_failures.refused(code)


def _why(snapshot: RefundSnapshot) -> str | None:
    """Why the refund failed, in the provider's words, for staff; Stripe says `expired_or_canceled_card`."""
    return snapshot.failure_message or (snapshot.failure_code or "").replace("_", " ").capitalize() or None


def _journal(
    context: MilestoneContext, operation: OutgoingOperation, snapshot: RefundSnapshot, line: BalanceLine
) -> Journal:
    book = postings.refund_succeeded
    if line.amount > 0:
        book = postings.refund_canceled if snapshot.status == "canceled" else postings.refund_failed
    amount, fee = balance_transactions.moved(line, snapshot.amount)
    return book(
        key=f"{operation.key}.{line.id}",
        milestone_id=context.milestone.id,
        party_id=context.payer.id,
        amount=amount,
        fee=fee,
        cause={"operation": operation.key, "refund": snapshot.id, "balance_transaction": line.id},
    )


def _change(
    session: Session,
    context: MilestoneContext,
    operation: OutgoingOperation,
    refund: Refund,
    status: RefundStatus,
    snapshot: RefundSnapshot,
    *,
    now: datetime,
) -> None:
    part, before = context.money(refund.milestone_part_minor), refund.status
    audit.become(refund, rules.after(refund.status, EVENTS[status]), now=now)
    refund.failure_code = snapshot.failure_code if status in GONE_BACK else None
    refund.failure = refund_failures.came_back(snapshot.failure_code) if status in GONE_BACK else None
    if status == RefundStatus.SUCCEEDED:
        refund.settled_at = now
        orders.shift(
            session,
            context,
            now=now,
            cause=Cause(CauseKind.REFUND, operation.key, refund=refund.id),
            refundable=-part,
            refunded=part,
        )
    elif before == RefundStatus.SUCCEEDED:
        refund.settled_at = None
        failed = Cause(CauseKind.REFUND_FAILED, f"{operation.key} failed", refund=refund.id)
        orders.shift(session, context, now=now, cause=failed, refundable=part, refunded=-part)
    context.note(
        session,
        SYSTEM,
        AuditAction.REFUND_SETTLE.by("system")
        if status == RefundStatus.SUCCEEDED
        else AuditAction.REFUND_FOLLOW.by("system"),
        now=now,
        about=("refund", refund.id),
        before={"status": before},
        after={"status": status, "refund": snapshot.id},
        operation_key=operation.key,
    )
    if status in GONE_BACK:
        context.tell(
            session,
            "refund_failed",
            context.payer,
            key=f"{operation.key}-{operation.attempt}-failed",
            now=now,
            about=("refund", refund.id),
            refunded=context.money(refund.amount_minor).text(),
            reason=refund.failure,
        )
    if status == RefundStatus.SUCCEEDED:
        documents.of_refund(session, context, operation, refund, now=now)
        context.tell(
            session,
            "refund_sent",
            context.payer,
            key=f"{operation.key}-sent",
            now=now,
            about=("refund", refund.id),
            refunded=context.money(refund.amount_minor).text(),
        )
