"""A refund made by hand at Stripe that was the one owed: its line in suspense settles the debt, and the desk's own
refund is not sent.

Any excess is a refund concession. A mediator decides that a refund is owed; two people of finance say that this line
was it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit
from core.actions.milestones import completion, orders
from core.actions.milestones.milestone_context import MilestoneContext
from core.actions.operations import operation_states
from core.actions.reconciliation import suspense_items
from core.actions.refunds import return_conflicts
from core.audit.actions import AuditAction
from core.errors import DeskError
from core.ledger import journal_store, postings
from core.money import Money
from core.records import OutgoingOperation, Refund, SuspenseItem
from core.rules import refunds as rules
from core.rules.operations import OperationStatus
from core.rules.payment_states import Cause, CauseKind
from core.rules.permissions import Actor
from core.rules.refunds import RefundEvent, RefundStatus

CAME_BACK = (RefundStatus.FAILED, RefundStatus.CANCELED)
NOT_SENT = (OperationStatus.QUEUED, OperationStatus.BLOCKED)


class NoRefundOwed(DeskError):
    """Milestone {milestone} has no refund of {paid} or less that is still to be sent and that this line could have
    paid. A mediator decides the refund first; or say what else this was."""


class SmallerThanOwed(DeskError):
    """{paid} is less than the refund of {owed} that is owed for milestone {milestone}, and a refund is paid in one sum:
    this line cannot stand for it. As a refund concession the platform bears it, and the refund that is owed stays owed
    in full."""


class OwedInAnotherCurrency(DeskError):
    """The refund that is owed for milestone {milestone} is {owed}, and Stripe booked this line as {paid}: it is not in
    the currency of the debt, so it cannot stand for it. As a refund concession the platform bears it, and the refund
    that is owed stays owed in full."""


def owed(session: Session, item: SuspenseItem, milestone_id: int) -> Refund:
    """The newest refund of this milestone that has certainly not been paid, and that this line covers; locked.

    Raises `NoRefundOwed`, `SmallerThanOwed`, `OwedInAnotherCurrency`, and `ProposalWaits` where somebody says that
    it left our bank.
    """
    paid = -Money(item.amount_minor, item.currency)
    wanted = (
        select(Refund, OutgoingOperation)
        .join(OutgoingOperation, OutgoingOperation.id == Refund.operation_id)
        .where(Refund.milestone_id == milestone_id)
        .order_by(Refund.id.desc())
        .with_for_update()
    )
    if item.milestone_id not in (None, milestone_id):
        raise NoRefundOwed(milestone=milestone_id, paid=paid)
    unpaid = [refund for refund, call in session.execute(wanted).all() if _certainly_unpaid(refund, call)]
    covered = [each for each in unpaid if each.currency == paid.currency and each.amount_minor <= paid.minor]
    if not covered:
        raise _why_not(unpaid, paid, milestone_id)
    return_conflicts.require_free(session, covered[0])
    return covered[0]


def _certainly_unpaid(refund: Refund, call: OutgoingOperation) -> bool:
    never_sent = refund.status == RefundStatus.QUEUED and _never_sent(call)
    return never_sent or (refund.status in CAME_BACK and call.status == OperationStatus.REVIEW)


def _why_not(unpaid: Sequence[Refund], paid: Money, milestone_id: int) -> DeskError:
    """Why this line cannot be the refund: a part of one is not accepted, because the approved plan and its operation
    are one sum."""
    if not unpaid:
        return NoRefundOwed(milestone=milestone_id, paid=paid)
    bigger = next((each for each in unpaid if each.currency == paid.currency), None)
    asked = bigger or unpaid[0]
    kind = SmallerThanOwed if bigger else OwedInAnotherCurrency
    return kind(milestone=milestone_id, paid=paid, owed=Money(asked.amount_minor, asked.currency))


def _never_sent(call: OutgoingOperation) -> bool:
    return call.status in NOT_SENT and call.first_sent_at is None and call.provider_id is None


def adopt(
    session: Session, actor: Actor, context: MilestoneContext, item: SuspenseItem, *, now: datetime
) -> None:
    """Book the line as the refund that was owed, cancel the desk's own operation, and tell the payer."""
    refund = owed(session, item, context.milestone.id)
    call = session.get_one(OutgoingOperation, refund.operation_id)
    amount, part = context.money(refund.amount_minor), context.money(refund.milestone_part_minor)
    audit.become(refund, rules.after(refund.status, RefundEvent.RETURN), now=now, by=actor)
    refund.settled_at, refund.failure, refund.failure_code = now, None, None
    operation_states.canceled(call, reason=f"made by hand at Stripe, {item.source}", now=now)
    key = f"suspense.{item.id}"
    journal = postings.refund_made_by_hand(
        key=key,
        milestone_id=context.milestone.id,
        party_id=context.payer.id,
        amount=amount,
        more=-Money(item.amount_minor, item.currency) - amount,
        cause={"suspense": item.id, "refund": refund.id, "balance_transaction": item.transaction_id},
    )
    journal_store.post(session, journal, now=now, of_day=suspense_items.day(session, item))
    orders.shift(
        session,
        context,
        now=now,
        cause=Cause(CauseKind.REFUND, key, refund=refund.id),
        refundable=-part,
        refunded=part,
    )
    context.note(
        session,
        actor,
        AuditAction.REFUND_MADE_BY_HAND.by("finance"),
        now=now,
        about=("refund", refund.id),
        after={"amount": amount.as_dict(), "refund": item.source},
        operation_key=call.key,
    )
    context.tell(
        session,
        "refund_sent",
        context.payer,
        key=f"{call.key}-sent",
        now=now,
        about=("refund", refund.id),
        refunded=(-Money(item.amount_minor, item.currency)).text(),
    )
    session.flush()
    completion.finish(session, context, now=now)
