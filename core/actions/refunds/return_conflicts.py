"""One debt, one payment: whoever tries to pay it in a second way is told of the first, under the lock of the debt.

A failed refund is either sent again by Stripe or was paid from the platform's bank; a payout in review is either sent
again or waits for the payee's choice. The database refuses both at once as well (function `one_road`), and the
invariant `one_road` of `escrow-desk check` finds them.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.actions.staff import proposals
from core.records import Refund, RefundReturn
from core.rules.proposals import ProposalStatus
from core.rules.refunds import WAYS


def proposed(session: Session, refund: Refund) -> RefundReturn | None:
    """The unconfirmed record that this refund was paid outside Stripe, if any. The caller holds the refund's lock."""
    wanted = select(RefundReturn).where(
        RefundReturn.refund_id == refund.id, RefundReturn.status == ProposalStatus.PROPOSED
    )
    return session.scalars(wanted).one_or_none()


def require_free(session: Session, refund: Refund) -> None:
    """Raises `ProposalWaits`."""
    row = proposed(session, refund)
    if row is not None:
        way = WAYS[row.way].lower()
        raise proposals.waits(
            session,
            maker_id=row.proposed_by,
            made_at=row.proposed_at,
            what=f"that this refund left our bank by {way}, reference {row.reference} (call {refund.operation_id})",
        )
