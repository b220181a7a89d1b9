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


def begin(tale: ProjectRun) -> Wait:
    work = texts.WORK[tale.plot.type]
    project = tale.act(
        bids.accept,
        tale.payer,
        bid=bids.Bid(
            payer_id=tale.payer_id,
            payee_id=tale.payee_id,
            reference=f"BID-{4200 + tale.plot.number}",
            title=tale.draw.choice(work.titles),
            scope=work.scope,
            project_type=tale.plot.type.value,
            fee_mode=FeeMode.CONSULTATION_FIXED
            if tale.plot.type is ProjectType.CONSULTATION
            else FeeMode.STAGED,
            total=tale.plot.total,
        ),
    )
    tale.project_id = project.id
    for part, actor in (
        (engagement.Part.SCOPE_BY_PAYER, tale.payer),
        (engagement.Part.FEE, tale.payer),
        (engagement.Part.DISCLAIMERS, tale.payer),
        (engagement.Part.CONFLICT_CHECK, tale.payee),
        (engagement.Part.SCOPE_BY_PAYEE, tale.payee),
    ):
        if part is engagement.Part.CONFLICT_CHECK and tale.plot.platform is Platform.HOME_SERVICES:
            continue
        tale.act(engagement.confirm, actor, project_id=tale.project_id, part=part)
    yield tale.hours(2, 20)


def pay(tale: ProjectRun, milestone_id: int, *, declined: bool = False) -> Wait:
    if declined:
        bad = "pm_card_chargeDeclinedInsufficientFunds"
        tale.act(fund.fund, tale.payer, milestone_id=milestone_id, payment_method=bad)
        yield tale.hours(3, 26)
    tale.act(fund.fund, tale.payer, milestone_id=milestone_id)
    question, answer = tale.draw.choice(texts.SMALL_TALK)
    yield tale.hours(4, 20)
    look_at_risk(tale, milestone_id)
    tale.act(conversation.say, tale.payer, milestone_id=milestone_id, body=question)
    yield tale.hours(1, 6)
    tale.act(conversation.say, tale.payee, milestone_id=milestone_id, body=answer)
    yield tale.hours(30, 96)


def look_at_risk(tale: ProjectRun, milestone_id: int) -> None:
    """A compliance officer looks at what was opened for review because of its value, and lets it go on."""
    wanted = select(RiskReview).where(
        RiskReview.milestone_id == milestone_id, RiskReview.settled_at.is_(None)
    )
    review = tale.read(wanted)
    if review is not None:
        officer = tale.world.staff(tale.world.staff_with(Role.COMPLIANCE)[0])
        note = "Both parties are known, and the contract matches the amount."
        tale.act(risk_reviews.settle, officer, review_id=review.id, outcome=ReviewOutcome.CLEARED, note=note)


def submit(tale: ProjectRun, milestone_id: int) -> Wait:
    evidence.of_completion(tale, milestone_id)
    tale.act(verification.submit, tale.payee, milestone_id=milestone_id)
    # A consultation is released after 24 hours of silence, so its client answers sooner.
    yield tale.hours(4, 18) if tale.plot.type is ProjectType.CONSULTATION else tale.hours(8, 60)


def smooth(tale: ProjectRun, milestone_id: int) -> Wait:
    yield from submit(tale, milestone_id)
    accept(tale, milestone_id)


def accept(tale: ProjectRun, milestone_id: int) -> None:
    """The payer approves, unless silence was quicker."""
    if status(tale, milestone_id) == Status.PENDING_VERIFICATION:
        tale.act(verification.approve, tale.payer, milestone_id=milestone_id)


def silent(tale: ProjectRun, milestone_id: int) -> Wait:
    """The payer says nothing until silence approves; the timers do the rest."""
    yield from submit(tale, milestone_id)
    yield timedelta(days=8)


def until_over(tale: ProjectRun, milestone_id: int) -> Wait:
    """Wait for the money to have moved."""
    while True:
        yield tale.hours(5, 12)
        milestone = tale.read(select(Milestone).where(Milestone.id == milestone_id))
        if milestone.ended_at is not None or _project_over(tale):
            return


def _project_over(tale: ProjectRun) -> bool:
    project = tale.read(select(Project).where(Project.id == tale.project_id))
    return bool(project.status != ProjectStatus.ACTIVE)


def rate(tale: ProjectRun) -> Wait:
    """Most people review each other in the end; some forget, and their reviews are opened after two weeks."""
    for actor, likely in ((tale.payer, 0.85), (tale.payee, 0.7)):
        yield tale.hours(5, 70)
        asked = tale.read(select(ReviewRound).where(ReviewRound.project_id == tale.project_id))
        if asked is None or asked.revealed_at or tale.draw.random() > likely:
            continue
        stars = tale.draw.choices((5, 4, 3, 2), weights=(6, 4, 1, 1))[0]
        body = tale.draw.choice(texts.PRAISE if stars > 3 else texts.COMPLAINTS)
        tale.act(ratings.submit, actor, project_id=tale.project_id, stars=stars, body=body)


def risk_open(tale: ProjectRun, milestone_id: int) -> Wait:
    """A payment of high value that compliance has not looked at yet."""
    tale.act(fund.fund, tale.payer, milestone_id=milestone_id)
    yield timedelta(days=60)
