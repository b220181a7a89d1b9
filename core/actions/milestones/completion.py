"""Ending a milestone: when none of its money is still to move, it is completed and the project advances."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from core.actions.milestones import project_progression
from core.actions.milestones.milestone_context import MilestoneContext
from core.audit.actions import AuditAction
from core.rules import milestones
from core.rules.permissions import SYSTEM


def finish(session: Session, context: MilestoneContext, *, now: datetime) -> None:
    """Complete the milestone when none of its money is still to move, and advance the project. A payee who withdraws
    manually does not delay the next milestone."""
    order, milestone = context.order, context.milestone
    waiting = (
        order.held_minor or order.refundable_minor or (order.payable_minor and context.payee.auto_withdraw)
    )
    if waiting or not order.funded_minor or milestone.ended_at is not None:
        return
    if context.status is milestones.Status.VERIFIED:
        context.move(milestones.Event.COMPLETE, now=now)
    elif context.status is not milestones.Status.REFUNDED:
        return
    milestone.ended_at = now
    context.note(
        session,
        SYSTEM,
        AuditAction.MILESTONE_FINISH.by("system"),
        now=now,
        after={"status": milestone.status, "outcome": milestone.outcome},
    )
    project_progression.advance(session, SYSTEM, context, now=now)
