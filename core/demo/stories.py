"""How a project goes: each story is a generator that acts, and yields how long it waits until it acts again.

People act through the same actions as in life; what the timers and the worker do happens behind (`world`).
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from core.actions import (
    conversation,
    decide,
    dispute,
    engagement,
    fund,
    hold,
    mediate,
    projects,
    ratings,
    reports,
    risk,
    verify,
)
from core.actions.plan import Draft
from core.demo import evidence, texts
from core.demo.plots import Branch, Plot
from core.demo.texts import Quarrel
from core.demo.world import World, party
from core.money import Money
from core.policy import Platform
from core.records import (
    Decision,
    Evidence,
    Milestone,
    PaymentOrder,
    Project,
    ReviewRound,
    RiskReview,
    Ticket,
)
from core.rules.disputes import BLOCKING, DisputeReason
from core.rules.grounds import DecisionOutcome, Ground, Reference
from core.rules.permissions import SYSTEM, Actor, Role
from core.rules.projects import ProjectStatus
from core.rules.reports import ReportKind, Source
from core.rules.risk import ReviewOutcome
from core.rules.templates import ProjectType

Wait = Iterator[timedelta]
ALL_REFERENCES = frozenset(Reference)


@dataclass
class Tale:
    """One project being lived: who takes part, and the dice it is told with."""

    world: World
    plot: Plot
    payer_id: int
    payee_id: int
    draw: random.Random
    project_id: int = 0
    quarrels: list[Quarrel] = field(default_factory=list)

    @property
    def payer(self) -> Actor:
        return party(self.payer_id)

    @property
    def payee(self) -> Actor:
        return party(self.payee_id)

    def hours(self, least: int, most: int) -> timedelta:
        return timedelta(minutes=self.draw.randrange(least * 60, most * 60))

    def act(self, action: Any, actor: Actor, **arguments: Any) -> Any:
        return self.world.act(action, actor, **arguments)

    def read(self, statement: Any) -> Any:
        with self.world.desk.database.reading() as session:
            return session.scalars(statement).first()

    def milestone(self) -> Milestone | None:
        """The one that is being worked on now."""
        found: Milestone | None = self.read(
            select(Milestone)
            .where(
                Milestone.project_id == self.project_id,
                Milestone.ended_at.is_(None),
                Milestone.status.not_in(("PLANNED", "CANCELED")),
            )
            .order_by(Milestone.position)
        )
        return found

    def ticket(self, milestone_id: int) -> Ticket | None:
        wanted = select(Ticket).where(Ticket.milestone_id == milestone_id, Ticket.status.in_(BLOCKING))
        found: Ticket | None = self.read(wanted)
        return found

    def quarrel(self, *, no_show: bool = False) -> Quarrel:
        told = texts.LEGAL if self.plot.platform is Platform.LEGAL_SERVICES else texts.HOME
        fitting = [each for each in told if (each.reason is DisputeReason.NO_SHOW) == no_show]
        return self.draw.choice(fitting)


def live(tale: Tale) -> Wait:
    """A project from the accepted bid to its end, or to wherever it has come."""
    yield from _begin(tale)
    branches = list(tale.plot.branches)
    while (milestone := tale.milestone()) is not None:
        branch = branches.pop(0) if branches else Branch.SMOOTH
        yield from _fund(tale, milestone.id, declined=branch is Branch.DECLINED)
        yield from BRANCHES.get(branch, _smooth)(tale, milestone.id)
        yield from _until_over(tale, milestone.id)
    yield from _rate(tale)


def _rate(tale: Tale) -> Wait:
    """Most people review each other in the end; some forget, and their reviews are opened after two weeks."""
    for actor, likely in ((tale.payer, 0.85), (tale.payee, 0.7)):
        yield tale.hours(5, 70)
        asked = tale.read(select(ReviewRound).where(ReviewRound.project_id == tale.project_id))
        if asked is None or asked.revealed_at or tale.draw.random() > likely:
            continue
        stars = tale.draw.choices((5, 4, 3, 2), weights=(6, 4, 1, 1))[0]
        body = tale.draw.choice(texts.PRAISE if stars > 3 else texts.COMPLAINTS)
        tale.act(ratings.submit, actor, project_id=tale.project_id, stars=stars, body=body)


def _begin(tale: Tale) -> Wait:
    work = texts.WORK[tale.plot.type]
    project = tale.act(
        projects.accept_bid,
        tale.payer,
        payer_id=tale.payer_id,
        payee_id=tale.payee_id,
        bid_reference=f"BID-{4200 + tale.plot.number}",
        title=tale.draw.choice(work.titles),
        scope=work.scope,
        project_type=tale.plot.type.value,
        fee_mode="CONSULTATION_FIXED" if tale.plot.type is ProjectType.CONSULTATION else "STAGED",
        total=tale.plot.total,
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


def _fund(tale: Tale, milestone_id: int, *, declined: bool = False) -> Wait:
    if declined:
        bad = "pm_card_chargeDeclinedInsufficientFunds"
        tale.act(fund.fund, tale.payer, milestone_id=milestone_id, payment_method=bad)
        yield tale.hours(3, 26)
    tale.act(fund.fund, tale.payer, milestone_id=milestone_id)
    question, answer = tale.draw.choice(texts.SMALL_TALK)
    yield tale.hours(4, 20)
    _look_at_risk(tale, milestone_id)
    tale.act(conversation.say, tale.payer, milestone_id=milestone_id, body=question)
    yield tale.hours(1, 6)
    tale.act(conversation.say, tale.payee, milestone_id=milestone_id, body=answer)
    yield tale.hours(30, 96)


def _look_at_risk(tale: Tale, milestone_id: int) -> None:
    """A compliance officer looks at what was opened for review because of its value, and lets it go on."""
    wanted = select(RiskReview).where(
        RiskReview.milestone_id == milestone_id, RiskReview.settled_at.is_(None)
    )
    review = tale.read(wanted)
    if review is not None:
        officer = tale.world.staff(tale.world.staff_with(Role.COMPLIANCE)[0])
        note = "Both parties are known, and the contract matches the amount."
        tale.act(risk.settle, officer, review_id=review.id, outcome=ReviewOutcome.CLEARED, note=note)


def _submit(tale: Tale, milestone_id: int) -> Wait:
    evidence.of_completion(tale, milestone_id)
    tale.act(verify.submit, tale.payee, milestone_id=milestone_id)
    # A consultation is released after 24 hours of silence, so its client answers sooner.
    yield tale.hours(4, 18) if tale.plot.type is ProjectType.CONSULTATION else tale.hours(8, 60)


def _smooth(tale: Tale, milestone_id: int) -> Wait:
    yield from _submit(tale, milestone_id)
    _accept(tale, milestone_id)


def _accept(tale: Tale, milestone_id: int) -> None:
    """The payer approves, unless silence was quicker."""
    if _status(tale, milestone_id) == "PENDING_VERIFICATION":
        tale.act(verify.approve, tale.payer, milestone_id=milestone_id)


def _silent(tale: Tale, milestone_id: int) -> Wait:
    """The payer says nothing until silence approves; the timers do the rest."""
    yield from _submit(tale, milestone_id)
    yield timedelta(days=8)


def _dispute(tale: Tale, milestone_id: int, quarrel: Quarrel) -> Wait:
    tale.quarrels.append(quarrel)
    ticket = tale.act(dispute.open_dispute, tale.payer, milestone_id=milestone_id, reason=quarrel.reason)
    yield tale.hours(1, 4)
    tale.act(dispute.explain, tale.payer, milestone_id=milestone_id, details=quarrel.complaint)
    evidence.of_complaint(tale, milestone_id, ticket.id)
    yield tale.hours(3, 16)
    tale.act(conversation.say, tale.payee, milestone_id=milestone_id, body=quarrel.answer)
    evidence.of_answer(tale, milestone_id, ticket.id)
    yield tale.hours(2, 9)
    tale.act(conversation.say, tale.payer, milestone_id=milestone_id, body=quarrel.reply)
    yield tale.hours(2, 9)


def _rework(tale: Tale, milestone_id: int) -> Wait:
    yield from _submit(tale, milestone_id)
    yield from _dispute(tale, milestone_id, tale.quarrel())
    tale.act(dispute.resubmit, tale.payee, milestone_id=milestone_id)
    yield tale.hours(10, 50)
    _accept(tale, milestone_id)


def _withdrawn(tale: Tale, milestone_id: int) -> Wait:
    yield from _submit(tale, milestone_id)
    yield from _dispute(tale, milestone_id, tale.quarrel())
    tale.act(dispute.withdraw, tale.payer, milestone_id=milestone_id)
    yield tale.hours(5, 30)
    _accept(tale, milestone_id)


def _to_mediation(tale: Tale, milestone_id: int, *, no_show: bool = False) -> Wait:
    if not no_show:
        yield from _submit(tale, milestone_id)
    yield from _dispute(tale, milestone_id, tale.quarrel(no_show=no_show))
    # Nothing asks by itself on the legal platform; elsewhere three days of quarrel do.
    if tale.plot.platform is Platform.LEGAL_SERVICES or tale.draw.random() < 0.5:
        asking = tale.payee if tale.draw.random() < 0.5 else tale.payer
        if _status(tale, milestone_id) == "DISPUTED":
            tale.act(dispute.ask_mediation, asking, milestone_id=milestone_id)
    while _status(tale, milestone_id) == "DISPUTED":
        yield timedelta(hours=7)
    yield tale.hours(6, 20)


def _mediated(outcome: DecisionOutcome) -> Any:
    def story(tale: Tale, milestone_id: int) -> Wait:
        no_show = outcome is DecisionOutcome.FULL_REFUND
        yield from _to_mediation(tale, milestone_id, no_show=no_show)
        yield from _review(tale, milestone_id)
        decision = _decide(tale, milestone_id, outcome)
        if decision.status == "AWAITING_APPROVAL":
            yield tale.hours(2, 20)
            _approve(tale, decision)

    return story


def _review(tale: Tale, milestone_id: int) -> Wait:
    """The mediator reads, opens the evidence, leaves a note for colleagues."""
    ticket = tale.ticket(milestone_id)
    assert ticket is not None
    mediator = tale.world.staff(ticket.mediator_id or _free_mediator(tale))
    for piece in _evidence(tale, milestone_id):
        evidence.look_at(tale, mediator, piece.id)
    if tale.draw.random() < 0.4:
        note = tale.draw.choice(texts.STAFF_NOTES)
        tale.act(conversation.say, mediator, milestone_id=milestone_id, body=note, audience="STAFF")
    yield tale.hours(5, 40)


def _decide(tale: Tale, milestone_id: int, outcome: DecisionOutcome) -> Decision:
    world, ticket = tale.world, tale.ticket(milestone_id)
    assert ticket is not None
    maker_id = ticket.mediator_id or _free_mediator(tale)
    draft = Draft(
        ticket_id=ticket.id,
        outcome=outcome,
        ground=_ground(tale, outcome),
        reasons=tale.quarrels[-1].finding,
        release=_share(tale, milestone_id, outcome),
        references=ALL_REFERENCES,
        evidence_ids=frozenset(piece.id for piece in _evidence(tale, milestone_id)),
        override=False,
    )
    plan, _ = world.desk.database.run(
        lambda session: decide.preview(session, world.staff(maker_id), now=world.now, draft=draft)
    )
    intent = f"demo-{ticket.id}"
    maker = world.staff(maker_id)
    made: Decision = tale.act(decide.confirm, maker, draft=draft, plan_hash=plan.hash, intent=intent)
    return made


def _ground(tale: Tale, outcome: DecisionOutcome) -> Ground:
    match outcome:
        case DecisionOutcome.FULL_RELEASE:
            return Ground.WORK_DELIVERED
        case DecisionOutcome.FULL_REFUND:
            return Ground.PROVIDER_NO_SHOW if tale.draw.random() < 0.6 else Ground.SERVICE_NOT_STARTED
    return Ground.PARTIAL_WORK if tale.draw.random() < 0.6 else Ground.WORK_NOT_AS_AGREED


def _share(tale: Tale, milestone_id: int, outcome: DecisionOutcome) -> Money | None:
    if outcome is not DecisionOutcome.PARTIAL_RELEASE:
        return None
    order = tale.read(select(PaymentOrder).where(PaymentOrder.milestone_id == milestone_id))
    held = Money(order.held_minor, order.currency)
    percent = tale.quarrels[-1].percent
    step = 10 if order.currency == "KWD" else 1
    return Money(held.minor * percent // 100 // step * step, held.currency)


def _approve(tale: Tale, decision: Decision) -> None:
    world = tale.world
    checker = next(each for each in world.staff_with(Role.ADMINISTRATOR) if each != decision.maker_id)
    tale.act(
        decide.approve,
        world.staff(checker),
        decision_id=decision.id,
        plan_hash=decision.plan_hash,
        note="Read the case; the split follows the evidence.",
    )


def _payout_fails(tale: Tale, milestone_id: int) -> Wait:
    tale.world.sandbox.next_payouts({"code": "account_closed"})
    yield from _smooth(tale, milestone_id)


def _held(tale: Tale, milestone_id: int) -> Wait:
    """Staff stop a release after a report; the payer approves, and the money waits for the hold."""
    officer = tale.world.staff(tale.world.staff_with(Role.COMPLIANCE)[0])
    yield from _submit(tale, milestone_id)
    reason = "Report of an off-platform payment request; waiting for the parties' statements."
    filed = [
        tale.act(
            reports.file,
            SYSTEM,
            project_id=tale.project_id,
            milestone_id=milestone_id,
            kind=ReportKind.OFF_PLATFORM_CONTACT,
            source=Source.CONTENT_RULE,
            details=words,
            external_id=f"content-{tale.plot.number}-{place}",
        )
        for place, words in enumerate(texts.OFF_PLATFORM, start=1)
    ]
    tale.act(hold.place, officer, milestone_id=milestone_id, reason=reason, report_id=filed[-1].id)
    yield tale.hours(5, 20)
    _accept(tale, milestone_id)
    yield timedelta(days=60)


def _just_disputed(tale: Tale, milestone_id: int) -> Wait:
    yield max(timedelta(0), tale.world.ends - tale.world.now - tale.hours(84, 110))
    yield from _submit(tale, milestone_id)
    yield from _dispute(tale, milestone_id, tale.quarrel())
    yield timedelta(days=60)


def _in_mediation(tale: Tale, milestone_id: int) -> Wait:
    yield from _to_mediation(tale, milestone_id)
    yield timedelta(days=60)


def _waiting_party(tale: Tale, milestone_id: int) -> Wait:
    yield from _to_mediation(tale, milestone_id)
    ticket = tale.ticket(milestone_id)
    assert ticket is not None
    tale.act(
        conversation.ask,
        tale.world.staff(ticket.mediator_id or _free_mediator(tale)),
        ticket_id=ticket.id,
        party_id=tale.draw.choice((tale.payer_id, tale.payee_id)),
        question=tale.draw.choice(texts.ADVICE),
        answer_due_at=tale.world.now + timedelta(days=9),
    )
    yield timedelta(days=60)


def _left_open(outcome: DecisionOutcome) -> Any:
    """Decided, and now waiting: for a second person, or for the cooling-off."""

    def story(tale: Tale, milestone_id: int) -> Wait:
        yield from _to_mediation(tale, milestone_id)
        yield from _review(tale, milestone_id)
        # Within the last day, so that it still waits when the demo begins.
        yield max(timedelta(0), tale.world.ends - tale.world.now - tale.hours(3, 16))
        _decide(tale, milestone_id, outcome)
        yield timedelta(days=60)

    return story


BRANCHES: dict[Branch, Any] = {
    Branch.SILENT: _silent,
    Branch.REWORK: _rework,
    Branch.WITHDRAWN: _withdrawn,
    Branch.FULL_RELEASE: _mediated(DecisionOutcome.FULL_RELEASE),
    Branch.PARTIAL_RELEASE: _mediated(DecisionOutcome.PARTIAL_RELEASE),
    Branch.FULL_REFUND: _mediated(DecisionOutcome.FULL_REFUND),
    Branch.PAYOUT_FAILS: _payout_fails,
    Branch.HELD: _held,
    Branch.JUST_DISPUTED: _just_disputed,
    Branch.IN_MEDIATION: _in_mediation,
    Branch.WAITING_PARTY: _waiting_party,
    Branch.NEEDS_APPROVAL: _left_open(DecisionOutcome.PARTIAL_RELEASE),
    Branch.COOLING_OFF: _left_open(DecisionOutcome.PARTIAL_RELEASE),
    Branch.DEADLOCKED: _in_mediation,
}


def _until_over(tale: Tale, milestone_id: int) -> Wait:
    """Wait for the money to have moved."""
    while True:
        yield tale.hours(5, 12)
        milestone = tale.read(select(Milestone).where(Milestone.id == milestone_id))
        if milestone.ended_at is not None or _project_over(tale):
            return


def _project_over(tale: Tale) -> bool:
    project = tale.read(select(Project).where(Project.id == tale.project_id))
    return bool(project.status != ProjectStatus.ACTIVE)


def _status(tale: Tale, milestone_id: int) -> str:
    return str(tale.read(select(Milestone.status).where(Milestone.id == milestone_id)))


def _evidence(tale: Tale, milestone_id: int) -> list[Evidence]:
    with tale.world.desk.database.reading() as session:
        return list(session.scalars(select(Evidence).where(Evidence.milestone_id == milestone_id)))


def _free_mediator(tale: Tale) -> int:
    """When all were busy at the time: the first, who takes it."""
    ticket_owner = tale.world.staff_with(Role.MEDIATOR)[0]
    milestone = tale.milestone()
    ticket = tale.ticket(milestone.id) if milestone else None
    if ticket is not None:
        tale.act(mediate.assign, tale.world.staff(ticket_owner), ticket_id=ticket.id, staff_id=ticket_owner)
    return ticket_owner
