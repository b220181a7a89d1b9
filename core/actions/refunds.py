"""Refunds: what is owed back to the payer, sent, settled, or come back to us."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit, outbox
from core.actions import booking, calls, ending, operations, orders, receipts
from core.actions.calls import Call
from core.actions.dossier import Dossier, open_dossier
from core.actions.keys import idempotency_key
from core.gateways.payments import BalanceLine, RefundSnapshot
from core.ledger import postings
from core.ledger.journal import Journal
from core.money import Money
from core.records import OutgoingOperation, Refund
from core.rules import refunds as rules
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
    dossier: Dossier,
    call: Call | None,
    *,
    part: Money,
    ground: str,
    now: datetime,
    decision_id: int | None = None,
) -> Refund | None:
    """Queue exactly this call, if there is one; `part` of it is the milestone's."""
    if call is None:
        return None
    operation = outbox.queue(session, call, milestone_id=dossier.milestone.id, now=now)
    refund = Refund(
        milestone_id=dossier.milestone.id,
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
    dossier.note(
        session,
        SYSTEM,
        "system:refund:request",
        now=now,
        about=("refund", refund.id),
        after={"amount": call.amount.as_dict(), "ground": ground, "decision": decision_id},
        operation_key=operation.key,
    )
    return refund


def ask(
    session: Session,
    dossier: Dossier,
    amount: Money,
    *,
    part: Money,
    ground: str,
    key: str,
    now: datetime,
    decision_id: int | None,
) -> None:
    """Send `amount` back to the payer; `part` of it is the milestone's."""
    call = calls.refund_of(session, dossier, amount, key=key)
    request(session, dossier, call, part=part, ground=ground, now=now, decision_id=decision_id)


def settle(
    session: Session, operation: OutgoingOperation, snapshot: RefundSnapshot, *, now: datetime
) -> None:
    """Apply what the provider says about a refund now. Each of its lines is booked once, with its signed fee."""
    dossier = open_dossier(session, operation.milestone_id)
    refund = session.scalars(
        select(Refund).where(Refund.operation_id == operation.id).with_for_update()
    ).one()
    for line in sorted(snapshot.lines, key=lambda each: each.amount):
        if not booking.is_booked(session, line):
            journal = _journal(dossier, operation, snapshot, line)
            booking.book_line(session, line, journal, now=now, milestone_id=dossier.milestone.id)
    if refund.status in NOT_OWED:
        return  # it went another way meanwhile, or the bank gave it: late news
    if snapshot.lost and snapshot.key not in (None, idempotency_key(operation.key, operation.attempt)):
        return  # late news of an attempt that was made good since
    refund.stripe_refund = snapshot.id
    status = STATUS_AT_PROVIDER.get(snapshot.status, RefundStatus.PENDING)
    if status == RefundStatus.SUCCEEDED and not snapshot.lines:
        status = RefundStatus.PENDING
    if status != refund.status:
        _change(session, dossier, operation, refund, status, snapshot, now=now)
    if status == RefundStatus.SUCCEEDED:
        operations.succeeded(operation, provider_id=snapshot.id, now=now)
        ending.finish(session, dossier, now=now)
    elif status in GONE_BACK:
        operations.for_review(operation, reason=_why(snapshot) or f"refund {snapshot.status}", now=now)
    else:
        operations.waiting(operation, provider_id=snapshot.id, now=now)
    session.flush()


def refused(session: Session, operation: OutgoingOperation, *, now: datetime) -> None:
    """The provider will not do it: as one that came back, it is sent again by a person, or goes another way."""
    wanted = select(Refund).where(Refund.operation_id == operation.id).with_for_update()
    refund = session.scalars(wanted).one_or_none()  # none: it returns a payment that came twice
    if refund is not None and refund.status == RefundStatus.QUEUED:
        audit.become(refund, rules.after(refund.status, RefundEvent.FAIL), now=now)
        refund.failure = operation.last_error


def _why(snapshot: RefundSnapshot) -> str | None:
    """Why it came back, in words; Stripe tells it as `expired_or_canceled_card`."""
    return snapshot.failure_message or (snapshot.failure_code or "").replace("_", " ").capitalize() or None


def _journal(
    dossier: Dossier, operation: OutgoingOperation, snapshot: RefundSnapshot, line: BalanceLine
) -> Journal:
    book = postings.refund_succeeded
    if line.amount > 0:
        book = postings.refund_canceled if snapshot.status == "canceled" else postings.refund_failed
    amount, fee = booking.moved(line, snapshot.amount)
    return book(
        key=f"{operation.key}.{line.id}",
        milestone_id=dossier.milestone.id,
        party_id=dossier.payer.id,
        amount=amount,
        fee=fee,
        cause={"operation": operation.key, "refund": snapshot.id, "balance_transaction": line.id},
    )


def _change(
    session: Session,
    dossier: Dossier,
    operation: OutgoingOperation,
    refund: Refund,
    status: RefundStatus,
    snapshot: RefundSnapshot,
    *,
    now: datetime,
) -> None:
    part, before = dossier.money(refund.milestone_part_minor), refund.status
    audit.become(refund, rules.after(refund.status, EVENTS[status]), now=now)
    refund.failure = _why(snapshot)
    if status == RefundStatus.SUCCEEDED:
        refund.settled_at = now
        orders.shift(session, dossier, now=now, cause=operation.key, refundable=-part, refunded=part)
    elif before == RefundStatus.SUCCEEDED:
        refund.settled_at = None
        orders.shift(
            session, dossier, now=now, cause=f"{operation.key} failed", refundable=part, refunded=-part
        )
    dossier.note(
        session,
        SYSTEM,
        "system:refund:settle" if status == RefundStatus.SUCCEEDED else "system:refund:follow",
        now=now,
        about=("refund", refund.id),
        before={"status": before},
        after={"status": status, "refund": snapshot.id},
        operation_key=operation.key,
    )
    if status in GONE_BACK:
        dossier.tell(
            session,
            "refund_failed",
            dossier.payer,
            key=f"{operation.key}-{operation.attempt}-failed",
            now=now,
            about=("refund", refund.id),
            refunded=dossier.money(refund.amount_minor).text(),
            reason=_why(snapshot),
        )
    if status == RefundStatus.SUCCEEDED:
        receipts.of_refund(session, dossier, operation, refund, now=now)
        dossier.tell(
            session,
            "refund_sent",
            dossier.payer,
            key=f"{operation.key}-sent",
            now=now,
            about=("refund", refund.id),
            refunded=dossier.money(refund.amount_minor).text(),
        )
