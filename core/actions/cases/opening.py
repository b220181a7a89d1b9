"""Opening a case without a dispute of the payer: the payee had no answer, or staff opened it. Both parties are told.

It goes to a mediator at once, as any other (`disputes.to_mediation`).
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from core.actions.milestones.milestone_context import MilestoneContext
from core.actions.milestones.verification import stop_clocks
from core.audit.actions import AuditAction
from core.audit.content_hashes import Words
from core.records import Case, Party
from core.rules import deadlines, milestones
from core.rules.cases import CaseStatus, DisputeReason
from core.rules.permissions import Actor


def opened(
    session: Session,
    actor: Actor,
    context: MilestoneContext,
    *,
    by: Party,
    event: milestones.Event,
    reason: DisputeReason,
    now: datetime,
    because: str | None = None,
    details: str = "",
) -> Case:
    """Open a case in the name of `by` and stop the milestone's deadlines. `because`: the reason that staff gave;
    `details`: the payer's description."""
    approved = context.status is milestones.Status.VERIFIED
    context.move(event, now=now)
    stop_clocks(context)
    context.milestone.verified_at = None
    staff = actor.kind == "staff"
    case = Case(
        milestone_id=context.milestone.id,
        opened_by=by.id,
        opened_by_staff=actor.id if staff else None,
        reason=reason,
        details=details,
        status=CaseStatus.OPEN,
        opened_at=now,
        due_at=deadlines.deadlock_at(now, context.profile),
    )
    session.add(case)
    session.flush()  # the status is written, too: it goes on from here by a move of its own
    context.note(
        session,
        actor,
        AuditAction.CASE_OPEN.by(actor.kind),
        now=now,
        about=("ticket", case.id),
        reason=because,
        after={"reason": reason, "approved": approved},
        contents=[case, Words("ticket_details", case), Words("ticket_mediators", case)],
        case_id=case.id,
    )
    for party in (context.payer, context.payee):
        context.tell(
            session,
            "case_opened",
            party,
            key=f"ticket-{case.id}-opened-{party.id}",
            now=now,
            about=("ticket", case.id),
            by_staff=staff,
            approved=approved,
            details=details,
        )
    return case
