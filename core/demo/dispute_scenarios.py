"""Complaints: settled by the parties, withdrawn, offered a division, or decided by a mediator."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from core.actions.cases import conversation, disputes, offers
from core.actions.decisions import confirmation
from core.actions.decisions.plan import Draft
from core.demo import evidence, texts
from core.demo.project_run import ProjectRun, Wait, free_mediator, pieces_of, status
from core.demo.standard_flow import accept, submit
from core.demo.texts import Quarrel
from core.money import Money
from core.policy import Platform
from core.records import Decision, Message, PaymentOrder
from core.rules.approvals import DecisionStatus
from core.rules.grounds import DecisionOutcome, Ground, Reference
from core.rules.messages import Audience
from core.rules.milestones import Status
from core.rules.permissions import Role

ALL_REFERENCES = frozenset(Reference)


def complain(tale: ProjectRun, milestone_id: int, quarrel: Quarrel) -> Wait:
    tale.quarrels.append(quarrel)
    case = tale.act(disputes.open_dispute, tale.payer, milestone_id=milestone_id, reason=quarrel.reason)
    yield tale.hours(1, 4)
    tale.act(disputes.explain, tale.payer, milestone_id=milestone_id, details=quarrel.complaint)
    evidence.of_complaint(tale, milestone_id, case.id)
    yield tale.hours(3, 16)
    tale.act(conversation.say, tale.payee, milestone_id=milestone_id, body=quarrel.answer)
    evidence.of_answer(tale, milestone_id, case.id)
    yield tale.hours(2, 9)
    tale.act(conversation.say, tale.payer, milestone_id=milestone_id, body=quarrel.reply)
    yield tale.hours(2, 9)


def rework(tale: ProjectRun, milestone_id: int) -> Wait:
    yield from submit(tale, milestone_id)
    yield from complain(tale, milestone_id, tale.quarrel())
    tale.act(disputes.resubmit, tale.payee, milestone_id=milestone_id)
    yield tale.hours(10, 50)
    accept(tale, milestone_id)


def withdrawn(tale: ProjectRun, milestone_id: int) -> Wait:
    yield from submit(tale, milestone_id)
    yield from complain(tale, milestone_id, tale.quarrel())
    tale.act(disputes.withdraw, tale.payer, milestone_id=milestone_id)
    yield tale.hours(5, 30)
    accept(tale, milestone_id)


def to_mediation(tale: ProjectRun, milestone_id: int, *, no_show: bool = False) -> Wait:
    if not no_show:
        yield from submit(tale, milestone_id)
    yield from complain(tale, milestone_id, tale.quarrel(no_show=no_show))
    # Nothing asks by itself on the legal platform; elsewhere three days of quarrel do.
    if tale.plot.platform is Platform.LEGAL_SERVICES or tale.draw.random() < 0.5:
        asking = tale.payee if tale.draw.random() < 0.5 else tale.payer
        if status(tale, milestone_id) == Status.DISPUTED:
            tale.act(disputes.ask_mediation, asking, milestone_id=milestone_id)
    while status(tale, milestone_id) == Status.DISPUTED:
        yield timedelta(hours=7)
    yield tale.hours(6, 20)


def mediated(outcome: DecisionOutcome) -> Any:
    def story(tale: ProjectRun, milestone_id: int) -> Wait:
        no_show = outcome is DecisionOutcome.FULL_REFUND
        yield from to_mediation(tale, milestone_id, no_show=no_show)
        yield from study(tale, milestone_id)
        decision = rule(tale, milestone_id, outcome)
        if decision.status == DecisionStatus.AWAITING_APPROVAL:
            yield tale.hours(2, 20)
            agree(tale, decision)

    return story


def study(tale: ProjectRun, milestone_id: int) -> Wait:
    """The mediator reads, opens the evidence, leaves a note for colleagues."""
    case = tale.case(milestone_id)
    assert case is not None
    mediator = tale.world.staff(case.mediator_id or free_mediator(tale))
    for piece in pieces_of(tale, milestone_id):
        evidence.look_at(tale, mediator, piece.id)
    if tale.draw.random() < 0.4:
        note = tale.draw.choice(texts.STAFF_NOTES)
        tale.act(conversation.say, mediator, milestone_id=milestone_id, body=note, audience=Audience.STAFF)
    yield tale.hours(5, 40)


def rule(tale: ProjectRun, milestone_id: int, outcome: DecisionOutcome) -> Decision:
    world, case = tale.world, tale.case(milestone_id)
    assert case is not None
    maker_id = case.mediator_id or free_mediator(tale)
    draft = Draft(
        case_id=case.id,
        outcome=outcome,
        ground=_ground(tale, outcome),
        reasons=tale.quarrels[-1].finding,
        release=_share(tale, milestone_id, outcome),
        references=ALL_REFERENCES,
        evidence_ids=frozenset(piece.id for piece in pieces_of(tale, milestone_id)),
        override=False,
    )
    plan, _ = world.desk.database.run(
        lambda session: confirmation.preview(session, world.staff(maker_id), now=world.now, draft=draft)
    )
    intent = f"demo-{case.id}"
    maker = world.staff(maker_id)
    made: Decision = tale.act(confirmation.confirm, maker, draft=draft, plan_hash=plan.hash, intent=intent)
    return made


def _ground(tale: ProjectRun, outcome: DecisionOutcome) -> Ground:
    match outcome:
        case DecisionOutcome.FULL_RELEASE:
            return Ground.WORK_DELIVERED
        case DecisionOutcome.FULL_REFUND:
            return Ground.PROVIDER_NO_SHOW if tale.draw.random() < 0.6 else Ground.SERVICE_NOT_STARTED
    return Ground.PARTIAL_WORK if tale.draw.random() < 0.6 else Ground.WORK_NOT_AS_AGREED


def _share(tale: ProjectRun, milestone_id: int, outcome: DecisionOutcome) -> Money | None:
    if outcome is not DecisionOutcome.PARTIAL_RELEASE:
        return None
    order = tale.read(select(PaymentOrder).where(PaymentOrder.milestone_id == milestone_id))
    held = Money(order.held_minor, order.currency)
    percent = tale.quarrels[-1].percent
    step = 10 if order.currency == "KWD" else 1
    return Money(held.minor * percent // 100 // step * step, held.currency)


def agree(tale: ProjectRun, decision: Decision) -> None:
    world = tale.world
    checker = next(each for each in world.staff_with(Role.ADMINISTRATOR) if each != decision.maker_id)
    newest = tale.read(select(func.max(Message.id)).where(Message.milestone_id == decision.milestone_id))
    tale.act(
        confirmation.approve,
        world.staff(checker),
        decision_id=decision.id,
        plan_hash=decision.plan_hash,
        note="Read the case; the split follows the evidence.",
        seen=newest or 0,
    )


def just_disputed(tale: ProjectRun, milestone_id: int) -> Wait:
    yield max(timedelta(0), tale.world.ends - tale.world.now - tale.hours(84, 110))
    yield from submit(tale, milestone_id)
    yield from complain(tale, milestone_id, tale.quarrel())
    yield timedelta(days=60)


def in_mediation(tale: ProjectRun, milestone_id: int) -> Wait:
    yield from to_mediation(tale, milestone_id)
    yield timedelta(days=60)


def waiting_party(tale: ProjectRun, milestone_id: int) -> Wait:
    yield from to_mediation(tale, milestone_id)
    case = tale.case(milestone_id)
    assert case is not None
    assert case.decision_due_at is not None
    tale.act(
        conversation.ask,
        tale.world.staff(case.mediator_id or free_mediator(tale)),
        case_id=case.id,
        party_id=tale.draw.choice((tale.payer_id, tale.payee_id)),
        question=tale.draw.choice(texts.ADVICE),
        answer_due_at=case.decision_due_at,
    )
    yield timedelta(days=60)


def left_open(outcome: DecisionOutcome) -> Any:
    """Decided, and now waiting: for a second person, or for the cooling-off."""

    def story(tale: ProjectRun, milestone_id: int) -> Wait:
        yield from to_mediation(tale, milestone_id)
        yield from study(tale, milestone_id)
        # Within the last day, so that it still waits when the demo begins.
        yield max(timedelta(0), tale.world.ends - tale.world.now - tale.hours(3, 16))
        rule(tale, milestone_id, outcome)
        yield timedelta(days=60)

    return story


def _offer(tale: ProjectRun, milestone_id: int, percent: int) -> Any:
    """The payer offers to pay a part of what is held."""
    case = tale.case(milestone_id)
    order = tale.read(select(PaymentOrder).where(PaymentOrder.milestone_id == milestone_id))
    assert case is not None
    release = Money(order.held_minor * percent // 100, order.currency)
    note = "I pay for what is done, and we leave it at that."
    return tale.act(offers.propose, tale.payer, case_id=case.id, release=release, note=note)


def offer_accepted(tale: ProjectRun, milestone_id: int) -> Wait:
    yield from submit(tale, milestone_id)
    yield from complain(tale, milestone_id, tale.quarrel())
    made = _offer(tale, milestone_id, 70)
    yield tale.hours(5, 40)
    tale.act(offers.accept, tale.payee, offer_id=made.id)


def offer_declined(tale: ProjectRun, milestone_id: int) -> Wait:
    """The payee would rather mend it, does, and is paid in full."""
    yield from submit(tale, milestone_id)
    yield from complain(tale, milestone_id, tale.quarrel())
    made = _offer(tale, milestone_id, 40)
    yield tale.hours(3, 12)
    tale.act(offers.decline, tale.payee, offer_id=made.id)
    yield tale.hours(2, 8)
    tale.act(disputes.resubmit, tale.payee, milestone_id=milestone_id)
    yield tale.hours(10, 50)
    accept(tale, milestone_id)


def offer_open(tale: ProjectRun, milestone_id: int) -> Wait:
    yield from to_mediation(tale, milestone_id)
    yield max(timedelta(0), tale.world.ends - tale.world.now - tale.hours(5, 20))
    _offer(tale, milestone_id, 60)
    yield timedelta(days=60)
