"""Funding one milestone or several in one go: all of them or none, each with its own payment order and charge."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy.orm import Session

from core.actions.funding import fund
from core.actions.milestones import legal_checklist, projects
from core.actions.milestones.engagement import facts_of
from core.actions.milestones.milestone_context import open_milestone
from core.audit.actions import AuditAction
from core.errors import NotFound
from core.records import Engagement, OutgoingOperation, Project
from core.rules import engagement, milestones
from core.rules import projects as rules
from core.rules.permissions import Actor, require_party


def fund_several(
    session: Session,
    actor: Actor,
    *,
    now: datetime,
    project_id: int,
    milestone_ids: Collection[int],
    payment_method: str | None = None,
    return_url: str | None = None,
    off_session: bool = False,
) -> list[OutgoingOperation]:
    """The payer funds these milestones of one project (milestone-payment-flow, Milestone Funding Phase 1).

    What is not their turn yet is brought forward first, where the project's setting allows it. A charge that is
    declined later concerns its own milestone alone. Raises `NotFound`, `FundedInTurn`, `FundedWithGap` and what
    `fund.fund` raises.
    """
    if session.get(Project, project_id) is None:
        raise NotFound(kind="project", id=project_id)
    project, rows = projects.lock_whole(session, project_id)
    require_party(actor, project.payer_id)
    if unknown := set(milestone_ids) - {row.id for row in rows}:
        raise NotFound(kind="milestone", id=min(unknown))
    parties = (project.payer_id, project.payee_id)
    legal_checklist.require_signed(session, project.platform, parties, now=now)
    engagement.require_complete(facts_of(session.get_one(Engagement, project_id)))
    line = [rules.InLine(row.id, row.title, milestones.Status(row.status)) for row in rows]
    rules.require_fundable(project.funding, line, milestone_ids)
    chosen = [row for row in rows if row.id in milestone_ids]
    for row in chosen:
        if row.status == milestones.Status.PLANNED:
            _bring_forward(session, actor, row.id, now=now)
    return [
        fund.fund(
            session,
            actor,
            now=now,
            milestone_id=row.id,
            payment_method=payment_method,
            return_url=return_url,
            off_session=off_session,
        )
        for row in chosen
    ]


def _bring_forward(session: Session, actor: Actor, milestone_id: int, *, now: datetime) -> None:
    """Make a milestone fundable before its turn, without asking the payer to fund it."""
    context = open_milestone(session, milestone_id)
    context.move(milestones.Event.ACTIVATE, now=now)
    context.milestone.activated_at = now
    context.note(session, actor, AuditAction.MILESTONE_ACTIVATE.by("party"), now=now)
    session.flush()
