"""Complaints: settled by the parties, withdrawn, offered a division, or decided by a mediator."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from core.actions.cases import conversation, disputes, settlement_proposals
from core.actions.decisions import confirmation
from core.actions.decisions.plan import Draft
from core.demo import evidence, texts
from core.demo.project_run import ProjectRun, Wait, free_mediator, pieces_of, status
from core.demo.standard_flow import accept, submit
from core.demo.texts import DisputeStory
from core.money import Money
from core.policy import Platform
from core.records import Decision, Message, PaymentOrder
from core.rules.approvals import DecisionStatus
from core.rules.grounds import DecisionOutcome, Ground, Reference
from core.rules.messages import Audience
from core.rules.milestones import Status
from core.rules.permissions import Role

ALL_REFERENCES = frozenset(Reference)


def complain(run: ProjectRun, milestone_id: int, story: DisputeStory) -> Wait:
    run.stories.append(story)
    case = run.act(disputes.open_dispute, run.payer, milestone_id=milestone_id, reason=story.reason)
    yield run.hours(1, 4)
    run.act(disputes.explain, run.payer, milestone_id=milestone_id, details=story.complaint)
    evidence.of_complaint(run, milestone_id, case.id)
    yield run.hours(3, 16)
    run.act(conversation.say, run.payee, milestone_id=milestone_id, body=story.answer)
    evidence.of_answer(run, milestone_id, case.id)
    yield run.hours(2, 9)
    run.act(conversation.say, run.payer, milestone_id=milestone_id, body=story.reply)
    yield run.hours(2, 9)


def rework(run: ProjectRun, milestone_id: int) -> Wait:
    yield from submit(run, milestone_id)
    yield from complain(run, milestone_id, run.next_story())
    run.act(disputes.resubmit, run.payee, milestone_id=milestone_id)
    yield run.hours(10, 50)
    accept(run, milestone_id)


def withdrawn(run: ProjectRun, milestone_id: int) -> Wait:
    yield from submit(run, milestone_id)
    yield from complain(run, milestone_id, run.next_story())
    run.act(disputes.withdraw, run.payer, milestone_id=milestone_id)
    yield run.hours(5, 30)
    accept(run, milestone_id)


def to_mediation(run: ProjectRun, milestone_id: int, *, no_show: bool = False) -> Wait:
    if not no_show:
        yield from submit(run, milestone_id)
    yield from complain(run, milestone_id, run.next_story(no_show=no_show))
    # Nothing asks by itself on the legal platform; elsewhere three days of dispute do.
    if run.plan.platform is Platform.LEGAL_SERVICES or run.draw.random() < 0.5:
        asking = run.payee if run.draw.random() < 0.5 else run.payer
        if status(run, milestone_id) == Status.DISPUTED:
            run.act(disputes.ask_mediation, asking, milestone_id=milestone_id)
    while status(run, milestone_id) == Status.DISPUTED:
        yield timedelta(hours=7)
    yield run.hours(6, 20)


def mediated(outcome: DecisionOutcome) -> Any:
    def story(run: ProjectRun, milestone_id: int) -> Wait:
        no_show = outcome is DecisionOutcome.FULL_REFUND
        yield from to_mediation(run, milestone_id, no_show=no_show)
        yield from study(run, milestone_id)
        decision = rule(run, milestone_id, outcome)
        if decision.status == DecisionStatus.AWAITING_APPROVAL:
            yield run.hours(2, 20)
            agree(run, decision)

    return story


def study(run: ProjectRun, milestone_id: int) -> Wait:
    """The mediator reads, opens the evidence, leaves a note for colleagues."""
    case = run.case(milestone_id)
    assert case is not None
    mediator = run.world.staff(case.mediator_id or free_mediator(run))
    for piece in pieces_of(run, milestone_id):
        evidence.look_at(run, mediator, piece.id)
    if run.draw.random() < 0.4:
        note = run.draw.choice(texts.STAFF_NOTES)
        run.act(conversation.say, mediator, milestone_id=milestone_id, body=note, audience=Audience.STAFF)
    yield run.hours(5, 40)


def rule(run: ProjectRun, milestone_id: int, outcome: DecisionOutcome) -> Decision:
    world, case = run.world, run.case(milestone_id)
    assert case is not None
    maker_id = case.mediator_id or free_mediator(run)
    draft = Draft(
        case_id=case.id,
        outcome=outcome,
        ground=_ground(run, outcome),
        reasons=run.stories[-1].finding,
        release=_share(run, milestone_id, outcome),
        references=ALL_REFERENCES,
        evidence_ids=frozenset(piece.id for piece in pieces_of(run, milestone_id)),
        override=False,
    )
    plan, _ = world.desk.database.run(
        lambda session: confirmation.preview(session, world.staff(maker_id), now=world.now, draft=draft)
    )
    intent = f"demo-{case.id}"
    maker = world.staff(maker_id)
    made: Decision = run.act(confirmation.confirm, maker, draft=draft, plan_hash=plan.hash, intent=intent)
    return made


def _ground(run: ProjectRun, outcome: DecisionOutcome) -> Ground:
    match outcome:
        case DecisionOutcome.FULL_RELEASE:
            return Ground.WORK_DELIVERED
        case DecisionOutcome.FULL_REFUND:
            return Ground.PROVIDER_NO_SHOW if run.draw.random() < 0.6 else Ground.SERVICE_NOT_STARTED
    return Ground.PARTIAL_WORK if run.draw.random() < 0.6 else Ground.WORK_NOT_AS_AGREED


def _share(run: ProjectRun, milestone_id: int, outcome: DecisionOutcome) -> Money | None:
    if outcome is not DecisionOutcome.PARTIAL_RELEASE:
        return None
    order = run.read(select(PaymentOrder).where(PaymentOrder.milestone_id == milestone_id))
    held = Money(order.held_minor, order.currency)
    percent = run.stories[-1].percent
    step = 10 if order.currency == "KWD" else 1
    return Money(held.minor * percent // 100 // step * step, held.currency)


def agree(run: ProjectRun, decision: Decision) -> None:
    world = run.world
    checker = next(each for each in world.staff_with(Role.ADMINISTRATOR) if each != decision.maker_id)
    newest = run.read(select(func.max(Message.id)).where(Message.milestone_id == decision.milestone_id))
    run.act(
        confirmation.approve,
        world.staff(checker),
        decision_id=decision.id,
        plan_hash=decision.plan_hash,
        note="Read the case; the split follows the evidence.",
        seen=newest or 0,
    )


def just_disputed(run: ProjectRun, milestone_id: int) -> Wait:
    yield max(timedelta(0), run.world.ends - run.world.now - run.hours(84, 110))
    yield from submit(run, milestone_id)
    yield from complain(run, milestone_id, run.next_story())
    yield timedelta(days=60)


def in_mediation(run: ProjectRun, milestone_id: int) -> Wait:
    yield from to_mediation(run, milestone_id)
    yield timedelta(days=60)


def waiting_party(run: ProjectRun, milestone_id: int) -> Wait:
    yield from to_mediation(run, milestone_id)
    case = run.case(milestone_id)
    assert case is not None
    assert case.decision_due_at is not None
    run.act(
        conversation.ask,
        run.world.staff(case.mediator_id or free_mediator(run)),
        case_id=case.id,
        party_id=run.draw.choice((run.payer_id, run.payee_id)),
        question=run.draw.choice(texts.ADVICE),
        answer_due_at=case.decision_due_at,
    )
    yield timedelta(days=60)


def left_open(outcome: DecisionOutcome) -> Any:
    """Decided, and now waiting: for a second person, or for the cooling-off."""

    def story(run: ProjectRun, milestone_id: int) -> Wait:
        yield from to_mediation(run, milestone_id)
        yield from study(run, milestone_id)
        # Within the last day, so that it still waits when the demo begins.
        yield max(timedelta(0), run.world.ends - run.world.now - run.hours(3, 16))
        rule(run, milestone_id, outcome)
        yield timedelta(days=60)

    return story


def _offer(run: ProjectRun, milestone_id: int, percent: int) -> Any:
    """The payer offers to pay a part of what is held."""
    case = run.case(milestone_id)
    order = run.read(select(PaymentOrder).where(PaymentOrder.milestone_id == milestone_id))
    assert case is not None
    release = Money(order.held_minor * percent // 100, order.currency)
    note = "I pay for what is done, and we leave it at that."
    return run.act(settlement_proposals.propose, run.payer, case_id=case.id, release=release, note=note)


def offer_accepted(run: ProjectRun, milestone_id: int) -> Wait:
    yield from submit(run, milestone_id)
    yield from complain(run, milestone_id, run.next_story())
    made = _offer(run, milestone_id, 70)
    yield run.hours(5, 40)
    run.act(settlement_proposals.accept, run.payee, proposal_id=made.id)


def offer_declined(run: ProjectRun, milestone_id: int) -> Wait:
    """The payee would rather mend it, does, and is paid in full."""
    yield from submit(run, milestone_id)
    yield from complain(run, milestone_id, run.next_story())
    made = _offer(run, milestone_id, 40)
    yield run.hours(3, 12)
    run.act(settlement_proposals.decline, run.payee, proposal_id=made.id)
    yield run.hours(2, 8)
    run.act(disputes.resubmit, run.payee, milestone_id=milestone_id)
    yield run.hours(10, 50)
    accept(run, milestone_id)


def offer_open(run: ProjectRun, milestone_id: int) -> Wait:
    yield from to_mediation(run, milestone_id)
    yield max(timedelta(0), run.world.ends - run.world.now - run.hours(5, 20))
    _offer(run, milestone_id, 60)
    yield timedelta(days=60)
