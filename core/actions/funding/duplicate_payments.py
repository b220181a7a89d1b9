"""A payment for what was already funded: booked as unapplied, and all of it returned to the payer, by us or their bank.

(payment-escrow-rules, Refund Rules: a duplicate payment is refunded in full, and the processor's fee is ours.)
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit, outbox
from core.actions.funding import balance_transactions
from core.actions.milestones.milestone_context import MilestoneContext, open_milestone
from core.actions.operations import operation_states
from core.actions.operations.operation_keys import idempotency_key, operation_key
from core.audit.actions import AuditAction
from core.gateways.payments import ChargeSnapshot, RefundSnapshot
from core.ledger import postings
from core.money import Money, stripe_exact
from core.records import DuplicatePayment, OutgoingOperation
from core.rules import milestones
from core.rules.duplicate_payments import DuplicateStatus
from core.rules.operations import OperationKind, OperationStatus
from core.rules.permissions import SYSTEM


def is_duplicate(session: Session, context: MilestoneContext, snapshot: ChargeSnapshot) -> bool:
    """Whether the payer has paid, it is not booked, and the milestone waits for no payment (any more)."""
    if (
        not snapshot.succeeded
        or not snapshot.lines
        or balance_transactions.is_booked(session, snapshot.lines[0])
    ):
        return False
    waits = context.status is milestones.Status.AWAITING_FUNDING
    return bool(context.order.funded_minor) or not waits


def receive(
    session: Session,
    context: MilestoneContext,
    operation: OutgoingOperation,
    snapshot: ChargeSnapshot,
    *,
    now: datetime,
) -> DuplicatePayment:
    """Book it once, send it back, tell the payer."""
    line = snapshot.lines[0]
    _, fee = balance_transactions.moved(line, snapshot.amount)
    journal = postings.duplicate_money(
        key=f"duplicate.{snapshot.id}",
        milestone_id=context.milestone.id,
        party_id=context.payer.id,
        charge=snapshot.amount,
        fee=fee,
        cause={"operation": operation.key, "charge": snapshot.charge, "balance_transaction": line.id},
    )
    balance_transactions.book_line(session, line, journal, now=now, milestone_id=context.milestone.id)
    row = send_back(
        session,
        context,
        payment_intent=snapshot.id,
        charge=snapshot.charge or "",
        amount=snapshot.amount,
        template="duplicate_found",
        now=now,
    )
    if operation.status != OperationStatus.SUCCEEDED:
        operation_states.succeeded(operation, provider_id=snapshot.id, now=now)
    return row


def send_back(
    session: Session,
    context: MilestoneContext,
    *,
    payment_intent: str,
    charge: str,
    amount: Money,
    template: str,
    now: datetime,
) -> DuplicatePayment:
    """Return a whole payment that lies on `unapplied_funds` to its payer, and tell them."""
    refund = ask(session, context, payment_intent, amount, key=payment_intent, now=now)
    row = DuplicatePayment(
        milestone_id=context.milestone.id,
        stripe_payment_intent=payment_intent,
        stripe_charge=charge,
        currency=amount.currency,
        amount_minor=amount.minor,
        status=DuplicateStatus.RETURNING,
        operation_id=refund.id,
        found_at=now,
    )
    session.add(row)
    session.flush()
    context.note(
        session,
        SYSTEM,
        AuditAction.DUPLICATE_FIND.by("system"),
        now=now,
        about=("duplicate", row.id),
        after={"amount": amount.as_dict(), "charge": charge},
        operation_key=refund.key,
    )
    context.tell(
        session, template, context.payer, key=f"duplicate-{payment_intent}", now=now, returned=amount
    )
    return row


def ask(
    session: Session,
    context: MilestoneContext,
    payment_intent: str,
    amount: Money,
    *,
    key: str,
    now: datetime,
) -> OutgoingOperation:
    """Send `amount` of a second payment back to the payer."""
    return outbox.enqueue(
        session,
        key=operation_key(session, "duplicate", key, "refund"),
        kind=OperationKind.REFUND,
        milestone_id=context.milestone.id,
        party_id=context.payer.id,
        amount=stripe_exact(amount),
        payload={"payment_intent": payment_intent, "reason": "duplicate"},
        now=now,
    )


def returned_by(session: Session, operation: OutgoingOperation) -> DuplicatePayment | None:
    """The duplicate payment that this operation refunds, if it does."""
    paid_with = operation.payload["payment_intent"]
    wanted = select(DuplicatePayment).where(DuplicatePayment.stripe_payment_intent == paid_with)
    return session.scalars(wanted.with_for_update()).one_or_none()


def settle(
    session: Session,
    operation: OutgoingOperation,
    row: DuplicatePayment,
    snapshot: RefundSnapshot,
    *,
    now: datetime,
) -> None:
    """Apply what the provider says about the refund now; a failed one waits for a person, and the debt stays."""
    context = open_milestone(session, operation.milestone_id)
    for line in sorted(snapshot.lines, key=lambda each: each.amount):
        if balance_transactions.is_booked(session, line):
            continue
        amount, fee = balance_transactions.moved(line, snapshot.amount)
        about: dict[str, Any] = {
            "key": f"{operation.key}.{line.id}",
            "milestone_id": context.milestone.id,
            "party_id": context.payer.id,
        }
        cause = {"operation": operation.key, "refund": snapshot.id, "balance_transaction": line.id}
        if line.amount < 0:
            journal = postings.duplicate_refunded(**about, amount=amount, fee=fee, cause=cause)
        else:
            journal = postings.duplicate_money(**about, charge=amount, fee=fee, cause=cause)
        balance_transactions.book_line(session, line, journal, now=now, milestone_id=context.milestone.id)
    if row.operation_id != operation.id or row.status == DuplicateStatus.CHARGED_BACK:
        return  # late news of a call that was called off, because the bank had paid
    if snapshot.lost and snapshot.key not in (None, idempotency_key(operation.key, operation.attempt)):
        return
    row.stripe_refund = snapshot.id
    if snapshot.status == "succeeded" and snapshot.lines:
        audit.become(row, DuplicateStatus.RETURNED, now=now)
        row.returned_at = now
        operation_states.succeeded(operation, provider_id=snapshot.id, now=now)
    elif snapshot.lost:
        audit.become(row, DuplicateStatus.FAILED, now=now)
        row.returned_at = None
        operation_states.for_review(
            operation, reason=snapshot.failure_code or f"refund {snapshot.status}", now=now
        )
    else:
        operation_states.waiting(operation, provider_id=snapshot.id, now=now)
    context.note(
        session,
        SYSTEM,
        AuditAction.DUPLICATE_FOLLOW.by("system"),
        now=now,
        about=("duplicate", row.id),
        after={"status": row.status, "refund": snapshot.id},
        operation_key=operation.key,
    )
    session.flush()
