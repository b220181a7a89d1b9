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


def charged_back(run: ProjectRun, milestone_id: int, **fields: Any) -> Chargeback:
    """The payer's bank asks for the payment back."""
    world = run.world
    world.sandbox.set_clock(world.now)
    order = run.read(select(PaymentOrder).where(PaymentOrder.milestone_id == milestone_id))
    return hear(run, world.sandbox.dispute(order.stripe_payment_intent, **fields))


def hear(run: ProjectRun, dispute: str) -> Chargeback:
    """What Stripe's news would bring: its present state."""
    world = run.world
    seen = world.desk.payments.dispute_by_id(dispute)
    row = world.desk.database.run(lambda session: lifecycle.follow(session, seen, now=world.now))
    assert row is not None
    world.send()
    return row


def bank_says(run: ProjectRun, row: Chargeback, verdict: str) -> None:
    run.world.sandbox.set_clock(run.world.now)
    run.world.sandbox.decide_dispute(row.stripe_dispute, verdict)
    hear(run, row.stripe_dispute)


def draft(run: ProjectRun, row: Chargeback) -> Any:
    """The payee submits the report, and finance drafts the answer with it."""
    report = report_pdf(
        title="Completion report",
        author="The contractor",
        site="Bathroom, first floor",
        on=run.world.now,
        findings=(("Work", "Done as described in the milestone."), ("Customer", "Present, and signed.")),
    )
    piece: Evidence = run.act(
        evidence.submit,
        run.payee,
        store=run.world.desk.evidence,
        milestone_id=row.milestone_id,
        file_name="completion_report.pdf",
        content=report,
        caption="Signed by both on the day of completion",
    )
    return run.act(
        chargeback_files.draft,
        one_of(run, Role.FINANCE),
        store=run.world.desk.evidence,
        settings=run.world.desk.settings,
        chargeback_id=row.id,
        texts=ANSWER,
        exhibits={"service_documentation": [f"evidence:{piece.id}", "log"]},
    )


def won(run: ProjectRun, milestone_id: int) -> Wait:
    """Answered by two people, and won; the frozen milestone goes on."""
    yield from submit(run, milestone_id)
    row = charged_back(run, milestone_id, reason="product_not_received")
    yield run.hours(10, 30)
    answer = draft(run, row)
    yield run.hours(5, 20)
    run.act(
        chargeback_evidence.submit, one_of(run, Role.COMPLIANCE), evidence_id=answer.id, typed=f"CB-{row.id}"
    )
    yield timedelta(days=6)
    bank_says(run, row, ChargebackStatus.WON)
    yield run.hours(5, 20)
    accept(run, milestone_id)


def lost_after_release(run: ProjectRun, milestone_id: int) -> Wait:
    """Lost after the payee was paid: the next milestone's release pays a part of the debt."""
    good_bank(run)
    yield from smooth(run, milestone_id)
    yield from until_over(run, milestone_id)
    yield timedelta(days=4)
    row = charged_back(run, milestone_id, reason="fraudulent")
    yield timedelta(days=7)
    bank_says(run, row, ChargebackStatus.LOST)
    yield run.hours(5, 20)
    run.act(
        chargeback_remarks.add,
        one_of(run, Role.FINANCE),
        chargeback_id=row.id,
        body="Nothing showed that the card's holder had ordered the work: the payer's sign-in was not on record.",
    )


def lost_while_held(run: ProjectRun, milestone_id: int) -> Wait:
    yield from submit(run, milestone_id)
    row = charged_back(run, milestone_id, reason="unrecognized")
    proposal = run.act(
        chargeback_acceptance.propose,
        one_of(run, Role.FINANCE),
        chargeback_id=row.id,
        reason="The customer's card was used by somebody else; the police report names our order.",
    )
    yield run.hours(5, 20)
    run.act(
        chargeback_acceptance.accept,
        one_of(run, Role.COMPLIANCE),
        acceptance_id=proposal.id,
        typed=f"CB-{row.id}",
    )


def inquiry_closed(run: ProjectRun, milestone_id: int) -> Wait:
    yield from submit(run, milestone_id)
    row = charged_back(run, milestone_id, reason="product_not_received", inquiry=True)
    yield timedelta(days=3)
    bank_says(run, row, ChargebackStatus.WARNING_CLOSED)
    accept(run, milestone_id)


def left_open(days: int, *, inquiry: bool = False, acceptance: bool = False) -> Any:
    """Opened so many days before the last one, on which the bank still waits: with a draft for the second person, a
    proposal to accept it, or nothing yet. Stripe asks for a response within nine days."""

    def story(run: ProjectRun, milestone_id: int) -> Wait:
        yield from submit(run, milestone_id)
        yield max(timedelta(0), run.world.ends - run.world.now - timedelta(days=days))
        row = charged_back(run, milestone_id, reason="product_not_received", inquiry=inquiry)
        yield max(timedelta(0), run.world.ends - run.world.now - run.hours(3, 20))
        if acceptance:
            run.act(
                chargeback_acceptance.propose,
                one_of(run, Role.FINANCE),
                chargeback_id=row.id,
                reason="The work was not begun, and the customer is right.",
            )
        elif not inquiry:
            draft(run, row)
        yield timedelta(days=60)

    return story
