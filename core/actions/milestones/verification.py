"""Completion and verification: the payee marks work complete, the payer approves, or silence does."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from core.actions.milestones.milestone_context import MilestoneContext, open_milestone
from core.actions.payouts import release
from core.audit.actions import AuditAction
from core.errors import DeskError, Wording
from core.rules import deadlines, holds, milestones
from core.rules.acceptance import AcceptanceRule
from core.rules.permissions import SYSTEM, Actor, require_party


class NotASession(DeskError):
    """“{milestone}” is not a session: mark its work as complete instead."""


def complete_session(session: Session, actor: Actor, *, now: datetime, milestone_id: int) -> None:
    """The session of a consultation took place: its fee is released after the grace window, unless it is disputed.

    (payment-escrow-rules, Release Rules: consultation fee.) Raises `NotASession` for work of any other kind.
    """
    context = open_milestone(session, milestone_id)
    require_party(actor, context.payee.id)
    if context.milestone.acceptance_rule != AcceptanceRule.SESSION_COMPLETED:
        raise NotASession(milestone=Wording(context.milestone.title, context.milestone.id))
    submit(session, actor, now=now, milestone_id=milestone_id)


def submit(session: Session, actor: Actor, *, now: datetime, milestone_id: int) -> None:
    """The payee marks the work complete; the payer is asked to verify it (milestone-payment-flow, Phase 3)."""
    context = open_milestone(session, milestone_id)
    require_party(actor, context.payee.id)
    context.move(milestones.Event.SUBMIT, now=now)
    ask_for_verification(session, context, "verification_requested", now=now)
    context.note(session, actor, AuditAction.MILESTONE_SUBMIT.by("party"), now=now)


def ask_for_verification(
    session: Session,
    context: MilestoneContext,
    template: str,
    *,
    now: datetime,
    about: tuple[str, int] | None = None,
) -> None:
    """Send the completion notice that starts all deadlines, and store each of them (`core.rules.deadlines`)."""
    milestone = context.milestone
    due = deadlines.completion(now, context.profile, milestone.acceptance_rule)
    milestone.completion_notice_at = now
    milestone.dispute_until = due.dispute_until
    milestone.auto_approve_at = due.auto_approve_at
    if milestone.acceptance_rule == AcceptanceRule.SESSION_COMPLETED:
        milestone.auto_approve_at = deadlines.consultation_release_at(now, context.profile)
    milestone.answer_due_at = deadlines.answer_at(now, context.profile, milestone.auto_approve_at)
    milestone.unanswered_at = None
    milestone.next_reminder_at = due.first_reminder_at
    milestone.reminder_level = 0
    session.flush()
    context.tell(
        session,
        template,
        context.payer,
        key=f"milestone-{milestone.id}-{template}-{milestone.version}",
        now=now,
        about=about,
        dispute_until=due.dispute_until,
        dispute_open_ended=due.dispute_until is None,
        auto_approve_at=milestone.auto_approve_at,
        submitted=True,
    )


def approve(session: Session, actor: Actor, *, now: datetime, milestone_id: int) -> None:
    """The payer approves, or silence does (`SYSTEM`): the milestone is verified and its money released. A hold does
    not undo the approval; it keeps the money until it is lifted."""
    context = open_milestone(session, milestone_id)
    if actor != SYSTEM:
        require_party(actor, context.payer.id)
    context.move(milestones.Event.APPROVE, now=now)
    context.milestone.verified_at = now
    stop_clocks(context)
    context.note(
        session,
        actor,
        AuditAction.MILESTONE_AUTO_APPROVE.by("system")
        if actor == SYSTEM
        else AuditAction.MILESTONE_APPROVE.by("party"),
        now=now,
    )
    blocks = holds.blocking(release.facts_of(session, context))
    context.tell(
        session,
        "milestone_approved",
        context.payee,
        key=f"milestone-{milestone_id}-approved",
        now=now,
        by_silence=actor == SYSTEM,
        waits=bool(blocks),
    )
    silence = actor == SYSTEM
    release.release_verified(session, actor, context, by_silence=silence, blocks=blocks, now=now)


def stop_clocks(context: MilestoneContext) -> None:
    """Clear the deadlines: nobody is waiting for the payer's answer any more."""
    context.milestone.auto_approve_at = None
    context.milestone.answer_due_at = context.milestone.unanswered_at = None
    context.milestone.next_reminder_at = None


def remind(session: Session, *, now: datetime, milestone_id: int) -> None:
    """Another reminder, one level higher (milestone-payment-flow, Key Business Rules 2)."""
    context = open_milestone(session, milestone_id)
    milestone = context.milestone
    milestone.reminder_level += 1
    over = milestone.dispute_until is not None and milestone.dispute_until < now
    milestone.next_reminder_at = deadlines.next_reminder(milestone.reminder_level, now, context.profile)
    context.tell(
        session,
        "verification_reminder",
        context.payer,
        key=f"milestone-{milestone.id}-reminder-{milestone.completion_notice_at}-{milestone.reminder_level}",
        now=now,
        level=milestone.reminder_level,
        dispute_until=None if over else milestone.dispute_until,
        dispute_over=over,
        dispute_open_ended=milestone.dispute_until is None,
        auto_approve_at=milestone.auto_approve_at,
    )
    context.note(
        session,
        SYSTEM,
        AuditAction.MILESTONE_REMIND.by("system"),
        now=now,
        after={"level": milestone.reminder_level},
    )
