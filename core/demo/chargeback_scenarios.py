"""Chargebacks of the demo: answered and won, lost, given up, and what the bank still waits for on the last day."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from core.actions.cases import evidence
from core.actions.chargebacks import (
    chargeback_acceptance,
    chargeback_evidence,
    chargeback_files,
    chargeback_remarks,
    lifecycle,
)
from core.demo.documents import report_pdf
from core.demo.payment_scenarios import good_bank, one_of
from core.demo.project_run import ProjectRun, Wait
from core.demo.standard_flow import accept, smooth, submit, until_over
from core.records import Chargeback, Evidence, PaymentOrder
from core.rules.chargebacks import ChargebackStatus
from core.rules.permissions import Role

ANSWER = {
    "product_description": "Renovation of a bathroom, agreed as milestones with a description and a date each.",
    "service_date": "See the dated completion report.",
    "access_activity_log": "The customer signed in, funded the milestone and wrote to the contractor afterwards.",
}


def charged_back(tale: ProjectRun, milestone_id: int, **fields: Any) -> Chargeback:
    """The payer's bank asks for the payment back."""
    world = tale.world
    world.sandbox.set_clock(world.now)
    order = tale.read(select(PaymentOrder).where(PaymentOrder.milestone_id == milestone_id))
    return hear(tale, world.sandbox.dispute(order.stripe_payment_intent, **fields))


def hear(tale: ProjectRun, dispute: str) -> Chargeback:
    """What Stripe's news would bring: its present state."""
    world = tale.world
    seen = world.desk.payments.dispute_by_id(dispute)
    row = world.desk.database.run(lambda session: lifecycle.follow(session, seen, now=world.now))
    assert row is not None
    world.send()
    return row


def bank_says(tale: ProjectRun, row: Chargeback, verdict: str) -> None:
    tale.world.sandbox.set_clock(tale.world.now)
    tale.world.sandbox.decide_dispute(row.stripe_dispute, verdict)
    hear(tale, row.stripe_dispute)


def draft(tale: ProjectRun, row: Chargeback) -> Any:
    """The payee submits the report, and finance drafts the answer with it."""
    report = report_pdf(
        title="Completion report",
        author="The contractor",
        site="Bathroom, first floor",
        on=tale.world.now,
        findings=(("Work", "Done as described in the milestone."), ("Customer", "Present, and signed.")),
    )
    piece: Evidence = tale.act(
        evidence.hand_in,
        tale.payee,
        store=tale.world.desk.evidence,
        milestone_id=row.milestone_id,
        file_name="completion_report.pdf",
        content=report,
        caption="Signed by both on the day of completion",
    )
    return tale.act(
        chargeback_files.draft,
        one_of(tale, Role.FINANCE),
        store=tale.world.desk.evidence,
        settings=tale.world.desk.settings,
        chargeback_id=row.id,
        texts=ANSWER,
        exhibits={"service_documentation": [f"evidence:{piece.id}", "log"]},
    )


def won(tale: ProjectRun, milestone_id: int) -> Wait:
    """Answered by two people, and won; the frozen milestone goes on."""
    yield from submit(tale, milestone_id)
    row = charged_back(tale, milestone_id, reason="product_not_received")
    yield tale.hours(10, 30)
    answer = draft(tale, row)
    yield tale.hours(5, 20)
    tale.act(
        chargeback_evidence.submit, one_of(tale, Role.COMPLIANCE), evidence_id=answer.id, typed=f"CB-{row.id}"
    )
    yield timedelta(days=6)
    bank_says(tale, row, ChargebackStatus.WON)
    yield tale.hours(5, 20)
    accept(tale, milestone_id)


def lost_after_release(tale: ProjectRun, milestone_id: int) -> Wait:
    """Lost after the payee was paid: the next milestone's release pays a part of the debt."""
    good_bank(tale)
    yield from smooth(tale, milestone_id)
    yield from until_over(tale, milestone_id)
    yield timedelta(days=4)
    row = charged_back(tale, milestone_id, reason="fraudulent")
    yield timedelta(days=7)
    bank_says(tale, row, ChargebackStatus.LOST)
    yield tale.hours(5, 20)
    tale.act(
        chargeback_remarks.add,
        one_of(tale, Role.FINANCE),
        chargeback_id=row.id,
        body="Nothing showed that the card's holder had ordered the work: the payer's sign-in was not on record.",
    )


def lost_while_held(tale: ProjectRun, milestone_id: int) -> Wait:
    yield from submit(tale, milestone_id)
    row = charged_back(tale, milestone_id, reason="unrecognized")
    proposal = tale.act(
        chargeback_acceptance.propose,
        one_of(tale, Role.FINANCE),
        chargeback_id=row.id,
        reason="The customer's card was used by somebody else; the police report names our order.",
    )
    yield tale.hours(5, 20)
    tale.act(
        chargeback_acceptance.accept,
        one_of(tale, Role.COMPLIANCE),
        acceptance_id=proposal.id,
        typed=f"CB-{row.id}",
    )


def inquiry_closed(tale: ProjectRun, milestone_id: int) -> Wait:
    yield from submit(tale, milestone_id)
    row = charged_back(tale, milestone_id, reason="product_not_received", inquiry=True)
    yield timedelta(days=3)
    bank_says(tale, row, ChargebackStatus.WARNING_CLOSED)
    accept(tale, milestone_id)


def left_open(days: int, *, inquiry: bool = False, giving_in: bool = False) -> Any:
    """Opened so many days before the last one, on which the bank still waits: with a draft for the second person, a
    proposal to accept it, or nothing yet. Stripe asks for a response within nine days."""

    def story(tale: ProjectRun, milestone_id: int) -> Wait:
        yield from submit(tale, milestone_id)
        yield max(timedelta(0), tale.world.ends - tale.world.now - timedelta(days=days))
        row = charged_back(tale, milestone_id, reason="product_not_received", inquiry=inquiry)
        yield max(timedelta(0), tale.world.ends - tale.world.now - tale.hours(3, 20))
        if giving_in:
            tale.act(
                chargeback_acceptance.propose,
                one_of(tale, Role.FINANCE),
                chargeback_id=row.id,
                reason="The work was not begun, and the customer is right.",
            )
        elif not inquiry:
            draft(tale, row)
        yield timedelta(days=60)

    return story
