"""Which scenarios the demo lives through: how many of each, in which currency, and when they begin. Drawn by seed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from core.demo.texts import WORK
from core.money import Money, stripe_step
from core.policy import Platform
from core.rules.templates import ProjectType

LENGTH = timedelta(days=92)


class Scenario(StrEnum):
    """How one milestone goes. The last group is about how far it has come on the last day."""

    SMOOTH = "smooth"
    SILENT = "silent"
    DECLINED = "declined"
    REWORK = "rework"
    WITHDRAWN = "withdrawn"
    FULL_RELEASE = "full release"
    PARTIAL_RELEASE = "partial release"
    FULL_REFUND = "full refund"
    PAYOUT_FAILS = "payout fails"
    HELD = "held"

    CARD_RECOVERED = "card recovered by itself"
    CARD_GIVEN_UP = "card given up"
    OFFER_ACCEPTED = "offer accepted"
    OFFER_DECLINED = "offer declined"
    PAID_TWICE = "paid twice"
    PAYOUT_RETURNED = "payout returned days later"
    REFUND_RETURNED = "refund came back, sent another way"
    CHARGEBACK_WON = "chargeback won"
    CHARGEBACK_LOST = "chargeback lost after release"
    CHARGEBACK_LOST_HELD = "chargeback lost while held"
    DEBT_BY_INSTALMENTS = "debt repaid by instalments"
    DEBT_WRITTEN_OFF = "debt written off"
    INQUIRY_CLOSED = "inquiry closed"

    DEBT_OPEN = "debt of a payee, with money that waits"
    OFFER_OPEN = "offer open"
    CHARGEBACK_OPEN = "chargeback to be answered"
    CHARGEBACK_ACCEPTANCE = "accepting a chargeback"
    INQUIRY_OPEN = "inquiry to be answered"
    REFUND_BACK = "refund came back"
    RISK_OPEN = "risk review open"
    CONSULTED = "consultation"
    CONVERTED = "converted by Stripe"
    CARD_ASKS = "card whose bank asks the payer"
    DEBIT_OPEN = "debit whose bank has not answered"
    BANK_CHANGED = "payout to a new bank account waits"

    JUST_DISPUTED = "just disputed"
    IN_MEDIATION = "in mediation"
    WAITING_PARTY = "waiting for a party"
    NEEDS_APPROVAL = "needs approval"
    COOLING_OFF = "cooling off"
    DEADLOCKED = "deadlocked"


@dataclass(frozen=True)
class ProjectPlan:
    """One project. `branches`: how its milestones go, in turn; those without one are smooth. `ends_today`: the first
    branch comes to its open end around the last day."""

    number: int
    platform: Platform
    type: ProjectType
    total: Money
    start: timedelta
    branches: tuple[Scenario, ...]


# (branch, how many projects begin with it). Open ends are placed so that they are open on the last day.
FINISHED = {
    Scenario.SMOOTH: 46,
    Scenario.SILENT: 12,
    Scenario.DECLINED: 6,
    Scenario.REWORK: 6,
    Scenario.WITHDRAWN: 3,
    Scenario.FULL_RELEASE: 7,
    Scenario.PARTIAL_RELEASE: 11,
    Scenario.FULL_REFUND: 8,
    Scenario.PAYOUT_FAILS: 3,
}
OPEN = {
    Scenario.JUST_DISPUTED: 5,
    Scenario.IN_MEDIATION: 9,
    Scenario.WAITING_PARTY: 3,
    Scenario.NEEDS_APPROVAL: 3,
    Scenario.COOLING_OFF: 2,
    Scenario.DEADLOCKED: 2,
    Scenario.HELD: 2,
}
# Money's other roads, and what else a desk sees now and then: each once or twice, after all the others.
NOW_AND_THEN = {
    Scenario.CONSULTED: 2,
    Scenario.CARD_RECOVERED: 1,
    Scenario.CARD_GIVEN_UP: 1,
    Scenario.OFFER_ACCEPTED: 1,
    Scenario.OFFER_DECLINED: 1,
    Scenario.PAID_TWICE: 1,
    Scenario.PAYOUT_RETURNED: 1,
    Scenario.REFUND_RETURNED: 1,
    Scenario.CHARGEBACK_WON: 1,
    Scenario.CHARGEBACK_LOST: 2,
    Scenario.CHARGEBACK_LOST_HELD: 1,
    Scenario.INQUIRY_CLOSED: 1,
    Scenario.OFFER_OPEN: 1,
    Scenario.CHARGEBACK_OPEN: 1,
    Scenario.CHARGEBACK_ACCEPTANCE: 1,
    Scenario.INQUIRY_OPEN: 1,
    Scenario.REFUND_BACK: 1,
    Scenario.RISK_OPEN: 1,
    Scenario.CONVERTED: 1,
    Scenario.CARD_ASKS: 1,
    Scenario.DEBIT_OPEN: 1,
    Scenario.DEBT_OPEN: 1,
    Scenario.DEBT_BY_INSTALMENTS: 1,
    Scenario.DEBT_WRITTEN_OFF: 1,
    Scenario.BANK_CHANGED: 1,
}
# How long before the last day such a story must begin, to be where it should be on that day.
LEAD = {
    Scenario.JUST_DISPUTED: timedelta(days=11),
    Scenario.IN_MEDIATION: timedelta(days=14),
    Scenario.WAITING_PARTY: timedelta(days=14),
    Scenario.NEEDS_APPROVAL: timedelta(days=14),
    Scenario.COOLING_OFF: timedelta(days=14),
    Scenario.DEADLOCKED: timedelta(days=24),
    Scenario.HELD: timedelta(days=12),
    Scenario.OFFER_OPEN: timedelta(days=13),
    Scenario.CHARGEBACK_OPEN: timedelta(days=16),
    Scenario.CHARGEBACK_ACCEPTANCE: timedelta(days=14),
    Scenario.INQUIRY_OPEN: timedelta(days=12),
    Scenario.REFUND_BACK: timedelta(days=22),
    Scenario.RISK_OPEN: timedelta(days=4),
    Scenario.DEBIT_OPEN: timedelta(days=4),
    Scenario.BANK_CHANGED: timedelta(days=9),
    Scenario.DEBT_OPEN: timedelta(days=26),
    Scenario.DEBT_BY_INSTALMENTS: timedelta(days=45),
}
# Most of these are small jobs of one milestone, as most jobs are.
SHORT = (Scenario.SMOOTH, Scenario.SILENT, Scenario.DECLINED, Scenario.PAYOUT_FAILS)
TYPES = tuple(ProjectType)


def plans(seed: int, scale: float = 1.0) -> Iterator[ProjectPlan]:
    """Every project of the demo, the same for the same seed; `scale` 0.1 tells a tenth, but each kind at least once."""
    draw = random.Random(f"plots/{seed}")
    number = 0
    for branch, count in {**FINISHED, **OPEN, **NOW_AND_THEN}.items():
        for turn in range(max(1, round(count * scale))):
            number += 1
            yield _plan(draw, number, branch, turn)


def _plan(draw: random.Random, number: int, branch: Scenario, turn: int) -> ProjectPlan:
    legal = branch is Scenario.COOLING_OFF or (number % 4 == 0 and branch is not Scenario.NEEDS_APPROVAL)
    if branch in NOW_AND_THEN:
        return _now_and_then(draw, number, branch, turn)
    offered = [each for each in TYPES if (each.platform is Platform.LEGAL_SERVICES) == legal]
    kind = draw.choice(offered)
    if branch in LEAD and kind is ProjectType.CONSULTATION:
        kind = ProjectType.DOCUMENT_REVIEW
    if branch in LEAD or branch is Scenario.SMOOTH or kind is ProjectType.CONSULTATION:
        branches: tuple[Scenario, ...] = (branch,)
    else:
        branches = tuple(draw.sample((branch, Scenario.SMOOTH), k=2)) if turn % 3 == 0 else (branch,)
    return ProjectPlan(
        number=number,
        platform=kind.platform,
        type=kind,
        total=_total(draw, kind, number, branch),
        start=_start(draw, branch, turn),
        branches=branches,
    )


def _now_and_then(draw: random.Random, number: int, branch: Scenario, turn: int) -> ProjectPlan:
    """Small jobs in dollars, most of one milestone; those that may be set off later have more. The second lost
    chargeback comes late: its debt is still open."""
    kind = ProjectType.CONSULTATION if branch is Scenario.CONSULTED else ProjectType.BATHROOM
    of_stages = dict.fromkeys((Scenario.CHARGEBACK_LOST, Scenario.DEBT_OPEN), WORK[kind].dollars)
    low, most = {Scenario.RISK_OPEN: (21_000, 30_000), **of_stages}.get(branch, (900, 2_400))
    if branch is Scenario.CONSULTED:
        low, most = WORK[kind].dollars
    # Pounds, which nothing else here is paid in: from then on the desk accepts none.
    total = Money(draw.randrange(low, most, 5) * 100, "GBP" if branch is Scenario.CONVERTED else "USD")
    start = timedelta(days=draw.randrange(12, 40), hours=draw.randrange(8, 18))
    if branch in LEAD or turn:
        start = LENGTH - LEAD.get(branch, timedelta(days=25))
    return ProjectPlan(number, kind.platform, kind, total, start, (branch,))


def _start(draw: random.Random, branch: Scenario, turn: int) -> timedelta:
    if branch in LEAD:
        jitter = timedelta(hours=draw.randrange(-30, 30), minutes=draw.randrange(60))
        return LENGTH - LEAD[branch] + jitter
    return timedelta(days=draw.randrange(0, 80), hours=draw.randrange(8, 18), minutes=draw.randrange(60))


def _total(draw: random.Random, kind: ProjectType, number: int, branch: Scenario) -> Money:
    currency = ("USD", "USD", "EUR", "USD", "JPY", "USD", "EUR", "USD", "KWD")[number % 9]
    low, most = WORK[kind].dollars
    if branch is Scenario.NEEDS_APPROVAL:
        low, most = 21_000, 36_000
    elif branch in SHORT and number % 3:
        low, most = min(low, 900), min(most, 2_400)
    dollars = draw.randrange(low, most, 5)
    if kind is ProjectType.CONSULTATION and currency in ("JPY", "KWD"):
        currency = "USD"
    factor = {"USD": 100, "EUR": 92, "JPY": 150, "KWD": 310}[currency]
    step = stripe_step(currency)
    return Money(dollars * factor // step * step, currency)
