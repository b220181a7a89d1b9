"""How a project goes on: started, from one milestone to the next, and to its end (milestone-payment-flow, Phase 4)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from core import audit
from core.actions.milestones import payment_schedule, ratings
from core.actions.milestones.milestone_context import MilestoneContext, open_milestone
from core.actions.milestones.projects import locked, milestones_of
from core.audit.actions import AuditAction
from core.money import Money
from core.notifications import tell
from core.records import Milestone, PaymentOrder, Project
from core.rules import decision_letters, milestones
from core.rules import projects as project_rules
from core.rules.decision_letters import Sequel
from core.rules.permissions import Actor

NOT_FUNDED = (milestones.Status.PLANNED, milestones.Status.AWAITING_FUNDING)


def start(session: Session, actor: Actor, project: Project, *, now: datetime) -> None:
    """Show the payment schedule, tell the payee, ask for the first milestone (milestone-payment-flow, Phase 1)."""
    rows = milestones_of(session, project.id)
    total = Money(project.total_minor, project.currency)
    key, first = f"project-{project.id}", open_milestone(session, rows[0].id)
    tell(
        session,
        "payment_schedule",
        party_id=project.payer_id,
        project_id=project.id,
        key=f"{key}-schedule",
        now=now,
        schedule=payment_schedule.lines(rows),
        total=total,
        first=first.milestone.title,
        first_amount=first.amount,
        first_total=first.money(first.order.charge_minor),
    )
    tell(
        session,
        "project_started",
        party_id=project.payee_id,
        project_id=project.id,
        key=f"{key}-started",
        now=now,
        count=len(rows),
        total=total,
    )
    activate(session, actor, first, now=now)


def activate(session: Session, actor: Actor, context: MilestoneContext, *, now: datetime) -> None:
    """The milestone may be funded now (milestone-payment-flow, Phase 2 and 4)."""
    context.move(milestones.Event.ACTIVATE, now=now)
    context.milestone.activated_at = now
    context.note(session, actor, AuditAction.MILESTONE_ACTIVATE.by("system"), now=now)


def _tell_next(session: Session, context: MilestoneContext, *, refunded: bool, now: datetime) -> None:
    """Ask the payer to fund the next milestone and tell the payee; the schedule has announced the first one."""
    parties = {"payer": context.payer, "payee": context.payee}
    for due in decision_letters.sequel(Sequel.NEXT):
        context.tell(
            session,
            due.template,
            parties[due.audience],
            key=f"milestone-{context.milestone.id}-{due.template}",
            now=now,
            **next_told(context, refunded=refunded),
        )


def next_told(context: MilestoneContext, *, refunded: bool) -> dict[str, Any]:
    """What both read of the next milestone; `refunded`: how the one before it ended."""
    return {"total": context.money(context.order.charge_minor).text(), "refunded": refunded}


def foreseen(
    session: Session, context: MilestoneContext, *, refunded: bool, ends: bool
) -> tuple[Sequel, Milestone | None]:
    """What `advance` would do if this milestone ended now, and the milestone that would be next; `ends`: after
    `cancel_unfunded`. Locks and writes nothing."""
    rows, statuses = _once_ended(session, context, refunded=refunded, ends=ends)
    upcoming = project_rules.next_to_activate(statuses)
    if upcoming is not None:
        return Sequel.NEXT, rows[upcoming]
    status = project_rules.project_after(statuses)
    completes = status == project_rules.ProjectStatus.COMPLETED and status != context.project.status
    return (Sequel.REVIEWS if completes else Sequel.NOTHING), None


def status_foreseen(
    session: Session, context: MilestoneContext, *, refunded: bool, ends: bool
) -> project_rules.ProjectStatus:
    """What the project would be if this milestone ended now; `ends`: after `cancel_unfunded`."""
    return project_rules.project_after(_once_ended(session, context, refunded=refunded, ends=ends)[1])


def could_cancel(session: Session, context: MilestoneContext) -> bool:
    """Whether anything falls away if the project ends with this milestone."""
    others = (row for row in milestones_of(session, context.project.id) if row.id != context.milestone.id)
    return any(_falls_away(session, row) for row in others)


def _once_ended(
    session: Session, context: MilestoneContext, *, refunded: bool, ends: bool
) -> tuple[list[Milestone], list[milestones.Status]]:
    """The milestones of the project, and how they would stand once this one has ended."""
    ended = milestones.Status.REFUNDED if refunded else milestones.Status.COMPLETED
    rows, statuses = [], []
    for row in milestones_of(session, context.project.id):
        this = row.id == context.milestone.id
        if this or not ends or not _falls_away(session, row):
            rows.append(row)
            statuses.append(ended if this else row.status)
    return rows, statuses


def advance(session: Session, actor: Actor, context: MilestoneContext, *, now: datetime) -> None:
    """After a milestone has ended: the next one, or the end of the project (milestone-payment-flow, Phase 4).

    Two that end at once see each other, because the project is locked. Siblings are not: only the one whose turn
    comes, which comes after all that have ended.
    """
    project = locked(session, context.project.id)
    rows = milestones_of(session, project.id)
    upcoming = project_rules.next_to_activate([row.status for row in rows])
    if upcoming is not None:
        following = open_milestone(session, rows[upcoming].id)
        activate(session, actor, following, now=now)
        _tell_next(session, following, refunded=context.status is milestones.Status.REFUNDED, now=now)
        return
    status = project_rules.project_after([row.status for row in rows])
    if status == project.status:
        return
    audit.become(project, status, now=now, by=actor)
    project.completed_at = now
    audit.record(
        session,
        actor,
        AuditAction.PROJECT_COMPLETE.by("system"),
        object_kind="project",
        object_id=project.id,
        now=now,
        project_id=project.id,
    )
    if status == project_rules.ProjectStatus.COMPLETED:
        ratings.ask(session, project, now=now)


def cancel_unfunded(session: Session, context: MilestoneContext, *, now: datetime) -> None:
    """The project ends with this milestone: unfunded milestones are canceled. Those that are funded, or being paid
    for at this moment, continue, and the project ends with the last of them."""
    project = locked(session, context.project.id)
    for row in milestones_of(session, project.id):
        if row.id == context.milestone.id or row.status not in NOT_FUNDED:
            continue
        other = open_milestone(session, row.id)
        if _falls_away(session, other.milestone):
            payment_schedule.cancel(session, other, now=now)


def _falls_away(session: Session, row: Milestone) -> bool:
    """Whether the milestone is canceled with its project: neither paid for, nor being paid for at this moment."""
    return row.status in NOT_FUNDED and not session.get_one(PaymentOrder, row.id).in_flight
