"""What lifting a hold does: foretold by the questions that decide it, with every block that would remain."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.actions.decisions import recorded_decision
from core.actions.milestones.milestone_context import MilestoneContext, open_milestone
from core.actions.payouts import release
from core.errors import NotFound
from core.money import Money
from core.queries.release_blocks import after_release
from core.records import Decision, Hold, Ticket
from core.rules import holds
from core.rules.approvals import DecisionStatus
from core.rules.refusal_reasons import Block


@dataclass(frozen=True)
class LiftPreview:
    """`blocks`: everything else that would still stop the money. Without any, `releases` is released at once and the
    payment of `pays` goes on, each None where there is no such thing; it leaves once nothing of `unpaid` stops it.
    A decision cools off about case `goes_on`, and is carried out once its time is over; or about case `falls`, where
    its plan would be another now, and is not. `placed_by` may not lift it."""

    blocks: tuple[Block, ...]
    releases: Money | None
    pays: Money | None
    goes_on: int | None
    falls: int | None
    unpaid: tuple[Block, ...]
    placed_by: int | None


def foresee(session: Session, hold_id: int) -> LiftPreview:
    """As it stands now; nothing is locked or written. Raises `NotFound`."""
    hold = session.get(Hold, hold_id)
    if hold is None:
        raise NotFound(kind="hold", id=hold_id)
    context = open_milestone(session, hold.milestone_id, lock=False)
    waiting = session.scalars(
        select(Decision).where(
            Decision.milestone_id == hold.milestone_id, Decision.status == DecisionStatus.COOLING_OFF
        )
    ).one_or_none()
    stands = waiting is not None and _stands(session, context, waiting)
    facts = release.facts_of(session, context, deciding=waiting.ticket_id if waiting else None)
    blocks = holds.blocking(holds.without_hold(facts, hold_id))
    payable = context.money(context.order.payable_minor)
    return LiftPreview(
        blocks=blocks,
        releases=None if blocks else release.awaited(context),
        pays=payable if payable.is_positive and context.payee.auto_withdraw and not blocks else None,
        goes_on=waiting.ticket_id if waiting and stands and not blocks else None,
        falls=waiting.ticket_id if waiting and not stands else None,
        unpaid=after_release(session, [hold.milestone_id])[hold.milestone_id],
        placed_by=hold.placed_by,
    )


def _stands(session: Session, context: MilestoneContext, decision: Decision) -> bool:
    ticket = session.get_one(Ticket, decision.ticket_id)
    return recorded_decision.unchanged(session, context, ticket, decision) is not None
