"""Preview of lifting a hold: what would be released, and every block that would remain."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.actions.decisions import recorded_decision
from core.actions.milestones.milestone_context import MilestoneContext, open_milestone
from core.actions.payouts import release
from core.actions.risk import holds as hold_actions
from core.errors import NotFound
from core.money import Money
from core.queries.release_blocks import after_release
from core.records import Case, Decision, Hold, Payout
from core.rules import holds, milestones
from core.rules.approvals import DecisionStatus
from core.rules.payouts import PayoutStatus
from core.rules.refusal_reasons import Block


@dataclass(frozen=True)
class LiftPreview:
    """`blocks`: everything else that would still stop the money. Without any, `releases` is released at once and the
    payment of `pays` goes on, each None where there is no such thing; it leaves once nothing of `unpaid` stops it.
    A decision cools off about case `goes_on`, and is carried out once its time is over; or about case `falls`, where
    its plan would be another now, and is not. What was released and still `waits` then is the payee's to ask for, or
    finance's to send another way; where the milestone is `over`, nothing is left. `placed_by` may not lift it."""

    blocks: tuple[Block, ...]
    releases: Money | None
    pays: Money | None
    goes_on: int | None
    falls: int | None
    unpaid: tuple[Block, ...]
    waits: Money | None
    over: bool
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
    facts = release.facts_of(session, context, deciding=waiting.case_id if waiting else None)
    blocks = holds.blocking(holds.without_hold(facts, hold_id))
    stopped = hold_actions.stoppable(session, context)
    pays = _on_its_way(session, context)
    rest = stopped - pays
    ended = context.status in milestones.FINAL
    return LiftPreview(
        blocks=blocks,
        releases=None if blocks else release.awaited(context),
        pays=pays if pays.is_positive and not blocks else None,
        goes_on=waiting.case_id if waiting and stands and not blocks else None,
        falls=waiting.case_id if waiting and not stands else None,
        unpaid=after_release(session, [hold.milestone_id])[hold.milestone_id],
        waits=rest if ended and rest.is_positive else None,
        over=holds.over(context.status, stopped),
        placed_by=hold.placed_by,
    )


def _on_its_way(session: Session, context: MilestoneContext) -> Money:
    """What was released and is sent automatically: to the payee's account, or from there to their bank."""
    there = select(func.coalesce(func.sum(Payout.amount_minor - Payout.fee_minor), 0)).where(
        Payout.milestone_id == context.milestone.id, Payout.status == PayoutStatus.TRANSFERRED
    )
    asked = select(func.coalesce(func.sum(Payout.amount_minor), 0)).where(
        Payout.milestone_id == context.milestone.id, Payout.status == PayoutStatus.REQUESTED
    )
    payable = context.order.payable_minor
    sent = payable if context.payee.auto_withdraw else session.scalar(asked)
    return context.money(int(sent or 0) + int(session.scalar(there) or 0))


def _stands(session: Session, context: MilestoneContext, decision: Decision) -> bool:
    case = session.get_one(Case, decision.case_id)
    return recorded_decision.unchanged(session, context, case, decision) is not None
