"""The end of the payer's time to answer: silence releases the money, a response does not, and no money stays held for
ever.

A payer who kept silent has approved, where the acceptance rule says so (milestone-payment-flow, Key Business Rules
5). One who wrote or complained has not: they are asked once more, the payee may ask for a mediator, and staff is
told.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.actions.cases import opening
from core.actions.milestones import verification
from core.actions.milestones.milestone_context import MilestoneContext, open_milestone
from core.audit.actions import AuditAction
from core.notifications import staff_of
from core.records import Case, Evidence, Hold, Message
from core.rules import acceptance, cases, deadlines, milestones
from core.rules.cases import DisputeReason
from core.rules.holds import HoldKind
from core.rules.permissions import SYSTEM, Actor, Role, require_party


def at_deadline(session: Session, *, now: datetime, milestone_id: int) -> bool:
    """The time to answer is over: approved by silence, or marked for a person to look at. Returns whether anything
    was done."""
    context = open_milestone(session, milestone_id)
    if silent(session, context):
        verification.approve(session, SYSTEM, now=now, milestone_id=milestone_id)
    else:
        _mark(session, context, now=now)
    return True


def silent(session: Session, context: MilestoneContext) -> bool:
    """Whether the payer has said nothing since the completion notice, as the milestone's rule counts it
    (`acceptance.silent`)."""
    milestone = context.milestone
    return milestone.completion_notice_at is not None and acceptance.silent(
        milestone.acceptance_rule,
        notice_at=milestone.completion_notice_at,
        until=milestone.auto_approve_at,
        said=_said(session, context),
    )


def _said(session: Session, context: MilestoneContext) -> Iterator[datetime]:
    """When the payer last wrote, submitted something, or made a complaint that still stands."""
    milestone_id, payer = context.milestone.id, context.payer.id
    yield from session.scalars(
        select(Message.at).where(
            Message.milestone_id == milestone_id, Message.author_kind == "party", Message.author_id == payer
        )
    )
    yield from session.scalars(
        select(Evidence.at).where(Evidence.milestone_id == milestone_id, Evidence.uploaded_by == payer)
    )
    yield from session.scalars(
        select(Hold.placed_at).where(
            Hold.milestone_id == milestone_id,
            Hold.kind == HoldKind.COMPLAINT,
            Hold.released_at.is_(None),
        )
    )


def _mark(session: Session, context: MilestoneContext, *, now: datetime) -> None:
    milestone = context.milestone
    until, answered = milestone.answer_due_at, milestone.auto_approve_at is not None
    milestone.unanswered_at, milestone.auto_approve_at = now, None
    if milestone.next_reminder_at is not None:  # this letter is one
        milestone.reminder_level += 1
        milestone.next_reminder_at = deadlines.next_reminder(milestone.reminder_level, now, context.profile)
    session.flush()
    context.note(
        session, SYSTEM, AuditAction.MILESTONE_UNANSWERED.by("system"), now=now, after={"answered": answered}
    )
    key = f"milestone-{milestone.id}-unanswered-{milestone.completion_notice_at}"
    window = milestone.dispute_until
    context.tell(
        session,
        "answer_wanted",
        context.payer,
        key=f"{key}-payer",
        now=now,
        answer_due_at=until,
        answered=answered,
        dispute_over=window is not None and window < now,
        dispute_open_ended=window is None,
    )
    context.tell(session, "answer_missing", context.payee, key=f"{key}-payee", now=now, answer_due_at=until)
    context.tell_staff(
        session,
        "answer_missing",
        staff_of(session, Role.MEDIATOR),
        key=key,
        now=now,
        about=("milestone", milestone.id),
        number=f"M-{milestone.id}",
        answer_due_at=until,
    )


def look_again(context: MilestoneContext) -> None:
    """A response no longer counts (a complaint was settled): whether silence approves is evaluated again."""
    milestone = context.milestone
    if milestone.unanswered_at is None or milestone.completion_notice_at is None:
        return
    milestone.unanswered_at = None
    milestone.auto_approve_at = deadlines.completion(
        milestone.completion_notice_at, context.profile, milestone.acceptance_rule
    ).auto_approve_at


def open_case(session: Session, actor: Actor, context: MilestoneContext, *, now: datetime) -> Case:
    """The payee had no answer in time and takes it to a mediator. Raises `NotYours`, `AnswerNotDue`."""
    require_party(actor, context.payee.id)
    cases.check_unanswered(context.milestone.answer_due_at, now)
    return opening.opened(
        session,
        actor,
        context,
        by=context.payee,
        event=milestones.Event.DISPUTE,
        reason=DisputeReason.NO_ANSWER,
        now=now,
    )
