"""Money on its way back to a payer: a milestone's, or a payment that came twice."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from core.actions.chargebacks import duplicate_chargebacks, refund_offsets
from core.actions.funding import duplicate_payments
from core.actions.milestones.milestone_context import MilestoneContext
from core.actions.refunds import refunds
from core.actions.risk import external_movements
from core.desk import Desk
from core.gateways.payments import Payments, ProviderRefused, RefundSnapshot
from core.processes.outgoing import review
from core.processes.outgoing.claim import Claim
from core.processes.outgoing.kind import OutgoingKind
from core.records import OutgoingOperation
from core.rules import holds
from core.rules.refusal_reasons import Block


def _call(desk: Desk, claim: Claim) -> RefundSnapshot:
    return desk.payments.refund(*claim.sent_as, amount=claim.amount, **claim.payload)


def _find(payments: Payments, claim: Claim) -> RefundSnapshot | None:
    """A refund that was lost under an earlier attempt is not this one."""
    refund = payments.find_refund(claim.key, payment_intent=claim.payload["payment_intent"])
    old = refund is not None and refund.lost and refund.key != claim.idempotency_key
    return None if old else refund


def _look(payments: Payments, claim: Claim) -> RefundSnapshot:
    return payments.refund_by_id(claim.at_provider)


def _settle(
    session: Session,
    context: MilestoneContext,
    operation: OutgoingOperation,
    snapshot: RefundSnapshot,
    now: datetime,
) -> None:
    second = duplicate_payments.returned_by(session, operation)
    if second is not None:
        duplicate_payments.settle(session, operation, second, snapshot, now=now)
    else:
        refunds.settle(session, operation, snapshot, now=now)
    refund_offsets.on_refund_failed(session, operation, now=now)


def _blocks(session: Session, context: MilestoneContext, operation: OutgoingOperation) -> tuple[Block, ...]:
    """What the bank holds cannot be refunded too, nor what was refunded by hand."""
    if _of_the_order(operation, context):
        return (
            *holds.blocking(holds.Facts(chargeback_open=context.order.chargeback_open)),
            *external_movements.stopping_refunds(session, context.milestone.id),
        )
    return holds.blocking(holds.Facts(chargeback_open=duplicate_chargebacks.frozen(session, operation)))


def _of_the_order(operation: OutgoingOperation, context: MilestoneContext) -> bool:
    """A payment that came twice is returned whatever becomes of the first."""
    paid_with: str = operation.payload["payment_intent"]
    return paid_with == context.order.stripe_payment_intent


def _refused(session: Session, operation: OutgoingOperation, refusal: ProviderRefused, now: datetime) -> None:
    review.refused_for_now(session, operation, refusal, now)
    refunds.refused(session, operation, code=refusal.provider_code, now=now)
    refund_offsets.on_refund_failed(session, operation, now=now)


REFUND = OutgoingKind(
    call=_call,
    find=_find,
    look=_look,
    settle=_settle,
    refused=_refused,
    waits_for_money=True,
    blocks=_blocks,
)
