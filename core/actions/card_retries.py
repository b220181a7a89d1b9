"""A declined card is charged again by itself, with growing pauses, until the payer pays by hand or it is hopeless.

(milestone-payment-flow, Error Handling 1.) Each decline tells the payer when the next try is.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from core.actions import fund, settlement
from core.actions.dossier import Dossier, open_dossier
from core.actions.engagement import facts_of
from core.errors import DeskError
from core.records import Engagement
from core.rules import engagement, milestones
from core.rules.permissions import SYSTEM


def retry(session: Session, *, now: datetime, milestone_id: int) -> bool:
    """Charge again what is due to be; returns whether it was. What cannot be charged any more is forgotten."""
    dossier = open_dossier(session, milestone_id)
    due = dossier.order.next_retry_at
    if due is None or now < due:
        return False
    dossier.order.next_retry_at = None
    method = dossier.order.chosen_method or dossier.payer.payment_method
    if method is None or not _still_wanted(session, dossier):
        return False
    dossier.order.retries += 1
    fund.charge(session, SYSTEM, dossier, method, action="system:payment:retry", now=now)
    return True


def _still_wanted(session: Session, dossier: Dossier) -> bool:
    """Still unpaid, nothing under way, and every precondition of a payment still holds."""
    waits = dossier.status is milestones.Status.AWAITING_FUNDING and not dossier.order.in_flight
    try:
        settlement.require(session, dossier.milestone.currency)
    except DeskError:
        return False
    return waits and not engagement.missing(facts_of(session.get_one(Engagement, dossier.project.id)))
