"""Disputes between the parties: opened, explained, answered by rework, or taken to mediation."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit, outbox
from core.actions.cases import conversation, mediator_assignment, messages
from core.actions.milestones import verification_timeout
from core.actions.milestones.milestone_context import MilestoneContext, open_milestone
from core.actions.milestones.verification import ask_for_verification, stop_clocks
from core.audit.actions import AuditAction
from core.audit.content_hashes import Words
from core.errors import DeskError, Wording
from core.records import Case
from core.rules import cases, deadlines, milestones
from core.rules.cases import BLOCKING, CaseEvent, CaseStatus, DisputeReason
from core.rules.permissions import SYSTEM, Actor, NotYours, require_party


class NoOpenDispute(DeskError):
    """There is no open dispute about “{milestone}”."""


def open_dispute(
    session: Session,
    actor: Actor,
    *,
    now: datetime,
    milestone_id: int,
    reason: DisputeReason,
    details: str = "",
) -> Case:
    """The payer disputes the completion, within the window (milestone-payment-flow, Key Business Rules 3)."""
    context = open_milestone(session, milestone_id)
    require_party(actor, context.payer.id)
    cases.check_reason(reason)
    if context.milestone.completion_notice_at is not None:
        cases.check_window(context.milestone.completion_notice_at, now, context.profile)
    context.move(milestones.Event.DISPUTE, now=now)
    stop_clocks(context)
    mediation_at = deadlines.mediation_at(now, context.profile)
    case = Case(
        milestone_id=milestone_id,
        opened_by=context.payer.id,
        reason=reason,
        status=CaseStatus.OPEN,
        opened_at=now,
        mediation_due_at=mediation_at,
        due_at=mediation_at or deadlines.deadlock_at(now, context.profile),
    )
    session.add(case)
    session.flush()
    context.note(
        session,
        actor,
        AuditAction.DISPUTE_OPEN.by("party"),
        now=now,
        about=("ticket", case.id),
        after={"reason": reason},
        contents=[case, Words("ticket_details", case), Words("ticket_mediators", case)],
        case_id=case.id,
    )
    for template, party in (("dispute_opened", context.payee), ("dispute_confirmed", context.payer)):
        context.tell(
            session,
            template,
            party,
            key=f"ticket-{case.id}-{template}",
            now=now,
            about=("ticket", case.id),
            reason=reason.label,
            mediation_at=mediation_at,
        )
    if details:
        explain(session, actor, now=now, milestone_id=milestone_id, details=details)
    return case


def explain(session: Session, actor: Actor, *, now: datetime, milestone_id: int, details: str) -> None:
    """The payer provides the details; they are forwarded to the payee (milestone-payment-flow, Milestone Disputed)."""
    context = open_milestone(session, milestone_id)
    require_party(actor, context.payer.id)
    case = open_case(session, context)
    case.details = messages.checked(details)  # a message like any other: the version stays
    contents = [Words("ticket_details", case)]
    said = conversation.say(
        session, actor, now=now, milestone_id=milestone_id, body=details, contents=contents
    )
    context.tell(
        session,
        "dispute_details",
        context.payee,
        key=f"ticket-{case.id}-details-{said.id}",
        now=now,
        about=("ticket", case.id),
        details=details,
        reason=DisputeReason(case.reason).label,
    )


def open_case(session: Session, context: MilestoneContext) -> Case:
    """The milestone's case that is not over, locked. Raises `NoOpenDispute`."""
    case = session.scalars(
        select(Case)
        .where(Case.milestone_id == context.milestone.id, Case.status.in_(BLOCKING))
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if case is None:
        raise NoOpenDispute(milestone=Wording(context.milestone.title, context.milestone.id))
    return case


def resubmit(session: Session, actor: Actor, *, now: datetime, milestone_id: int) -> None:
    """The payee has addressed the issues and asks for verification again: the case is resolved between the parties
    and every deadline restarts (milestone-payment-flow, Contractor Resolves Issue)."""
    context = open_milestone(session, milestone_id)
    require_party(actor, context.payee.id)
    context.move(milestones.Event.RESUBMIT, now=now)
    case = open_case(session, context)
    close(session, actor, case, "REWORKED", now=now)
    ask_for_verification(session, context, "verification_again", now=now, about=("ticket", case.id))
    context.note(
        session,
        actor,
        AuditAction.DISPUTE_REWORK.by("party"),
        now=now,
        about=("ticket", case.id),
        after={"status": case.status, "resolution": case.resolution},
        case_id=case.id,
    )


def withdraw(session: Session, actor: Actor, *, now: datetime, milestone_id: int) -> None:
    """The payer withdraws the complaint: the milestone is where it was, and its deadlines restart."""
    context = open_milestone(session, milestone_id)
    require_party(actor, context.payer.id)
    submitted = context.milestone.completion_notice_at is not None
    context.move(milestones.Event.WITHDRAW if submitted else milestones.Event.RESUME, now=now)
    case = open_case(session, context)
    conversation.drop_request(session, actor, case, now=now)
    audit.become(case, cases.after(case.status, CaseEvent.WITHDRAW), now=now, by=actor)
    case.waiting_on, case.resolved_at, case.resolution = None, now, "WITHDRAWN"
    case.version += 1
    told: dict[str, Any] = {"now": now, "about": ("ticket", case.id)}
    if submitted:
        ask_for_verification(session, context, "dispute_withdrawn", **told)
    else:
        context.tell(
            session, "dispute_withdrawn", context.payer, key=f"ticket-{case.id}-withdrawn-payer", **told
        )
    key = f"ticket-{case.id}-withdrawn"
    context.tell(session, "dispute_withdrawn", context.payee, key=key, submitted=submitted, **told)
    context.note(
        session,
        actor,
        AuditAction.DISPUTE_WITHDRAW.by("party"),
        now=now,
        about=("ticket", case.id),
        after={"status": case.status},
        case_id=case.id,
    )


def close(
    session: Session,
    actor: Actor,
    case: Case,
    resolution: str,
    *,
    now: datetime,
    notes: str | None = None,
) -> None:
    """End the case with this `CaseResolution`; a request that waits in it ends too. The caller leaves the entry."""
    conversation.drop_request(session, actor, case, now=now)
    audit.become(case, cases.after(case.status, CaseEvent.RESOLVE), now=now, by=actor)
    case.resolution, case.resolution_notes, case.resolved_at = resolution, notes, now
    case.waiting_on = None
    case.version += 1
    outbox.wake(session, case.milestone_id, now=now)


def ask_mediation(session: Session, actor: Actor, *, now: datetime, milestone_id: int) -> Case:
    """A mediator takes over, because a party asked or (`SYSTEM`) because three days have passed
    (milestone-payment-flow, Key Business Rules 6). Where the payer has not answered in time, the payee may ask
    without a dispute.

    Raises `NotYours`, `AnswerNotDue` before that time.
    """
    context = open_milestone(session, milestone_id)
    if actor != SYSTEM and not (actor.kind == "party" and actor.id in (context.payer.id, context.payee.id)):
        raise NotYours(actor=actor.label)
    if context.status is milestones.Status.PENDING_VERIFICATION and actor.id == context.payee.id:
        verification_timeout.open_case(session, actor, context, now=now)
    return to_mediation(session, actor, context, now=now)


def to_mediation(
    session: Session, actor: Actor, context: MilestoneContext, *, now: datetime, because: str | None = None
) -> Case:
    """The open case goes to a mediator, who has until the deadlock to decide. `because`: the reason that staff gave."""
    context.move(milestones.Event.MEDIATE, now=now)
    case = open_case(session, context)
    conversation.drop_request(session, actor, case, now=now)
    audit.become(case, cases.after(case.status, CaseEvent.REVIEW), now=now, by=actor)
    case.waiting_on, case.answer_due_at = (
        None,
        None,
    )  # what a party was asked before, the mediator may ask again
    case.in_mediation_at = now
    case.decision_due_at = case.due_at = deadlines.deadlock_at(now, context.profile)
    case.version += 1
    context.note(
        session,
        actor,
        AuditAction.DISPUTE_MEDIATE.by(actor.kind),
        now=now,
        reason=because,
        about=("ticket", case.id),
        after={"status": case.status},
        case_id=case.id,
    )
    mediator_assignment.assign_best(session, context, case, now=now)
    for party in (context.payer, context.payee):
        context.tell(
            session,
            "mediation_started",
            party,
            key=f"ticket-{case.id}-mediation-{party.id}",
            now=now,
            about=("ticket", case.id),
            decision_due_at=case.decision_due_at,
        )
    return case
