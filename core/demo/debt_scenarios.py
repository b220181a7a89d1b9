"""Payees of the demo who owe money after a lost chargeback: one has money waiting that it can be set off against, one
repays by instalments, one is written off."""

from __future__ import annotations

from collections.abc import Generator
from datetime import timedelta

from sqlalchemy import select

from core.actions.debts import receivables, repayment_plans, write_offs
from core.demo.chargeback_scenarios import bank_says, charged_back
from core.demo.payment_scenarios import another_bank, good_bank, one_of
from core.demo.project_run import ProjectRun, Wait
from core.demo.standard_flow import accept, pay, smooth, submit, until_over
from core.money import Money
from core.records import Milestone
from core.rules import repayment_plans as rules
from core.rules.chargebacks import ChargebackStatus
from core.rules.permissions import Role
from core.rules.repayment_plans import Every

INSTALMENTS = 3


def left_open(run: ProjectRun, milestone_id: int) -> Wait:
    """Lost on the last day, while the payout of the next milestone waits for a new bank account: nothing has settled
    the debt yet, and finance can set it off against what waits."""
    yield from _paid(run, milestone_id)
    following = run.milestone()
    if following is not None:
        yield from pay(run, following.id)
    yield max(timedelta(0), run.world.ends - run.world.now - timedelta(days=4))
    row = charged_back(run, milestone_id, reason="fraudulent")
    if following is not None:
        yield from submit(run, following.id)
    yield max(timedelta(0), run.world.ends - run.world.now - timedelta(hours=20))
    if following is not None:
        another_bank(run)
        accept(run, following.id)
    yield timedelta(hours=2)
    bank_says(run, row, ChargebackStatus.LOST)
    yield timedelta(days=60)


def by_instalments(run: ProjectRun, milestone_id: int) -> Wait:
    """The payee asks for time, and finance agrees."""
    owed = yield from _lost(run, milestone_id)
    if not owed.is_positive:
        return
    first = (run.world.now + timedelta(days=10)).date()
    run.act(
        repayment_plans.agree,
        one_of(run, Role.FINANCE),
        party_id=run.payee_id,
        instalments=rules.equal(owed, count=INSTALMENTS, first=first, every=Every.TWO_WEEKS),
        reason="The contractor called: three payments, two weeks apart.",
    )


def written_off(run: ProjectRun, milestone_id: int) -> Wait:
    """The payee has closed the business: two people give the debt up."""
    owed = yield from _lost(run, milestone_id)
    if not owed.is_positive:
        return
    row = run.act(
        write_offs.propose,
        one_of(run, Role.FINANCE),
        party_id=run.payee_id,
        amount=owed,
        reason="The business is closed, and the court has refused to open insolvency proceedings.",
    )
    run.act(write_offs.approve, one_of(run, Role.COMPLIANCE), write_off_id=row.id)


def _paid(run: ProjectRun, milestone_id: int) -> Wait:
    good_bank(run)
    yield from smooth(run, milestone_id)
    yield from until_over(run, milestone_id)
    yield timedelta(days=4)


def _lost(run: ProjectRun, milestone_id: int) -> Generator[timedelta, None, Money]:
    """Paid out, charged back and lost; returns what the payee owes then."""
    yield from _paid(run, milestone_id)
    row = charged_back(run, milestone_id, reason="fraudulent")
    yield timedelta(days=2)
    bank_says(run, row, ChargebackStatus.LOST)
    currency = run.read(select(Milestone.currency).where(Milestone.id == milestone_id))
    with run.world.desk.database.reading() as session:
        return receivables.free(session, run.payee_id, currency)
