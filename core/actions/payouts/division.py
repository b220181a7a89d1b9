"""Dividing held money: the journal, and the order's amounts that move with it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from core.actions.debts import receivables
from core.actions.milestones import documents, orders
from core.actions.milestones.milestone_context import MilestoneContext
from core.ledger import journal_store, postings
from core.ledger.journals import Journal
from core.rules import splits
from core.rules.payment_states import Cause, CauseKind


def post_split(
    session: Session,
    context: MilestoneContext,
    split: splits.Split,
    *,
    key: str,
    now: datetime,
    cause: Mapping[str, Any],
) -> int:
    """Post the dividing journal and move the order's amounts the same way; returns the journal."""
    if split.release.is_positive:
        receivables.lock_payee(session, context)
    with session.no_autoflush:  # posting looks at the ledger alone
        journal_id = journal_store.post(session, split_journal(context, split, key=key, cause=cause), now=now)
    context.order.fee_kept_minor = split.fee_kept.minor
    orders.shift(
        session,
        context,
        now=now,
        cause=_cause(key, cause),
        held=-(split.release + split.refund),
        payable=split.release,
        refundable=split.refund,
    )
    documents.of_release(session, context, split, key=key, now=now)
    return journal_id


def _cause(key: str, of: Mapping[str, Any]) -> Cause:
    """Of a decision or a settlement proposal in a case, or of a plain approval."""
    if "offer" in of:
        return Cause(
            CauseKind.SETTLEMENT_PROPOSAL, key, dispute=of["ticket"], settlement_proposal=of["offer"]
        )
    if "ticket" in of:
        return Cause(CauseKind.DECISION, key, dispute=of["ticket"])
    return Cause(CauseKind.APPROVAL, key)


def split_journal(
    context: MilestoneContext, split: splits.Split, *, key: str, cause: Mapping[str, object]
) -> Journal:
    """The journal that divides what is held as the split says; amounts in the milestone's currency."""
    return postings.decided(
        key=key,
        milestone_id=context.milestone.id,
        payee_id=context.payee.id,
        release=split.release,
        refund=split.refund,
        fee_kept=split.fee_kept,
        fee_returned=split.fee_returned,
        concession=split.concession,
        cause=cause,
    )
