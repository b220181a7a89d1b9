"""Carrying out an outcome: a decision, a settlement and a plain approval split a milestone's held funds in the same
way."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from core import outbox
from core.actions.debts import receivables
from core.actions.decisions.planned_calls import Calls
from core.actions.milestones.milestone_context import MilestoneContext
from core.actions.payouts import division, withdrawals
from core.actions.refunds import refunds
from core.rules import milestones
from core.rules.grounds import DecisionOutcome, Ground
from core.rules.splits import Split

DECIDED = (milestones.Event.DECIDE_RELEASE, milestones.Event.DECIDE_REFUND)
AGREED = (milestones.Event.AGREE_RELEASE, milestones.Event.AGREE_REFUND)


def settle(
    session: Session,
    context: MilestoneContext,
    outcome: DecisionOutcome,
    split: Split,
    calls: Calls,
    *,
    events: tuple[milestones.Event, milestones.Event],
    key: str,
    ground: Ground,
    cause: Mapping[str, Any],
    now: datetime,
    decision_id: int | None = None,
) -> None:
    """End the milestone as `events` say, book the split and queue exactly its operations."""
    released, refunded = events
    if outcome is DecisionOutcome.FULL_REFUND:
        context.move(refunded, now=now)
    else:
        context.move(released, now=now)
        context.milestone.verified_at = now
        whole = outcome is DecisionOutcome.FULL_RELEASE
        context.milestone.outcome = milestones.Outcome.RELEASED if whole else milestones.Outcome.SPLIT
    divide(
        session, context, split, calls, key=key, ground=ground, cause=cause, now=now, decision_id=decision_id
    )


def divide(
    session: Session,
    context: MilestoneContext,
    split: Split,
    calls: Calls,
    *,
    key: str,
    cause: Mapping[str, Any],
    now: datetime,
    ground: Ground | None = None,
    decision_id: int | None = None,
) -> None:
    """Split held funds; every outcome does it here. What the payee owes is kept back first; `ground` is required where
    something is refunded."""
    division.post_split(session, context, split, key=key, now=now, cause=cause)
    receivables.keep_back(session, context, calls.kept_back, amount=split.release, key=key, now=now)
    sent = [call for call in (calls.refund, calls.transfer) if call is not None]
    queued = outbox.queue(session, sent, milestone_id=context.milestone.id, now=now)
    if calls.refund is not None:
        assert ground is not None
        refunds.request(
            session,
            context,
            calls.refund,
            queued[calls.refund.key],
            part=split.refund,
            ground=ground,
            now=now,
            decision_id=decision_id,
        )
    if calls.transfer is not None and calls.withdrawal is not None:
        withdrawals.withdraw(session, context, calls.withdrawal, queued[calls.transfer.key], now=now)
