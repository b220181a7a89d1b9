"""What a kind of outgoing operation is: all that tells it from the others, in one place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from core.actions.milestones.milestone_context import MilestoneContext
from core.actions.operations import operation_states
from core.desk import Desk
from core.gateways.payments import Payments, ProviderRefused
from core.processes.outgoing.claim import Claim
from core.records import OutgoingOperation, Payout
from core.rules.refusal_reasons import Block

Payload = dict[str, Any]


def _nothing_blocks(session: Session, context: MilestoneContext, operation: OutgoingOperation) -> tuple[()]:
    return ()


def _as_queued(
    session: Session, context: MilestoneContext, operation: OutgoingOperation, now: datetime
) -> Payload:
    return dict(operation.payload)


def _no_payout(session: Session, operation: OutgoingOperation) -> None:
    return None


@dataclass(frozen=True, kw_only=True)
class OutgoingKind:
    """One kind of call. What was answered, found or looked at is a snapshot, and `settle` books any of them."""

    call: Callable[[Desk, Claim], Any]
    """Ask the provider to do it. Raises what the port of payments raises."""
    find: Callable[[Payments, Claim], Any]
    """What the provider made of it, by our operation id; None where it knows of nothing."""
    look: Callable[[Payments, Claim], Any]
    """How it stands, by the provider's own id."""
    settle: Callable[[Session, MilestoneContext, OutgoingOperation, Any, datetime], None]
    """Book a snapshot of it, any number of times and in any order."""
    refused: Callable[[Session, OutgoingOperation, ProviderRefused, datetime], None]
    """What follows a definitive no."""
    waits_for_money: bool
    """Whether a no for want of money, or while a chargeback lasts, is only a not yet."""
    short_of_money: str = operation_states.SHORT_OF_MONEY
    """What finance reads while it waits for money."""
    blocks: Callable[[Session, MilestoneContext, OutgoingOperation], tuple[Block, ...]] = _nothing_blocks
    """What stops it, looked at once more before money leaves (docs/decisions/0004)."""
    claimed: Callable[[Session, MilestoneContext, OutgoingOperation, datetime], Payload] = _as_queued
    """What is sent besides the amount, as it is when the call is about to go out."""
    payout: Callable[[Session, OutgoingOperation], Payout | None] = _no_payout
    """The payout that it is a step of."""
