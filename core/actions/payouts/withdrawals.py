"""Withdrawals: from the payee's payable by transfer to their Stripe account and payout to their bank."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, object_session

from core import audit, notifications, outbox
from core.actions.debts import receivables
from core.actions.decisions import planned_calls
from core.actions.decisions.planned_calls import Withdrawal
from core.actions.funding import balance_transactions
from core.actions.milestones import completion, orders
from core.actions.milestones.milestone_context import MilestoneContext, open_milestone
from core.actions.operations import operation_states
from core.audit.actions import AuditAction
from core.gateways.payments import BalanceLine, PayoutSnapshot, TransferSnapshot
from core.ledger import journal_store, postings
from core.money import Money
from core.policy import WithdrawalMethod
from core.records import OutgoingOperation, Payout, PayoutOffer
from core.rules import payout_failures
from core.rules import payouts as rules
from core.rules.operations import OperationKind, OperationStatus
from core.rules.payment_states import Cause, CauseKind
from core.rules.payouts import NotPaid, PayoutEvent, PayoutOfferStatus, PayoutStatus
from core.rules.permissions import SYSTEM, Role
from core.rules.references import reference

IN_WORDS = {
    WithdrawalMethod.STANDARD: "bank transfer",
    WithdrawalMethod.INSTANT: "instant bank transfer",
}


def request(
    session: Session, context: MilestoneContext, amount: Money, *, key: str, now: datetime
) -> Payout | None:
    """Withdraw an amount that is payable, if the payee has automatic withdrawal; else it stays payable."""
    made = planned_calls.of_withdrawal(session, context, amount, key=key)
    receivables.keep_back(session, context, made.kept_back, amount=amount, key=key, now=now)
    if made.transfer is None or made.withdrawal is None:
        return None
    queued = outbox.queue(session, [made.transfer], milestone_id=context.milestone.id, now=now)
    return withdraw(session, context, made.withdrawal, queued[made.transfer.key], now=now)


def withdraw(
    session: Session,
    context: MilestoneContext,
    chosen: Withdrawal,
    operation: OutgoingOperation,
    *,
    now: datetime,
) -> Payout:
    """The payout of this withdrawal, whose transfer is queued as `operation`; without an account at Stripe it waits."""
    payout = Payout(
        milestone_id=context.milestone.id,
        party_id=context.payee.id,
        currency=chosen.amount.currency,
        amount_minor=chosen.amount.minor,
        fee_minor=chosen.fee.minor,
        method=chosen.method,
        status=PayoutStatus.REQUESTED,
        transfer_operation_id=operation.id,
        requested_at=now,
    )
    session.add(payout)
    session.flush()
    context.note(
        session,
        SYSTEM,
        AuditAction.PAYOUT_REQUEST.by("system"),
        now=now,
        about=("payout", payout.id),
        after={"amount": chosen.amount.as_dict(), "fee": chosen.fee.as_dict(), "method": chosen.method},
        operation_key=operation.key,
    )
    return payout


def settle_transfer(
    session: Session, operation: OutgoingOperation, snapshot: TransferSnapshot, *, now: datetime
) -> None:
    """The transfer is made: book it once, send the payout after it, and let the milestone end."""
    context = open_milestone(session, operation.milestone_id)
    payout = session.scalars(select(Payout).where(Payout.transfer_operation_id == operation.id)).one()
    if not snapshot.lines:
        operation_states.waiting(operation, provider_id=snapshot.id, now=now)
        return
    if not balance_transactions.is_booked(session, snapshot.lines[0]):
        _transferred(session, context, operation, payout, snapshot, snapshot.lines[0], now=now)
    operation_states.succeeded(operation, provider_id=snapshot.id, now=now)
    session.flush()


def _transferred(
    session: Session,
    context: MilestoneContext,
    operation: OutgoingOperation,
    payout: Payout,
    snapshot: TransferSnapshot,
    line: BalanceLine,
    *,
    now: datetime,
) -> None:
    amount, fee = context.money(payout.amount_minor), context.money(payout.fee_minor)
    cause = {"operation": operation.key, "transfer": snapshot.id, "balance_transaction": line.id}
    withdrawal = postings.withdrawal(
        key=operation.key,
        party_id=payout.party_id,
        amount=amount,
        fee=fee,
        cause=cause,
        milestone_id=payout.milestone_id,
    )
    balance_transactions.book_line(session, line, withdrawal, now=now, milestone_id=payout.milestone_id)
    arrived = postings.transfer_arrived(
        key=f"{operation.key}.arrived", party_id=payout.party_id, amount=amount - fee, cause=cause
    )
    journal_store.post(session, arrived, now=now)
    payout.stripe_transfer = snapshot.id
    move(payout, PayoutEvent.TRANSFER, now=now)
    sent = Cause(CauseKind.PAYOUT, operation.key, payout=payout.id)
    orders.shift(session, context, now=now, cause=sent, payable=-amount, released=amount)
    _send_on(session, context, operation, payout, amount - fee, now=now)
    _transfer_told(session, context, operation, payout, now=now)
    completion.finish(session, context, now=now)


def _send_on(
    session: Session,
    context: MilestoneContext,
    operation: OutgoingOperation,
    payout: Payout,
    arrived: Money,
    *,
    now: datetime,
) -> None:
    """Send what arrived on the payee's account on to their bank."""
    outbox.enqueue(
        session,
        key=planned_calls.payout_key(operation.key),
        kind=OperationKind.PAYOUT,
        milestone_id=payout.milestone_id,
        party_id=payout.party_id,
        amount=arrived,
        payload={
            **planned_calls.payout_payload(context.payee.stripe_account, payout.method),
            "payout": payout.id,
        },
        now=now,
    )


