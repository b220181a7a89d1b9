"""Declined cards are charged again automatically, at growing intervals, until the payer pays or a retry is pointless.

(milestone-payment-flow, Error Handling 1.) Each decline tells the payer when the next attempt is.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from core.actions.funding import fund, settlement_currency
from core.actions.milestones.engagement import facts_of
from core.actions.milestones.milestone_context import MilestoneContext, open_milestone
from core.audit.actions import AuditAction
from core.errors import DeskError
from core.records import Engagement
from core.rules import engagement, milestones
from core.rules.permissions import SYSTEM


def retry(session: Session, *, now: datetime, milestone_id: int) -> bool:
    """Charge again if a retry is due; returns whether it was. A retry of what can no longer be charged is dropped."""
    context = open_milestone(session, milestone_id)
    due = context.order.next_retry_at
    if due is None or now < due:
        return False
    context.order.next_retry_at = None
    method = context.order.chosen_method or context.payer.payment_method
    if method is None or not _still_wanted(session, context, now):
        return False
    context.order.retries += 1
    fund.charge(
        session,
        SYSTEM,
        context,
        method,
        action=AuditAction.PAYMENT_RETRY.by("system"),
        off_session=True,
        now=now,
    )
    return True


def _still_wanted(session: Session, context: MilestoneContext, now: datetime) -> bool:
    """Whether it is still unpaid, nothing is under way, and every precondition of a payment still holds."""
    waits = context.status is milestones.Status.AWAITING_FUNDING and not context.order.in_flight
    try:
        fund.require_signed(session, context, now=now)
        settlement_currency.require(session, context.milestone.currency)
    except DeskError:
        return False
    return waits and not engagement.missing(facts_of(session.get_one(Engagement, context.project.id)))
