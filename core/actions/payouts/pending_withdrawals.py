"""Withdrawals that were not sent yet: found, canceled, or sent with a smaller amount."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import outbox
from core.actions.decisions import planned_calls
from core.actions.milestones.milestone_context import MilestoneContext
from core.actions.operations import operation_states
from core.actions.payouts.withdrawals import move
from core.money import Money
from core.records import OutgoingOperation, Payout
from core.rules.operations import OperationKind, OperationStatus
from core.rules.payouts import PayoutEvent, PayoutStatus


def latest_call(session: Session, payout: Payout) -> OutgoingOperation | None:
    """The latest payout operation of this withdrawal, locked."""
    wanted = (
        select(OutgoingOperation)
        .where(
            OutgoingOperation.milestone_id == payout.milestone_id,
            OutgoingOperation.kind == OperationKind.PAYOUT,
            OutgoingOperation.payload["payout"].as_integer() == payout.id,
        )
        .order_by(OutgoingOperation.id.desc())
        .limit(1)
        .with_for_update()
    )
    return session.scalars(wanted).one_or_none()


def send_rest(
    session: Session,
    context: MilestoneContext,
    payout: Payout,
    rest: Money,
    *,
    after: OutgoingOperation | None,
    now: datetime,
) -> None:
    """Pay out the remainder of a transfer that was partly reversed; `after` is the operation it replaces."""
    before = after.key if after else f"payout.{payout.id}"
    outbox.enqueue(
        session,
        key=f"{before}.rest",
        kind=OperationKind.PAYOUT,
        milestone_id=payout.milestone_id,
        party_id=payout.party_id,
        amount=rest,
        payload={
            **planned_calls.payout_payload(context.payee.stripe_account, payout.method),
            "payout": payout.id,
        },
        now=now,
    )


def cancel(session: Session, context: MilestoneContext, *, reason: str, now: datetime) -> Money:
    """Cancel this milestone's withdrawals that have certainly not been sent; returns what is free again."""
    total = context.money(0)
    wanted = select(Payout).where(
        Payout.milestone_id == context.milestone.id,
        Payout.status.in_((PayoutStatus.REQUESTED, PayoutStatus.ADMINISTRATIVE_REVIEW)),
        Payout.stripe_transfer.is_(None),
    )
    for payout in session.scalars(wanted.order_by(Payout.id).with_for_update()):
        call = session.get_one(OutgoingOperation, payout.transfer_operation_id, with_for_update=True)
        if call.first_sent_at is not None and call.status != OperationStatus.REFUSED:
            continue
        if call.status != OperationStatus.REFUSED:
            operation_states.canceled(call, reason=reason, now=now)
        move(payout, PayoutEvent.CANCEL, now=now)
        payout.failure = f"{reason[0].upper()}{reason[1:]}."
        total += context.money(payout.amount_minor)
    session.flush()
    return total


def unsettled_minor(session: Session, context: MilestoneContext) -> int:
    """What this milestone's withdrawals will still take from the payable, in minor units."""
    wanted = select(func.coalesce(func.sum(Payout.amount_minor), 0)).where(
        Payout.milestone_id == context.milestone.id,
        Payout.stripe_transfer.is_(None),
        Payout.status != PayoutStatus.CANCELED,
    )
    return int(session.scalar(wanted) or 0)
