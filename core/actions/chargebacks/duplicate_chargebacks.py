"""A chargeback of a duplicate payment: it concerns that payment alone and not the milestone's own money.

While the bank decides, the duplicate is not refunded. What the bank keeps counts as refunded; if the duplicate had
been refunded already, the platform bears the loss.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from core import audit
from core.actions.funding import duplicate_payments
from core.actions.milestones.milestone_context import MilestoneContext
from core.actions.operations import operation_states
from core.audit.actions import AuditAction
from core.gateways.payments import DisputeSnapshot
from core.ledger import accounts, journal_store, postings
from core.money import Money, stripe_step
from core.records import Chargeback, DuplicatePayment, OutgoingOperation
from core.rules.chargebacks import UNDECIDED
from core.rules.duplicate_payments import DuplicateStatus
from core.rules.operations import OperationStatus
from core.rules.permissions import SYSTEM


def paid_by(session: Session, snapshot: DisputeSnapshot) -> DuplicatePayment | None:
    """The duplicate payment that a chargeback is about, if it is."""
    paid = or_(
        DuplicatePayment.stripe_payment_intent == (snapshot.payment_intent or ""),
        DuplicatePayment.stripe_charge == snapshot.charge,
    )
    return session.scalars(select(DuplicatePayment).where(paid)).first()


def locked(session: Session, duplicate_id: int) -> DuplicatePayment:
    """The duplicate payment, locked and read again."""
    return session.get_one(DuplicatePayment, duplicate_id, with_for_update=True, populate_existing=True)


def frozen(session: Session, operation: OutgoingOperation) -> bool:
    """Whether this operation refunds a duplicate payment whose chargeback is still open."""
    second = duplicate_payments.returned_by(session, operation)
    if second is None:
        return False
    open_ones = select(Chargeback.id).where(
        Chargeback.duplicate_id == second.id, Chargeback.status.in_(UNDECIDED)
    )
    return session.scalars(open_ones).first() is not None


def write_off(
    session: Session, context: MilestoneContext, second: DuplicatePayment, row: Chargeback, *, now: datetime
) -> None:
    """Write off what the bank keeps: first against what was still to be refunded, the rest as the platform's loss."""
    lost, key = row.outstanding, f"chargeback.{row.stripe_dispute}.lost.{row.lost_minor}"
    row.lost_minor = row.taken_minor
    call = _call(session, second)
    taken = Money.zero(lost.currency)
    if _not_left(second, call) and lost.currency == second.currency:
        taken = offset_amount(lost, second.left)
    journal = postings.chargeback_lost_on_duplicate(
        key=key,
        milestone_id=context.milestone.id,
        party_id=context.payer.id,
        amount=lost,
        unapplied=taken,
        cause={"dispute": row.stripe_dispute, "chargeback": row.id, "duplicate": second.id},
    )
    journal_store.post(session, journal, now=now)
    if taken.is_positive:
        _take(session, context, second, call, taken, key=key, now=now)


def on_refund_failed(
    session: Session,
    context: MilestoneContext,
    second: DuplicatePayment,
    operation: OutgoingOperation,
    *,
    now: datetime,
) -> None:
    """The refund failed after the bank had paid the payer: what the platform had borne of that is no longer owed."""
    borne = session.scalar(
        select(func.coalesce(func.sum(Chargeback.lost_minor), 0)).where(
            Chargeback.duplicate_id == second.id, Chargeback.booked_currency == second.currency
        )
    )
    ours = Money(int(borne or 0) - second.charged_back_minor, second.currency)
    if second.operation_id != operation.id or not ours.is_positive or not _not_left(second, operation):
        return
    taken = offset_amount(ours, second.left)
    if not taken.is_positive:
        return
    key = f"duplicate.{second.id}.overtaken.{second.charged_back_minor}"
    journal = postings.chargeback_loss_overtaken(
        key=key,
        milestone_id=context.milestone.id,
        party_id=context.payer.id,
        amount=taken,
        owed=accounts.UNAPPLIED_FUNDS,
        cause={"duplicate": second.id, "operation": operation.key},
    )
    journal_store.post(session, journal, now=now)
    _take(session, context, second, operation, taken, key=key, now=now)


def bore_whole_loss(second: DuplicatePayment, row: Chargeback, amount: Money) -> bool:
    """Whether `amount` is all that this chargeback cost, and the duplicate payment covered all of it."""
    return (
        second.status == DuplicateStatus.CHARGED_BACK
        and amount.minor == row.lost_minor == row.taken_minor == second.charged_back_minor
    )


def reinstate_refunds(
    session: Session,
    context: MilestoneContext,
    second: DuplicatePayment,
    amount: Money,
    *,
    key: str,
    now: datetime,
) -> None:
    """Won after it was lost: the money is a duplicate payment again, and is refunded to the payer."""
    second.charged_back_minor -= amount.minor
    operation = duplicate_payments.ask(
        session, context, second.stripe_payment_intent, amount, key=f"{key}.again", now=now
    )
    second.operation_id, second.stripe_refund = operation.id, None
    audit.become(second, DuplicateStatus.RETURNING, now=now)
    session.flush()


def offset_amount(given: Money, owed: Money) -> Money:
    """How much of `owed` is covered by `given`, such that Stripe can refund the rest in its smallest step."""
    rest, step = owed - min(given, owed), stripe_step(owed.currency)
    return owed - Money(-(-rest.minor // step) * step, owed.currency)


def cancel_refund(call: OutgoingOperation, taken: Money, rest: Money, *, now: datetime) -> None:
    """Cancel the refund's operation, unless it has ended."""
    if call.status in (OperationStatus.QUEUED, OperationStatus.BLOCKED, OperationStatus.REVIEW):
        anew = f" The remaining {rest.text()} is requested again." if rest.is_positive else ""
        reason = f"The payer's bank has given {taken.text()} of it back.{anew}"
        operation_states.canceled(call, reason=reason, now=now)


def _call(session: Session, second: DuplicatePayment) -> OutgoingOperation:
    return session.get_one(OutgoingOperation, second.operation_id, with_for_update=True)


def _not_left(second: DuplicatePayment, call: OutgoingOperation) -> bool:
    """Whether the money is certainly still here: its refund was not sent, was refused, or has failed."""
    return second.status == DuplicateStatus.FAILED or (
        second.status == DuplicateStatus.RETURNING and call.first_sent_at is None
    )


def _take(
    session: Session,
    context: MilestoneContext,
    second: DuplicatePayment,
    call: OutgoingOperation,
    taken: Money,
    *,
    key: str,
    now: datetime,
) -> None:
    before, rest = second.status, second.left - taken
    second.charged_back_minor += taken.minor
    cancel_refund(call, taken, rest, now=now)
    if rest.is_positive:
        following = duplicate_payments.ask(
            session, context, second.stripe_payment_intent, rest, key=f"{key}.rest", now=now
        )
        second.operation_id, second.stripe_refund = following.id, None
        audit.become(second, DuplicateStatus.RETURNING, now=now)
    else:
        audit.become(second, DuplicateStatus.CHARGED_BACK, now=now)
    session.flush()
    context.note(
        session,
        SYSTEM,
        AuditAction.DUPLICATE_FOLLOW.by("system"),
        now=now,
        about=("duplicate", second.id),
        before={"status": before},
        after={"status": second.status, "charged_back": taken.as_dict(), "rest": rest.as_dict()},
        operation_key=call.key,
    )
