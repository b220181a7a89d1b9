"""The first half of a withdrawal: from our balance to the payee's account at the provider."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.actions.chargebacks import liability
from core.actions.milestones.milestone_context import MilestoneContext
from core.actions.operations import operation_states
from core.actions.payouts import release, withdrawals
from core.actions.platform import client_funds
from core.desk import Desk
from core.gateways.payments import Payments, ProviderRefused, TransferSnapshot
from core.processes.outgoing import review
from core.processes.outgoing.claim import Claim
from core.processes.outgoing.kind import OutgoingKind, Payload
from core.records import OutgoingOperation, Payout
from core.rules import client_funds as client_funds_rules
from core.rules.operations import OperationStatus
from core.rules.payouts import PayoutEvent, PayoutStatus
from core.rules.refusal_reasons import Block


def _call(desk: Desk, claim: Claim) -> TransferSnapshot:
    return desk.payments.transfer(*claim.sent_as, amount=claim.amount, **claim.payload)


def _find(payments: Payments, claim: Claim) -> TransferSnapshot | None:
    payload = claim.payload
    return payments.find_transfer(
        claim.key, transfer_group=payload["transfer_group"], destination=payload["destination"]
    )


def _look(payments: Payments, claim: Claim) -> TransferSnapshot:
    return payments.transfer_by_id(claim.at_provider)


def _settle(
    session: Session,
    context: MilestoneContext,
    operation: OutgoingOperation,
    snapshot: TransferSnapshot,
    now: datetime,
) -> None:
    before = operation.status
    withdrawals.settle_transfer(session, operation, snapshot, now=now)
    if before != operation.status == OperationStatus.SUCCEEDED:
        liability.transfer_arrived(session, context, operation, now=now)


def _refused(session: Session, operation: OutgoingOperation, refusal: ProviderRefused, now: datetime) -> None:
    """It is over: its payout is what a person looks at."""
    review.send_to_review(
        session,
        operation,
        refusal.message,
        now=now,
        payout=_payout(session, operation),
        code=refusal.provider_code,
        end=operation_states.refused,
    )


def _blocks(session: Session, context: MilestoneContext, operation: OutgoingOperation) -> tuple[Block, ...]:
    """What holds back money for the payee, and too little of our own at the provider."""
    blocks = release.blocking_payout(session, context)
    if client_funds.stopped(session, operation.currency):
        return (*blocks, client_funds_rules.stopped(operation.currency))
    return blocks


def _claimed(
    session: Session, context: MilestoneContext, operation: OutgoingOperation, now: datetime
) -> Payload:
    """The payout is on its way. What waited for the payee's account goes to the account that they have since."""
    payout = _payout(session, operation)
    if payout is not None and payout.status == PayoutStatus.REQUESTED:
        withdrawals.move(payout, PayoutEvent.SEND, now=now)
    payload = dict(operation.payload)
    if payload["destination"] is None:
        payload["destination"] = context.payee.stripe_account
    return payload


def _payout(session: Session, operation: OutgoingOperation) -> Payout | None:
    return session.scalars(select(Payout).where(Payout.transfer_operation_id == operation.id)).one_or_none()


TRANSFER = OutgoingKind(
    call=_call,
    find=_find,
    look=_look,
    settle=_settle,
    refused=_refused,
    waits_for_money=True,
    blocks=_blocks,
    claimed=_claimed,
    payout=_payout,
)
