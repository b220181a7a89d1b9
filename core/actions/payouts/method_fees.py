"""What another payout method costs, after a payout failed: its fee, or what a member of staff has waived of it.

Before the transfer the fee is taken with it. Afterwards the payee's money lies on their own account at the provider:
the fee is booked as what they owe, as much of the transfer is reversed, and the rest is paid out.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from core import outbox
from core.actions.debts import receivables
from core.actions.milestones.milestone_context import MilestoneContext
from core.ledger import journal_store, postings
from core.money import Money, stripe_exact
from core.policy import WithdrawalMethod
from core.records import Payout
from core.rules import fees
from core.rules.operations import OperationKind


def due(context: MilestoneContext, payout: Payout, method: WithdrawalMethod) -> Money:
    """What this method costs the payee from here on: its fee, less what of it was taken or waived with the transfer.

    Raises `WithdrawalTooSmall`.
    """
    if method == payout.method:
        return context.money(0 if payout.stripe_transfer else payout.fee_minor)
    full = fees.withdrawal_fee(context.money(payout.amount_minor), method, context.profile)
    if not payout.stripe_transfer:
        return full
    return max(full - context.money(payout.fee_minor + payout.fee_waived_minor), context.money(0))


def waive(payout: Payout, fee: Money, by: int) -> None:
    """The platform goes without this much; who let it go stands on the payout."""
    if fee.is_positive:
        payout.fee_waived_minor += fee.minor
        payout.fee_waived_by = by


def charge(
    session: Session, context: MilestoneContext, payout: Payout, fee: Money, *, key: str, now: datetime
) -> None:
    """Take the fee from what was transferred already; `key` names the payout that is sent for the rest."""
    if fee.is_zero:
        return
    receivables.lock_payee(session, context)
    journal = postings.withdrawal_fee_charged(
        key=f"{key}.fee",
        party_id=payout.party_id,
        fee=fee,
        cause={"payout": payout.id},
        milestone_id=payout.milestone_id,
    )
    journal_store.post(session, journal, now=now)
    outbox.enqueue(
        session,
        key=f"{key}.fee_back",
        kind=OperationKind.REVERSAL,
        milestone_id=payout.milestone_id,
        party_id=payout.party_id,
        amount=stripe_exact(fee),
        payload={"transfer": payout.stripe_transfer, "payout": payout.id, "fee": True},
        now=now,
    )
    payout.fee_minor += fee.minor
