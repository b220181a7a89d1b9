"""Staff opens a case where the parties do not, so that a justified late complaint can be refunded and no money stays
held for ever.

Internal policy. Possible while the whole amount is held, even if the work was approved: approval under a hold
verifies the milestone but releases nothing.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from core.actions.cases import disputes as dispute
from core.actions.cases import messages, opening
from core.actions.milestones.milestone_context import MilestoneContext, open_milestone
from core.actions.risk import holds
from core.records import Case
from core.rules import cases, milestones
from core.rules.cases import DisputeReason
from core.rules.messages import Audience
from core.rules.permissions import Actor, Permission, require
from core.rules.reasons import given


def by_staff(session: Session, actor: Actor, *, now: datetime, milestone_id: int, reason: str) -> Case:
    """Open a case in the payer's name and assign a mediator at once; an open dispute goes to mediation instead. Late
    complaints become part of the case, which then blocks the release in place of their holds; other holds stay. The
    reason is for staff.

    Raises `NotPermitted`, `ReasonMissing`, `NotAllHeld`, `IllegalMove`.
    """
    require(actor, Permission.OPEN_CASE)
    reason = given(reason)
    context = open_milestone(session, milestone_id)
    order = context.order
    cases.check_all_held(
        held=order.held_minor, elsewhere=order.payable_minor + order.refundable_minor + order.released_minor
    )
    if context.status is milestones.Status.DISPUTED:
        case = dispute.to_mediation(session, actor, context, now=now, because=reason)
    else:
        case = _opened(session, actor, context, reason=reason, now=now)
        dispute.to_mediation(session, actor, context, now=now)
    messages.write(
        session,
        actor,
        context,
        body=reason,
        audience=Audience.STAFF,
        case_id=case.id,
        now=now,
    )
    return case


def _opened(session: Session, actor: Actor, context: MilestoneContext, *, reason: str, now: datetime) -> Case:
    complaints = holds.complaints(session, context)
    case = opening.opened(
        session,
        actor,
        context,
        by=context.payer,
        event=milestones.Event.OPEN_CASE,
        reason=DisputeReason.OPENED_BY_STAFF,
        because=reason,
        details="\n\n".join(each.reason for each in complaints),
        now=now,
    )
    for complaint in complaints:
        holds.taken_up(session, actor, context, complaint, case_id=case.id, now=now)
    return case
