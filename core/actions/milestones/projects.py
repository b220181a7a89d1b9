"""A project: its lock, its milestones as they stand, and how they are funded."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit
from core.audit.actions import AuditAction
from core.records import Milestone, Project
from core.rules import milestones
from core.rules.permissions import Actor, require_party
from core.rules.projects import Funding


def locked(session: Session, project_id: int) -> Project:
    """The project's row, ours until the end; what is written about it by others meanwhile does not wait for us."""
    return session.get_one(Project, project_id, with_for_update={"key_share": True}, populate_existing=True)


def lock_whole(session: Session, project_id: int) -> tuple[Project, Sequence[Milestone]]:
    """A project with every milestone in its order, which is the order of the ids too: milestones first, then the
    project, as whoever ends a milestone does (`core.actions.milestones.milestone_context`)."""
    wanted = select(Milestone.id).where(Milestone.project_id == project_id).order_by(Milestone.id)
    session.execute(wanted.with_for_update())
    return locked(session, project_id), milestones_of(session, project_id)


def milestones_of(session: Session, project_id: int) -> Sequence[Milestone]:
    """As they stand now."""
    return session.scalars(
        select(Milestone)
        .where(Milestone.project_id == project_id, Milestone.status != milestones.Status.CANCELED)
        .order_by(Milestone.position)
        .execution_options(populate_existing=True)
    ).all()


def choose_funding(
    session: Session, actor: Actor, *, now: datetime, project_id: int, funding: Funding
) -> None:
    """The payer chooses whether milestones may be funded before it is their turn; what is paid stays paid."""
    project = locked(session, project_id)
    require_party(actor, project.payer_id)
    before, project.funding = project.funding, Funding(funding)
    if before == project.funding:
        return
    session.flush()
    audit.record(
        session,
        actor,
        AuditAction.PROJECT_CHOOSE_FUNDING.by("party"),
        object_kind="project",
        object_id=project_id,
        now=now,
        before={"funding": before},
        after={"funding": project.funding},
        project_id=project_id,
    )
