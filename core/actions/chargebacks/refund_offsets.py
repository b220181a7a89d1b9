"""Refunds set off against a lost chargeback: what the bank has given the payer is no longer owed
(docs/decisions/0013).

The refund is reduced to what the bank took and marked as charged back; its operation is canceled, and the remainder
is requested as a new refund, because Stripe refuses to refund more than remains of the payment.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit
from core.actions.chargebacks import duplicate_chargebacks
from core.actions.funding import duplicate_payments
from core.actions.milestones import completion, orders
from core.actions.milestones.milestone_context import MilestoneContext, open_milestone
from core.actions.refunds import refunds
from core.audit.actions import AuditAction
from core.ledger import accounts, journal_store, postings
from core.money import Money
from core.records import Chargeback, OutgoingOperation, Refund, RefundReturn
from core.rules import refunds as rules
from core.rules.operations import OperationKind
from core.rules.payment_states import Cause, CauseKind
from core.rules.permissions import SYSTEM
from core.rules.proposals import ProposalStatus
from core.rules.refunds import RefundEvent, RefundStatus

CAME_BACK = (RefundStatus.FAILED, RefundStatus.CANCELED)
OURS = ("chargeback_lost_after_release", "chargeback_loss_overtaken")


def offset_due_refunds(
    session: Session, context: MilestoneContext, lost: Money, *, key: str, now: datetime
) -> tuple[Money, Money]:
    """How much of a lost chargeback covers refunds that were due anyway, and how much of that is of the milestone's
    amount."""
    due = part = Money.zero(lost.currency)
    for refund, call in _not_left(session, context):
        taken = duplicate_chargebacks.offset_amount(lost - due, context.money(refund.amount_minor))
        if taken.is_positive:
            part += _take(session, context, refund, call, taken, key=key, now=now)
            due += taken
    return due, part


def on_refund_failed(session: Session, operation: OutgoingOperation, *, now: datetime) -> None:
    """A refund that was under way when the bank withdrew the money has failed: the loss that the platform had borne
    is reversed."""
    if operation.kind != OperationKind.REFUND:
        return
    context = open_milestone(session, operation.milestone_id)
    second = duplicate_payments.returned_by(session, operation)
    if second is not None:
        duplicate_chargebacks.on_refund_failed(session, context, second, operation, now=now)
        return
    wanted = select(Refund).where(Refund.operation_id == operation.id).with_for_update()
    refund = session.scalars(wanted).one()
    if refund.status not in CAME_BACK or _sent_another_way(session, refund):
        return
    taken = duplicate_chargebacks.offset_amount(
        _borne_by_us(session, context), context.money(refund.amount_minor)
    )
    if not taken.is_positive:
        return
    key = f"refund.{refund.id}.overtaken"
    part = _take(session, context, refund, operation, taken, key=key, now=now)
    journal = postings.chargeback_loss_overtaken(
        key=key,
        milestone_id=context.milestone.id,
        party_id=context.payer.id,
        amount=taken,
        owed=accounts.refund_payable(context.milestone.id),
        cause={"refund": refund.id, "operation": operation.key},
    )
    journal_store.post(session, journal, now=now)
    orders.shift(
        session,
        context,
        now=now,
        cause=Cause(CauseKind.CHARGEBACK, key, refund=refund.id),
        refundable=-part,
        refunded=part,
    )
    completion.finish(session, context, now=now)


def reinstate_refunds(
    session: Session, context: MilestoneContext, row: Chargeback, *, key: str, now: datetime
) -> None:
    """The bank has returned what had been set off against refunds: they are due again, and requested."""
    gone = _charged_back(session, context)
    whole = Money.total((context.money(each.amount_minor) for each in gone), row.booked_currency)
    part = Money.total((context.money(each.milestone_part_minor) for each in gone), row.booked_currency)
    first = gone[0]
    refunds.ask(
        session,
        context,
        whole,
        part=part,
        ground=first.ground,
        key=f"{key}.again",
        now=now,
        decision_id=first.decision_id,
    )
    orders.shift(
        session,
        context,
        now=now,
        cause=Cause(CauseKind.CHARGEBACK, key, chargeback=row.id),
        refundable=part,
        refunded=-part,
    )


def bore_whole_loss(session: Session, context: MilestoneContext, row: Chargeback, amount: Money) -> bool:
    """Whether `amount` is all that this chargeback cost, and refunds that were due covered all of it."""
    gone = sum(each.amount_minor for each in _charged_back(session, context))
    others = select(Chargeback.id).where(
        Chargeback.milestone_id == row.milestone_id, Chargeback.id != row.id, Chargeback.lost_minor > 0
    )
    alone = session.scalars(others).first() is None
    return alone and amount.minor == row.lost_minor == row.taken_minor == gone


def _not_left(session: Session, context: MilestoneContext) -> Iterator[tuple[Refund, OutgoingOperation]]:
    """Refunds whose money is certainly still here: neither with the payer nor on its way there."""
    wanted = select(Refund).where(Refund.milestone_id == context.milestone.id).order_by(Refund.id)
    for refund in session.scalars(wanted.with_for_update()).all():
        call = session.get_one(OutgoingOperation, refund.operation_id, with_for_update=True)
        unsent = refund.status == RefundStatus.QUEUED and call.first_sent_at is None
        if unsent or (refund.status in CAME_BACK and not _sent_another_way(session, refund)):
            yield refund, call


def _sent_another_way(session: Session, refund: Refund) -> bool:
    """Whether a refund outside Stripe is recorded and not yet confirmed or withdrawn: the money may be with the
    payer."""
    said = select(RefundReturn.id).where(
        RefundReturn.refund_id == refund.id, RefundReturn.status == ProposalStatus.PROPOSED
    )
    return session.scalars(said).first() is not None


def _charged_back(session: Session, context: MilestoneContext) -> list[Refund]:
    wanted = select(Refund).where(
        Refund.milestone_id == context.milestone.id, Refund.status == RefundStatus.CHARGED_BACK
    )
    return list(session.scalars(wanted.order_by(Refund.id)))


def _take(
    session: Session,
    context: MilestoneContext,
    refund: Refund,
    call: OutgoingOperation,
    taken: Money,
    *,
    key: str,
    now: datetime,
) -> Money:
    """Reduce the refund by `taken`, first from the milestone's part, and request the remainder anew."""
    whole, part = context.money(refund.amount_minor), context.money(refund.milestone_part_minor)
    taken_part, before = min(taken, part), refund.status
    audit.become(refund, rules.after(refund.status, RefundEvent.CHARGE_BACK), now=now)
    refund.amount_minor, refund.milestone_part_minor = taken.minor, taken_part.minor
    rest = whole - taken
    duplicate_chargebacks.cancel_refund(call, taken, rest, now=now)
    if rest.is_positive:
        refunds.ask(
            session,
            context,
            rest,
            part=part - taken_part,
            ground=refund.ground,
            key=f"{key}.{refund.id}.rest",
            now=now,
            decision_id=refund.decision_id,
        )
    session.flush()
    context.note(
        session,
        SYSTEM,
        AuditAction.REFUND_FOLLOW.by("system"),
        now=now,
        about=("refund", refund.id),
        before={"status": before, "amount": whole.as_dict()},
        after={"status": refund.status, "charged_back": taken.as_dict(), "rest": rest.as_dict()},
        operation_key=call.key,
    )
    return taken_part


def _borne_by_us(session: Session, context: MilestoneContext) -> Money:
    """What lost chargebacks of this milestone cost the platform after its money was split."""
    legs = (
        leg.amount
        for booked in journal_store.of_milestone(session, context.milestone.id)
        if booked.journal.kind in OURS
        for leg in booked.journal.postings
        if leg.account == accounts.CHARGEBACK_LOSSES and leg.amount.currency == context.milestone.currency
    )
    return max(Money.total(legs, context.milestone.currency), context.money(0))
