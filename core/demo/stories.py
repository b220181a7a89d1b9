"""How a project goes: each story is a generator that acts, and yields how long it waits until it acts again.

People act through the same actions as in life; what the timers and the worker do happens behind (`world`). The stories
stand by kind: `ordinary`, `quarrels`, `money_roads`, `bank_roads`; here is which branch of a plot tells which.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from core.actions import hold, reports
from core.demo import bank_roads, money_roads, ordinary, quarrels, texts
from core.demo.plots import Branch
from core.demo.tale import Tale, Wait
from core.rules.grounds import DecisionOutcome
from core.rules.permissions import SYSTEM, Role
from core.rules.reports import ReportKind, Source


def live(tale: Tale) -> Wait:
    """A project from the accepted bid to its end, or to wherever it has come."""
    yield from ordinary.begin(tale)
    branches = list(tale.plot.branches)
    while (milestone := tale.milestone()) is not None:
        branch = branches.pop(0) if branches else Branch.SMOOTH
        if branch not in PAYS_BY_ITSELF:
            yield from ordinary.pay(tale, milestone.id, declined=branch is Branch.DECLINED)
        yield from BRANCHES.get(branch, ordinary.smooth)(tale, milestone.id)
        yield from ordinary.until_over(tale, milestone.id)
    yield from ordinary.rate(tale)


def held(tale: Tale, milestone_id: int) -> Wait:
    """Staff stop a release after a report; the payer approves, and the money waits for the hold."""
    officer = tale.world.staff(tale.world.staff_with(Role.COMPLIANCE)[0])
    yield from ordinary.submit(tale, milestone_id)
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
    ordinary.accept(tale, milestone_id)
    yield timedelta(days=60)


PAYS_BY_ITSELF = frozenset({Branch.CARD_RECOVERED, Branch.CARD_GIVEN_UP, Branch.RISK_OPEN, Branch.CONVERTED})
BRANCHES: dict[Branch, Any] = {
    Branch.SILENT: ordinary.silent,
    Branch.REWORK: quarrels.rework,
    Branch.WITHDRAWN: quarrels.withdrawn,
    Branch.FULL_RELEASE: quarrels.mediated(DecisionOutcome.FULL_RELEASE),
    Branch.PARTIAL_RELEASE: quarrels.mediated(DecisionOutcome.PARTIAL_RELEASE),
    Branch.FULL_REFUND: quarrels.mediated(DecisionOutcome.FULL_REFUND),
    Branch.PAYOUT_FAILS: money_roads.payout_fails,
    Branch.HELD: held,
    Branch.JUST_DISPUTED: quarrels.just_disputed,
    Branch.IN_MEDIATION: quarrels.in_mediation,
    Branch.WAITING_PARTY: quarrels.waiting_party,
    Branch.NEEDS_APPROVAL: quarrels.left_open(DecisionOutcome.PARTIAL_RELEASE),
    Branch.COOLING_OFF: quarrels.left_open(DecisionOutcome.PARTIAL_RELEASE),
    Branch.DEADLOCKED: quarrels.in_mediation,
    Branch.CARD_RECOVERED: money_roads.recovered,
    Branch.CARD_GIVEN_UP: money_roads.given_up,
    Branch.OFFER_ACCEPTED: quarrels.offer_accepted,
    Branch.OFFER_DECLINED: quarrels.offer_declined,
    Branch.OFFER_OPEN: quarrels.offer_open,
    Branch.PAID_TWICE: money_roads.paid_twice,
    Branch.PAYOUT_RETURNED: money_roads.payout_returned,
    Branch.REFUND_BACK: money_roads.refund_back,
    Branch.REFUND_RETURNED: money_roads.refund_returned,
    Branch.CHARGEBACK_WON: bank_roads.won,
    Branch.CHARGEBACK_LOST: bank_roads.lost_after_release,
    Branch.CHARGEBACK_LOST_HELD: bank_roads.lost_while_held,
    Branch.CHARGEBACK_OPEN: bank_roads.left_open(8),
    Branch.CHARGEBACK_GIVING_IN: bank_roads.left_open(3, giving_in=True),
    Branch.INQUIRY_CLOSED: bank_roads.inquiry_closed,
    Branch.INQUIRY_OPEN: bank_roads.left_open(5, inquiry=True),
    Branch.RISK_OPEN: ordinary.risk_open,
    Branch.CONVERTED: money_roads.converted,
}
