"""How a project goes: each scenario is a generator that acts, and yields how long it waits until it acts again.

People act through the same actions as in life; what the timers and the worker do happens behind (`world`). They stand
by kind: `standard_flow`, `dispute_scenarios`, `payment_scenarios`, `chargeback_scenarios`; here is which of them a plan
names.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from core.actions.risk import holds, reports
from core.demo import (
    chargeback_scenarios,
    debt_scenarios,
    dispute_scenarios,
    payment_scenarios,
    standard_flow,
    texts,
)
from core.demo.project_run import ProjectRun, Wait
from core.demo.scenarios import Scenario
from core.rules.grounds import DecisionOutcome
from core.rules.permissions import SYSTEM, Role
from core.rules.reports import ReportKind, Source


def live(run: ProjectRun) -> Wait:
    """A project from the accepted bid to its end, or to wherever it has come."""
    yield from standard_flow.begin(run)
    branches = list(run.plan.branches)
    while (milestone := run.milestone()) is not None:
        branch = branches.pop(0) if branches else Scenario.SMOOTH
        if branch not in PAYS_BY_ITSELF:
            yield from standard_flow.pay(run, milestone.id, declined=branch is Scenario.DECLINED)
        yield from BRANCHES.get(branch, standard_flow.smooth)(run, milestone.id)
        yield from standard_flow.until_over(run, milestone.id)
    yield from standard_flow.rate(run)


def held(run: ProjectRun, milestone_id: int) -> Wait:
    """Staff stop a release after a report; the payer approves, and the money waits for the hold."""
    officer = run.world.staff(run.world.staff_with(Role.COMPLIANCE)[0])
    yield from standard_flow.submit(run, milestone_id)
    reason = "Report of an off-platform payment request; waiting for the parties' statements."
    filed = [
        run.act(
            reports.file,
            SYSTEM,
            project_id=run.project_id,
            milestone_id=milestone_id,
            kind=ReportKind.OFF_PLATFORM_CONTACT,
            source=Source.CONTENT_RULE,
            details=words,
            external_id=f"content-{run.plan.number}-{place}",
        )
        for place, words in enumerate(texts.OFF_PLATFORM, start=1)
    ]
    run.act(holds.place, officer, milestone_id=milestone_id, reason=reason, report_id=filed[-1].id)
    yield run.hours(5, 20)
    standard_flow.accept(run, milestone_id)
    yield timedelta(days=60)


PAYS_BY_ITSELF = frozenset(
    {
        Scenario.CARD_RECOVERED,
        Scenario.CARD_GIVEN_UP,
        Scenario.RISK_OPEN,
        Scenario.CONVERTED,
        Scenario.CARD_ASKS,
        Scenario.DEBIT_OPEN,
    }
)
BRANCHES: dict[Scenario, Any] = {
    Scenario.SILENT: standard_flow.silent,
    Scenario.REWORK: dispute_scenarios.rework,
    Scenario.WITHDRAWN: dispute_scenarios.withdrawn,
    Scenario.FULL_RELEASE: dispute_scenarios.mediated(DecisionOutcome.FULL_RELEASE),
    Scenario.PARTIAL_RELEASE: dispute_scenarios.mediated(DecisionOutcome.PARTIAL_RELEASE),
    Scenario.FULL_REFUND: dispute_scenarios.mediated(DecisionOutcome.FULL_REFUND),
    Scenario.PAYOUT_FAILS: payment_scenarios.payout_fails,
    Scenario.HELD: held,
    Scenario.JUST_DISPUTED: dispute_scenarios.just_disputed,
    Scenario.IN_MEDIATION: dispute_scenarios.in_mediation,
    Scenario.WAITING_PARTY: dispute_scenarios.waiting_party,
    Scenario.NEEDS_APPROVAL: dispute_scenarios.left_open(DecisionOutcome.PARTIAL_RELEASE),
    Scenario.COOLING_OFF: dispute_scenarios.left_open(DecisionOutcome.PARTIAL_RELEASE),
    Scenario.DEADLOCKED: dispute_scenarios.in_mediation,
    Scenario.CARD_RECOVERED: payment_scenarios.recovered,
    Scenario.CARD_GIVEN_UP: payment_scenarios.given_up,
    Scenario.OFFER_ACCEPTED: dispute_scenarios.offer_accepted,
    Scenario.OFFER_DECLINED: dispute_scenarios.offer_declined,
    Scenario.OFFER_OPEN: dispute_scenarios.offer_open,
    Scenario.PAID_TWICE: payment_scenarios.paid_twice,
    Scenario.PAYOUT_RETURNED: payment_scenarios.payout_returned,
    Scenario.REFUND_BACK: payment_scenarios.refund_back,
    Scenario.REFUND_RETURNED: payment_scenarios.refund_returned,
    Scenario.CHARGEBACK_WON: chargeback_scenarios.won,
    Scenario.CHARGEBACK_LOST: chargeback_scenarios.lost_after_release,
    Scenario.CHARGEBACK_LOST_HELD: chargeback_scenarios.lost_while_held,
    Scenario.DEBT_OPEN: debt_scenarios.left_open,
    Scenario.DEBT_BY_INSTALMENTS: debt_scenarios.by_instalments,
    Scenario.DEBT_WRITTEN_OFF: debt_scenarios.written_off,
    Scenario.CHARGEBACK_OPEN: chargeback_scenarios.left_open(8),
    Scenario.CHARGEBACK_ACCEPTANCE: chargeback_scenarios.left_open(3, acceptance=True),
    Scenario.INQUIRY_CLOSED: chargeback_scenarios.inquiry_closed,
    Scenario.INQUIRY_OPEN: chargeback_scenarios.left_open(5, inquiry=True),
    Scenario.RISK_OPEN: standard_flow.risk_open,
    Scenario.CONVERTED: payment_scenarios.converted,
    Scenario.CARD_ASKS: payment_scenarios.asked,
    Scenario.DEBIT_OPEN: payment_scenarios.debited,
    Scenario.BANK_CHANGED: payment_scenarios.bank_changed,
}
