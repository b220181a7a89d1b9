"""Stories that lead to a deadline, and what is looked at when it has passed."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from core.actions.cases import conversation, disputes, settlement_proposals
from core.actions.chargebacks import lifecycle
from core.actions.funding import fund
from core.actions.milestones import bids, engagement, payment_schedule, verification
from core.gateways.payments import DisputeSnapshot
from core.money import Money
from core.processes import timers
from core.records import (
    Decision,
    Milestone,
    Notification,
    OutgoingOperation,
    PaymentOrder,
    ReviewRound,
    SettlementProposal,
)
from core.rules.cases import DisputeReason
from core.rules.schedule import PlannedMilestone
from tests import builders, unrecorded
from tests.builders import Told, Town
from tests.desk_fixtures import a_desk

TICK = timedelta(microseconds=1)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def run(town: Town, home: Path) -> int:
    return timers.run_due(a_desk(town.database, home, clock=lambda: town.now))


# -- how a case comes to stand before its deadline --


def legal(town: Town, project_type: str = "DOCUMENT_REVIEW", rule: str = "") -> Told:
    """A legal matter whose first milestone is paid and held."""
    town.payer_id = builders.a_party(town, "PAYER", "Ana Lindqvist", platform="legal_services")
    town.payee_id = builders.a_party(town, "PAYEE", "Ben Okafor", platform="legal_services")
    consultation = project_type == "CONSULTATION"
    project = town.act(
        bids.accept,
        town.payer,
        bid=bids.Bid(
            payer_id=town.payer_id,
            payee_id=town.payee_id,
            reference=f"matter-{next(builders.numbers)}",
            title="Review of a lease",
            scope="One lease, forty pages.",
            project_type=project_type,
            fee_mode="CONSULTATION_FIXED" if consultation else "STAGED",
            total=Money(60_000, "USD"),
        ),
    )
    if rule:
        planned = [
            PlannedMilestone(
                title="Review", deliverable="A memo.", amount=Money(60_000, "USD"), acceptance_rule=rule
            )
        ]
        town.act(payment_schedule.adjust, town.payer, project_id=project.id, planned=planned)
    for part in engagement.Part:
        who = town.payee if part in engagement.BY_PAYEE else town.payer
        town.act(engagement.confirm, who, project_id=project.id, part=part)
    wanted = select(Milestone.id).where(Milestone.project_id == project.id).order_by(Milestone.position)
    first = town.read(lambda session: session.scalars(wanted).first())
    assert first is not None
    town.act(fund.fund, town.payer, milestone_id=first)
    builders.carry_out(town)
    return Told(project.id, first)


def submitted(town: Town, told: Told | None = None) -> Told:
    told = told or builders.funded(town)
    town.wait(hours=1, microseconds=7)
    town.act(verification.submit, town.payee, milestone_id=told.milestone)
    return told


def reminded(town: Town, home: Path) -> Told:
    told = submitted(town)
    town.now += 72 * HOUR
    assert run(town, home) == 1
    return told


def asked(town: Town) -> Told:
    told = builders.in_mediation(town)
    town.act(
        conversation.ask,
        town.as_staff("mia"),
        case_id=told.case,
        party_id=town.payee_id,
        question="Which day was the worktop measured?",
        answer_due_at=town.now + 2 * DAY,
    )
    return told


def cooling_off(town: Town) -> Told:
    told = builders.in_mediation(town, legal(town))
    assert builders.decided(town, told).status == "COOLING_OFF"
    return told


def offered(town: Town) -> Told:
    told = builders.disputed(town)
    half = Money(100_000, "USD")
    town.act(settlement_proposals.propose, town.payer, case_id=told.case, release=half)
    return told


def asked_back(town: Town) -> Told:
    """A bank asks a payment back, and wants its answer within nine days."""
    told = builders.funded(town)
    order = town.read(lambda session: session.get_one(PaymentOrder, told.milestone))
    asked = DisputeSnapshot(
        id="du_edge",
        created=town.now,
        op=None,
        status="needs_response",
        amount=Money(order.charge_minor, order.currency),
        reason="fraudulent",
        charge=order.stripe_charge or "",
        payment_intent=order.stripe_payment_intent,
        due_by=town.now + 9 * DAY,
        past_due=False,
        has_evidence=False,
        submission_count=0,
        refundable=False,
    )
    town.database.run(lambda session: lifecycle.follow(session, asked, now=town.now))
    return told


def declined(town: Town, retries: int = 0) -> Told:
    """The card has no money; `retries` tries of ours came before."""
    told = builders.funded(town)
    second = Told(told.project, told.milestone + 1)
    submitted(town, told)
    town.act(verification.approve, town.payer, milestone_id=told.milestone)
    builders.carry_out(town)
    operation = town.act(fund.fund, town.payer, milestone_id=second.milestone)

    def refuse(session: Any) -> None:
        call = session.get_one(OutgoingOperation, operation.id)
        call.status = "REFUSED"
        unrecorded.admit(session)
        session.get_one(PaymentOrder, second.milestone).retries = retries
        fund.declined(session, call, reason="No money.", code="insufficient_funds", now=town.now)

    town.database.run(refuse)
    return second


def finished(town: Town) -> Told:
    """Every milestone is paid out, and both sides are asked for a review."""
    told = builders.funded(town, total=Money(100_000, "USD"))
    submitted(town, told)
    town.act(verification.approve, town.payer, milestone_id=told.milestone)
    builders.carry_out(town)
    return told


# -- what is looked at --


def milestone(town: Town, told: Told) -> Milestone:
    return town.read(lambda session: session.get_one(Milestone, told.milestone))


def letters(town: Town, template: str) -> int:
    wanted = select(func.count()).select_from(Notification).where(Notification.template == template)
    return town.read(lambda session: session.scalar(wanted) or 0)


def bank_alarms(town: Town, told: Told) -> int:
    """Letters to staff on the last two days; each of finance and compliance gets one."""
    wanted = select(func.count()).where(Notification.key.like("chargeback-%-alarm-%"))
    return town.read(lambda session: session.scalar(wanted) or 0)


def status(town: Town, told: Told) -> Any:
    return milestone(town, told).status


def reminders(town: Town, told: Told) -> Any:
    return (milestone(town, told).reminder_level, letters(town, "verification_reminder"))


def escalated(town: Town, told: Told) -> Any:
    return builders.case_of(town, told).escalated


def case(town: Town, told: Told) -> Any:
    return builders.case_of(town, told).status


def decision(town: Town, told: Told) -> Any:
    return town.read(lambda s: s.scalars(select(Decision.status).where(Decision.case_id == told.case)).one())


def offer(town: Town, told: Told) -> Any:
    return town.read(
        lambda s: s.scalars(
            select(SettlementProposal.status).where(SettlementProposal.case_id == told.case)
        ).one()
    )


def charges(town: Town, told: Told) -> Any:
    wanted = select(func.count()).select_from(OutgoingOperation)
    return town.read(lambda s: s.scalar(wanted.where(OutgoingOperation.milestone_id == told.milestone)))


def revealed(town: Town, told: Told) -> Any:
    return town.read(lambda session: session.get_one(ReviewRound, told.project)).revealed_at is not None


def at_the_dispute(town: Town) -> Told:
    told = submitted(town)
    case = town.act(
        disputes.open_dispute, town.payer, milestone_id=told.milestone, reason=DisputeReason.DEFECTIVE
    )
    return Told(told.project, told.milestone, case.id)


def at_the_mediation(town: Town) -> Told:
    told = at_the_dispute(town)
    town.act(disputes.ask_mediation, town.payee, milestone_id=told.milestone)
    return told
