"""The ordinary course of a milestone: agreed, paid, done, approved, reviewed."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from core.actions.cases import conversation
from core.actions.funding import fund
from core.actions.milestones import bids, engagement, ratings, verification
from core.actions.risk import risk_reviews
from core.demo import evidence, texts
from core.demo.project_run import ProjectRun, Wait, status
from core.policy import Platform
from core.records import Milestone, Project, ReviewRound, RiskReview
from core.rules.milestones import Status
from core.rules.permissions import Role
from core.rules.projects import ProjectStatus
from core.rules.risk import ReviewOutcome
from core.rules.schedule import FeeMode
from core.rules.templates import ProjectType


def begin(run: ProjectRun) -> Wait:
    work = texts.WORK[run.plan.type]
    project = run.act(
        bids.accept,
        run.payer,
        bid=bids.Bid(
            payer_id=run.payer_id,
            payee_id=run.payee_id,
            reference=f"BID-{4200 + run.plan.number}",
            title=run.draw.choice(work.titles),
            scope=work.scope,
            project_type=run.plan.type.value,
            fee_mode=FeeMode.CONSULTATION_FIXED
            if run.plan.type is ProjectType.CONSULTATION
            else FeeMode.STAGED,
            total=run.plan.total,
        ),
    )
    run.project_id = project.id
    for part, actor in (
        (engagement.Part.SCOPE_BY_PAYER, run.payer),
        (engagement.Part.FEE, run.payer),
        (engagement.Part.DISCLAIMERS, run.payer),
        (engagement.Part.CONFLICT_CHECK, run.payee),
        (engagement.Part.SCOPE_BY_PAYEE, run.payee),
    ):
        if part is engagement.Part.CONFLICT_CHECK and run.plan.platform is Platform.HOME_SERVICES:
            continue
        run.act(engagement.confirm, actor, project_id=run.project_id, part=part)
    yield run.hours(2, 20)


def pay(run: ProjectRun, milestone_id: int, *, declined: bool = False) -> Wait:
    if declined:
        bad = "pm_card_chargeDeclinedInsufficientFunds"
        run.act(fund.fund, run.payer, milestone_id=milestone_id, payment_method=bad)
        yield run.hours(3, 26)
    run.act(fund.fund, run.payer, milestone_id=milestone_id)
    question, answer = run.draw.choice(texts.SMALL_TALK)
    yield run.hours(4, 20)
    look_at_risk(run, milestone_id)
    run.act(conversation.say, run.payer, milestone_id=milestone_id, body=question)
    yield run.hours(1, 6)
    run.act(conversation.say, run.payee, milestone_id=milestone_id, body=answer)
    yield run.hours(30, 96)


def look_at_risk(run: ProjectRun, milestone_id: int) -> None:
    """A compliance officer looks at what was opened for review because of its value, and lets it go on."""
    wanted = select(RiskReview).where(
        RiskReview.milestone_id == milestone_id, RiskReview.settled_at.is_(None)
    )
    review = run.read(wanted)
    if review is not None:
        officer = run.world.staff(run.world.staff_with(Role.COMPLIANCE)[0])
        note = "Both parties are known, and the contract matches the amount."
        run.act(risk_reviews.settle, officer, review_id=review.id, outcome=ReviewOutcome.CLEARED, note=note)


def submit(run: ProjectRun, milestone_id: int) -> Wait:
    evidence.of_completion(run, milestone_id)
    run.act(verification.submit, run.payee, milestone_id=milestone_id)
    # A consultation is released after 24 hours of silence, so its client answers sooner.
    yield run.hours(4, 18) if run.plan.type is ProjectType.CONSULTATION else run.hours(8, 60)


def smooth(run: ProjectRun, milestone_id: int) -> Wait:
    yield from submit(run, milestone_id)
    accept(run, milestone_id)


def accept(run: ProjectRun, milestone_id: int) -> None:
    """The payer approves, unless silence was quicker."""
    if status(run, milestone_id) == Status.PENDING_VERIFICATION:
        run.act(verification.approve, run.payer, milestone_id=milestone_id)


def silent(run: ProjectRun, milestone_id: int) -> Wait:
    """The payer says nothing until silence approves; the timers do the rest."""
    yield from submit(run, milestone_id)
    yield timedelta(days=8)


def until_over(run: ProjectRun, milestone_id: int) -> Wait:
    """Wait for the money to have moved."""
    while True:
        yield run.hours(5, 12)
        milestone = run.read(select(Milestone).where(Milestone.id == milestone_id))
        if milestone.ended_at is not None or _project_over(run):
            return


def _project_over(run: ProjectRun) -> bool:
    project = run.read(select(Project).where(Project.id == run.project_id))
    return bool(project.status != ProjectStatus.ACTIVE)


def rate(run: ProjectRun) -> Wait:
    """Most people review each other in the end; some forget, and their reviews are opened after two weeks."""
    for actor, likely in ((run.payer, 0.85), (run.payee, 0.7)):
        yield run.hours(5, 70)
        asked = run.read(select(ReviewRound).where(ReviewRound.project_id == run.project_id))
        if asked is None or asked.revealed_at or run.draw.random() > likely:
            continue
        stars = run.draw.choices((5, 4, 3, 2), weights=(6, 4, 1, 1))[0]
        body = run.draw.choice(texts.PRAISE if stars > 3 else texts.COMPLAINTS)
        run.act(ratings.submit, actor, project_id=run.project_id, stars=stars, body=body)


def risk_open(run: ProjectRun, milestone_id: int) -> Wait:
    """A payment of high value that compliance has not looked at yet."""
    run.act(fund.fund, run.payer, milestone_id=milestone_id)
    yield timedelta(days=60)