def _transfer_told(
    session: Session,
    context: MilestoneContext,
    operation: OutgoingOperation,
    payout: Payout,
    *,
    now: datetime,
) -> None:
    """Write the audit entry and tell the payee."""
    amount, fee = context.money(payout.amount_minor), context.money(payout.fee_minor)
    context.note(
        session,
        SYSTEM,
        AuditAction.PAYOUT_TRANSFER.by("system"),
        now=now,
        about=("payout", payout.id),
        after={"transfer": payout.stripe_transfer, "amount": (amount - fee).as_dict()},
        operation_key=operation.key,
    )
    context.tell(
        session,
        "payment_sent",
        context.payee,
        key=f"{operation.key}-sent",
        now=now,
        about=("payout", payout.id),
        **told(amount, fee, WithdrawalMethod(payout.method)),
    )


def told(amount: Money, fee: Money, method: WithdrawalMethod) -> dict[str, Any]:
    """The facts of the e-mail when `amount`, less the `fee`, is sent."""
    return {
        "sent": (amount - fee).text(),
        "released": amount if fee.is_positive else None,
        "withdrawal_fee": fee if fee.is_positive else None,
        "method": IN_WORDS[method.sent_as],
    }


def move(payout: Payout, event: PayoutEvent, *, now: datetime) -> None:
    """Move the payout's status. Taking a payout out of review closes an open offer to the payee."""
    reviewed = payout.status == PayoutStatus.ADMINISTRATIVE_REVIEW
    audit.become(payout, rules.after(payout.status, event), now=now)
    session = object_session(payout)
    if reviewed and session is not None:
        wanted = select(PayoutOffer).where(
            PayoutOffer.payout_id == payout.id, PayoutOffer.status == PayoutOfferStatus.OPEN
        )
        for offer in session.scalars(wanted.with_for_update()):
            audit.become(offer, PayoutOfferStatus.OVERTAKEN, now=now)
            offer.settled_at = now


