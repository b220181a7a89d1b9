"""Payments that wait for the payer or their bank, or failed, each in a sentence."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from core.records import Charge, PaymentOrder
from core.rules.charges import ChargeStatus
from core.rules.declines import UNSAID
from core.rules.payment_states import State


def of_milestones(session: Session, milestone_ids: Collection[int]) -> dict[int, str]:
    """A sentence about the last charge of each that is not paid. One that is only being sent says nothing."""
    wanted = (
        select(Charge)
        .ext(distinct_on(Charge.milestone_id))
        .join(PaymentOrder, PaymentOrder.milestone_id == Charge.milestone_id)
        .where(
            Charge.milestone_id.in_(milestone_ids),
            PaymentOrder.state.in_((State.UNPAID, State.PENDING_PAYMENT)),
        )
        .order_by(Charge.milestone_id, Charge.id.desc())
    )
    told = {each.milestone_id: _sentence(each) for each in session.scalars(wanted)}
    return {number: sentence for number, sentence in told.items() if sentence}


def _sentence(charge: Charge) -> str:
    match charge.status:
        case ChargeStatus.REQUIRES_ACTION:
            assert charge.confirm_by is not None
            return (
                "The payer’s bank asks them to confirm the payment. Unless they do, it is called off on "
                f"{_at(charge.confirm_by)}. Nothing is held until the bank has paid."
            )
        case ChargeStatus.PROCESSING:
            return (
                "The payer’s bank account is being debited. Their bank answers within days; nothing is held until it "
                "has paid."
            )
        case ChargeStatus.FAILED:
            again = charge.next_retry_at
            then = f"It is tried again on {_at(again)}." if again else "It is not tried again automatically."
            return f"The last payment did not go through. {charge.failure or UNSAID} {then}"
    return ""


def _at(at: datetime) -> str:
    return f"{at:%-d %b %Y at %H:%M} UTC"
