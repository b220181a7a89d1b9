"""Money of a milestone that left Stripe without the desk: a refund made by hand there, a payment that failed after all.

What is held is then not there any more, so everything about the milestone stops at a hold that says why: decisions and
approvals are refused with its sentence, timers and payouts wait, and it is on the case before anyone decides. A person
settles the line and lifts the hold.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from core.actions.milestones.milestone_context import open_milestone
from core.gateways.payments import RefundSnapshot
from core.money import Money
from core.records import Hold, PaymentOrder
from core.rules.holds import HoldKind
from core.rules.permissions import SYSTEM


def refund_made_outside(session: Session, snapshot: RefundSnapshot, *, now: datetime) -> bool:
    """A refund that no call of the desk made: stop its milestone; whether that was done, now or before."""
    if snapshot.lost:
        return False
    paid = or_(
        PaymentOrder.stripe_payment_intent == (snapshot.payment_intent or ""),
        PaymentOrder.stripe_charge == (snapshot.charge or ""),
    )
    milestone_id = session.scalars(select(PaymentOrder.milestone_id).where(paid)).first()
    if milestone_id is None:
        return False
    what = f"{snapshot.amount.text()} was refunded to the payer at Stripe, outside this desk ({snapshot.id})"
    return _stop(session, milestone_id, snapshot.id, what, now=now)


def payment_taken_back(session: Session, amount: Money, source: str, *, now: datetime) -> bool:
    """A line took the payment itself back, days after it was booked: the payer's bank did not pay after all."""
    paid = select(PaymentOrder.milestone_id).where(PaymentOrder.stripe_charge == source)
    milestone_id = session.scalars(paid).first() if amount.is_negative else None
    if milestone_id is None:
        return False
    what = f"Stripe took {(-amount).text()} of the payment back ({source})"
    return _stop(session, milestone_id, source, what, now=now)


def _stop(session: Session, milestone_id: int, source: str, what: str, *, now: datetime) -> bool:
    """A hold, once for each object at Stripe; nothing where no money is left that could be stopped."""
    context = open_milestone(session, milestone_id)
    why = f"{what}, so less is at Stripe than the desk holds for this milestone. Finance settles that line first."
    placed = select(Hold.id).where(
        Hold.milestone_id == milestone_id, Hold.reason.contains(f"({source})", autoescape=True)
    )
    if session.scalars(placed).first() is not None:
        return True
    order = context.order
    if not order.held_minor + order.payable_minor + order.refundable_minor:
        return False
    hold = Hold(milestone_id=milestone_id, kind=HoldKind.RISK, reason=why, placed_at=now)
    session.add(hold)
    session.flush()
    context.touch()
    context.note(session, SYSTEM, "system:hold:place", now=now, about=("hold", hold.id), reason=why)
    return True