def settle_payout(
    session: Session, operation: OutgoingOperation, snapshot: PayoutSnapshot, *, now: datetime
) -> None:
    """Follow a payout on the payee's account, in the memo book; a failed one goes to administrative review.

    A payout can fail days after it was paid (milestone-payment-flow, Error Handling 2). What failed stays failed: late
    news of it must not touch the payout that was sent in its place.
    """
    open_milestone(session, operation.milestone_id)
    if operation.status == OperationStatus.REFUSED:
        return
    payout = session.get_one(Payout, operation.payload["payout"], with_for_update=True)
    payout.stripe_payout, payout.arrival_at = snapshot.id, snapshot.arrival
    cause = {"operation": operation.key, "payout": snapshot.id}
    memo: dict[str, Any] = {"party_id": payout.party_id, "amount": snapshot.amount, "cause": cause}
    if payout.status == PayoutStatus.TRANSFERRED:
        journal_store.post(session, postings.payout_sent(key=f"{operation.key}.sent", **memo), now=now)
        move(payout, PayoutEvent.PAY_OUT, now=now)
    if snapshot.status == "paid" and payout.status == PayoutStatus.IN_TRANSIT:
        journal_store.post(session, postings.payout_paid(key=f"{operation.key}.paid", **memo), now=now)
        move(payout, PayoutEvent.PAY, now=now)
        payout.paid_at = now
        operation_states.succeeded(operation, provider_id=snapshot.id, now=now)
    elif snapshot.lost and payout.status in (PayoutStatus.IN_TRANSIT, PayoutStatus.PAID):
        _payout_failed(session, operation, payout, snapshot, memo, now=now)
    elif snapshot.status != "paid" and not snapshot.lost:
        operation_states.waiting(operation, provider_id=snapshot.id, now=now, again_at=snapshot.arrival)
    session.flush()


def _payout_failed(
    session: Session,
    operation: OutgoingOperation,
    payout: Payout,
    snapshot: PayoutSnapshot,
    memo: dict[str, Any],
    *,
    now: datetime,
) -> None:
    undo = postings.payout_returned if payout.status == PayoutStatus.PAID else postings.payout_failed
    journal_store.post(session, undo(key=f"{operation.key}.failed", **memo), now=now)
    code, how = snapshot.failure_code, NotPaid.CAME_BACK
    payout.failure_code, payout.failure = code, payout_failures.sentence(code, how)
    payout.failed_bank = snapshot.destination if code in payout_failures.REPEATS else None
    move(payout, PayoutEvent.FAIL, now=now)
    move(payout, PayoutEvent.REVIEW, now=now)
    said = snapshot.failure_message or code or snapshot.status
    operation_states.refused(operation, reason=said, now=now)
    report_failure(session, payout, how, now=now, said=said, operation_key=operation.key)


def report_failure(
    session: Session, payout: Payout, how: NotPaid, *, now: datetime, said: str, operation_key: str
) -> None:
    """Tell the payee and finance what is known: it was returned, refused, or is only delayed. `said`: why, in the
    provider's own words, for staff."""
    context = open_milestone(session, payout.milestone_id)
    context.note(
        session,
        SYSTEM,
        AuditAction.PAYOUT_FAIL.by("system"),
        now=now,
        about=("payout", payout.id),
        reason=said,
        after={"status": payout.status},
        operation_key=operation_key,
    )
    sent = context.money(payout.amount_minor - payout.fee_minor).text()
    context.tell(
        session,
        "payout_failed" if how is NotPaid.CAME_BACK else "payout_delayed",
        context.payee,
        key=f"payout-{payout.id}-failed-{now.isoformat()}",
        now=now,
        about=("payout", payout.id),
        sent=sent,
        reason=payout.failure or payout_failures.UNSAID[how],
    )
    context.tell_staff(
        session,
        "payout_to_review",
        notifications.staff_of(session, Role.FINANCE),
        key=f"payout-{payout.id}-failed-{now.isoformat()}",
        now=now,
        about=("payout", payout.id),
        payout=reference("payout", payout.id),
        came_back=how is NotPaid.CAME_BACK,
        refused=how is NotPaid.REFUSED,
        sent=sent,
        reason=said,
    )
