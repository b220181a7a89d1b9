"""A payout that failed because of the payee's bank account goes by itself once there is another one in its place.

The review closes with that reason. What holds payouts to a new bank account back holds this one too
(`core.actions.parties.bank_changes`): it is queued, and sent when the wait is over.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.actions.milestones.milestone_context import open_milestone
from core.actions.payouts import payout_review
from core.audit.actions import AuditAction
from core.policy import WithdrawalMethod
from core.records import PayeeAccount, Payout
from core.rules.payouts import PayoutStatus
from core.rules.permissions import SYSTEM

REASON = "The payee's bank account was replaced since this payout failed."


def stranded(session: Session, party_id: int) -> Sequence[int]:
    """The payouts in review that another bank account of this payee may take now, the oldest first."""
    wanted = select(Payout).where(
        Payout.party_id == party_id,
        Payout.status == PayoutStatus.ADMINISTRATIVE_REVIEW,
        Payout.failed_bank.is_not(None),
    )
    return [each.id for each in session.scalars(wanted.order_by(Payout.id)) if _another(session, each)]


def send_again(session: Session, payout_id: int, *, now: datetime) -> bool:
    """Queue it again, if that is still so under its locks; False where it is not."""
    context = open_milestone(session, session.get_one(Payout, payout_id).milestone_id)
    payout = session.get_one(Payout, payout_id, with_for_update=True, populate_existing=True)
    if payout.status != PayoutStatus.ADMINISTRATIVE_REVIEW or not _another(session, payout):
        return False
    payout_review.send_again(
        session,
        SYSTEM,
        context,
        payout,
        WithdrawalMethod(payout.method),
        action=AuditAction.PAYOUT_RETRY.by("system"),
        now=now,
        reason=REASON,
    )
    return True


def blame_the_bank(session: Session, payout: Payout) -> None:
    """It was refused because of the bank account that the payee has now."""
    row = session.get(PayeeAccount, payout.party_id)
    payout.failed_bank = row.banks.get(payout.currency, {}).get("called") if row is not None else None


def _another(session: Session, payout: Payout) -> bool:
    """Whether the payee has a usable bank account in its currency that is not the one it failed at."""
    if payout.failed_bank is None or (row := session.get(PayeeAccount, payout.party_id)) is None:
        return False
    bank = row.banks.get(payout.currency)
    return (
        bank is not None and bank["usable"] and bank.get("called", payout.failed_bank) != payout.failed_bank
    )
