"""Manual reviews: opened by the rules of risk, settled by a person; until then nothing is released or paid out.

(payment-escrow-rules, Risk Controls.) Asked when a milestone is funded, when something is reported and when a practice
is flagged.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import outbox
from core.actions.milestones.milestone_context import MilestoneContext, open_milestone
from core.actions.payouts import release
from core.actions.risk import holds, risk_facts
from core.audit.actions import AuditAction
from core.audit.content_hashes import Words
from core.errors import DeskError, NotFound
from core.notifications import staff_of
from core.records import Milestone, RiskReview, Staff
from core.rules import milestones, risk
from core.rules.holds import HoldKind
from core.rules.permissions import SYSTEM, Actor, Permission, Role, require
from core.rules.reasons import given
from core.rules.references import reference
from core.rules.risk import ReviewOutcome


class ReviewSettled(DeskError):
    """Review {review} was already settled."""


def consider_all(session: Session, concerned: Iterable[MilestoneContext], *, now: datetime) -> None:
    """What was reported or flagged concerns each of these."""
    for context in concerned:
        session.flush()
        consider(session, context, now=now)


def consider(session: Session, context: MilestoneContext, *, now: datetime) -> RiskReview | None:
    """Open a review if the rules ask for one, or add the new reasons to the one that is open."""
    order = context.order
    if not (order.held_minor or order.payable_minor):
        return None
    facts = risk_facts.facts_of(session, context, now=now)
    reasons = [vars(block) for block in risk.reviews(facts, context.profile)]
    if not reasons:
        return None
    review = _open_review(session, context.milestone.id)
    known = {reason["code"] for reason in review.reasons} if review else set()
    more = [reason for reason in reasons if reason["code"] not in known]
    if review is None:
        review = RiskReview(milestone_id=context.milestone.id, reasons=reasons, opened_at=now)
        session.add(review)
    elif more:
        review.reasons = [*review.reasons, *more]
    if more:
        session.flush()
        context.note(
            session,
            SYSTEM,
            AuditAction.REVIEW_OPEN.by("system"),
            now=now,
            about=("review", review.id),
            after={"reasons": [reason["code"] for reason in more]},
        )
        context.tell_staff(
            session,
            "review_opened",
            staff_of(session, Role.COMPLIANCE),
            key=f"review-{review.id}-{len(review.reasons)}",
            now=now,
            about=("review", review.id),
            review=reference("risk review", review.id),
            reasons=", ".join(reason["code"].replace("_", " ") for reason in more),
        )
    return review


def assign(session: Session, actor: Actor, *, now: datetime, review_id: int, staff_id: int | None) -> None:
    """Give an open review to a colleague who may settle it, or (None) back to all. Raises `NotFound`."""
    require(actor, Permission.REVIEW_RISK)
    context, review = _locked(session, review_id)
    if staff_id is not None and session.get(Staff, staff_id) is None:
        raise NotFound(kind="member of staff", id=staff_id)
    before, review.assigned_to = review.assigned_to, staff_id
    session.flush()
    context.note(
        session,
        actor,
        AuditAction.REVIEW_ASSIGN.by("staff"),
        now=now,
        about=("review", review_id),
        before={"assigned_to": before},
        after={"assigned_to": staff_id},
    )


def settle(
    session: Session, actor: Actor, *, now: datetime, review_id: int, outcome: ReviewOutcome, note: str
) -> None:
    """End a review: CLEARED lets the money move again, HELD puts a hold in its place. The note is kept.

    Raises `StepUpRequired`, and `ReviewStillNeeded` while a report about the milestone or its project is not settled or
    the practice mismatch not resolved. The reports that were upheld open no further review of this milestone.
    """
    require(actor, Permission.SETTLE_RISK, now)
    note = given(note)
    context, review = _locked(session, review_id)
    risk.require_settled(risk_facts.facts_of(session, context, now=now), context.profile)
    review.outcome, review.note = ReviewOutcome(outcome), note
    review.settled_by, review.settled_at = actor.id, now
    review.reports = risk_facts.upheld(session, context)
    session.flush()
    context.note(
        session,
        actor,
        AuditAction.REVIEW_SETTLE.by("staff"),
        now=now,
        about=("review", review_id),
        reason=note,
        after={"outcome": review.outcome, "reports": review.reports},
        contents=[Words("review_ends", review)],
    )
    if outcome == ReviewOutcome.HELD:
        milestone_id = context.milestone.id
        holds.place(session, actor, now=now, milestone_id=milestone_id, reason=note, kind=HoldKind.RISK)
    advance(session, actor, context, now=now)


def advance(session: Session, actor: Actor, context: MilestoneContext, *, now: datetime) -> None:
    """Something that blocked the money is gone: what was blocked is evaluated again, and what was verified is
    released."""
    outbox.wake(session, context.milestone.id, now=now)
    if context.status is milestones.Status.VERIFIED and context.order.held_minor:
        release.release_verified(session, actor, context, now=now)


def in_scope(
    session: Session, project_id: int, milestone_id: int | None, *, lock: bool = True
) -> list[MilestoneContext]:
    """The milestones that a report or a flag concerns, locked in the order of their ids."""
    wanted = select(Milestone.id).where(Milestone.project_id == project_id).order_by(Milestone.id)
    if milestone_id is not None:
        wanted = wanted.where(Milestone.id == milestone_id)
    return [open_milestone(session, number, lock=lock) for number in session.scalars(wanted).all()]


def _open_review(session: Session, milestone_id: int) -> RiskReview | None:
    wanted = select(RiskReview).where(
        RiskReview.milestone_id == milestone_id, RiskReview.settled_at.is_(None)
    )
    return session.scalars(wanted.with_for_update()).one_or_none()


def _locked(session: Session, review_id: int) -> tuple[MilestoneContext, RiskReview]:
    plain = session.get(RiskReview, review_id)
    if plain is None:
        raise NotFound(kind="review", id=review_id)
    context = open_milestone(session, plain.milestone_id)
    review = session.get_one(RiskReview, review_id, with_for_update=True, populate_existing=True)
    if review.settled_at is not None:
        raise ReviewSettled(review=review_id)
    return context, review
