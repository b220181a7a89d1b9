"""Which stories the demo tells: how many of each, in which currency, and when they begin. Drawn by seed."""

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


class Branch(StrEnum):
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
    INQUIRY_CLOSED = "inquiry closed"

    OFFER_OPEN = "offer open"
    CHARGEBACK_OPEN = "chargeback to be answered"
    CHARGEBACK_GIVING_IN = "giving in to a chargeback"
    INQUIRY_OPEN = "inquiry to be answered"
    REFUND_BACK = "refund came back"
    RISK_OPEN = "risk review open"
    CONSULTED = "consultation"
    CONVERTED = "converted by Stripe"

    JUST_DISPUTED = "just disputed"
    IN_MEDIATION = "in mediation"
    WAITING_PARTY = "waiting for a party"
    NEEDS_APPROVAL = "needs approval"
    COOLING_OFF = "cooling off"
    DEADLOCKED = "deadlocked"


@dataclass(frozen=True)
class Plot:
    """One project. `branches`: how its milestones go, in turn; those without one are smooth. `ends_today`: the first
    branch comes to its open end around the last day."""

    number: int
    platform: Platform
    type: ProjectType
    total: Money
    start: timedelta
    branches: tuple[Branch, ...]


# (branch, how many projects begin with it). Open ends are placed so that they are open on the last day.
FINISHED = {
    Branch.SMOOTH: 46,
    Branch.SILENT: 12,
    Branch.DECLINED: 6,
    Branch.REWORK: 6,
    Branch.WITHDRAWN: 3,
    Branch.FULL_RELEASE: 7,
    Branch.PARTIAL_RELEASE: 11,
    Branch.FULL_REFUND: 8,
    Branch.PAYOUT_FAILS: 3,
}
OPEN = {
    Branch.JUST_DISPUTED: 5,
    Branch.IN_MEDIATION: 9,
    Branch.WAITING_PARTY: 3,
    Branch.NEEDS_APPROVAL: 3,
    Branch.COOLING_OFF: 2,
    Branch.DEADLOCKED: 2,
    Branch.HELD: 2,
}
# Money's other roads, and what else a desk sees now and then: each once or twice, after all the others.
NOW_AND_THEN = {
    Branch.CONSULTED: 2,
    Branch.CARD_RECOVERED: 1,
    Branch.CARD_GIVEN_UP: 1,
    Branch.OFFER_ACCEPTED: 1,
    Branch.OFFER_DECLINED: 1,
    Branch.PAID_TWICE: 1,
    Branch.PAYOUT_RETURNED: 1,
    Branch.REFUND_RETURNED: 1,
    Branch.CHARGEBACK_WON: 1,
    Branch.CHARGEBACK_LOST: 2,
    Branch.CHARGEBACK_LOST_HELD: 1,
    Branch.INQUIRY_CLOSED: 1,
    Branch.OFFER_OPEN: 1,
    Branch.CHARGEBACK_OPEN: 1,
    Branch.CHARGEBACK_GIVING_IN: 1,
    Branch.INQUIRY_OPEN: 1,
    Branch.REFUND_BACK: 1,
    Branch.RISK_OPEN: 1,
    Branch.CONVERTED: 1,
}
# How long before the last day such a story must begin, to be where it should be on that day.
LEAD = {
    Branch.JUST_DISPUTED: timedelta(days=11),
    Branch.IN_MEDIATION: timedelta(days=14),
    Branch.WAITING_PARTY: timedelta(days=14),
    Branch.NEEDS_APPROVAL: timedelta(days=14),
    Branch.COOLING_OFF: timedelta(days=14),
    Branch.DEADLOCKED: timedelta(days=24),
    Branch.HELD: timedelta(days=12),
    Branch.OFFER_OPEN: timedelta(days=13),
    Branch.CHARGEBACK_OPEN: timedelta(days=16),
    Branch.CHARGEBACK_GIVING_IN: timedelta(days=14),
    Branch.INQUIRY_OPEN: timedelta(days=12),
    Branch.REFUND_BACK: timedelta(days=22),
    Branch.RISK_OPEN: timedelta(days=4),
}
# Most of these are small jobs of one milestone, as most jobs are.
SHORT = (Branch.SMOOTH, Branch.SILENT, Branch.DECLINED, Branch.PAYOUT_FAILS)
TYPES = tuple(ProjectType)


def plots(seed: int, scale: float = 1.0) -> Iterator[Plot]:
    """Every project of the demo, the same for the same seed; `scale` 0.1 tells a tenth, but each kind at least once."""
    draw = random.Random(f"plots/{seed}")
    number = 0
    for branch, count in {**FINISHED, **OPEN, **NOW_AND_THEN}.items():
        for turn in range(max(1, round(count * scale))):
            number += 1
            yield _plot(draw, number, branch, turn)


def _plot(draw: random.Random, number: int, branch: Branch, turn: int) -> Plot:
    legal = branch is Branch.COOLING_OFF or (number % 4 == 0 and branch is not Branch.NEEDS_APPROVAL)
    if branch in NOW_AND_THEN:
        return _now_and_then(draw, number, branch, turn)
    offered = [each for each in TYPES if (each.platform is Platform.LEGAL_SERVICES) == legal]
    kind = draw.choice(offered)
    if branch in LEAD and kind is ProjectType.CONSULTATION:
        kind = ProjectType.DOCUMENT_REVIEW
    if branch in LEAD or branch is Branch.SMOOTH or kind is ProjectType.CONSULTATION:
        branches: tuple[Branch, ...] = (branch,)
    else:
        branches = tuple(draw.sample((branch, Branch.SMOOTH), k=2)) if turn % 3 == 0 else (branch,)
    return Plot(
        number=number,
        platform=kind.platform,
        type=kind,
        total=_total(draw, kind, number, branch),
        start=_start(draw, branch, turn),
        branches=branches,
    )


def _now_and_then(draw: random.Random, number: int, branch: Branch, turn: int) -> Plot:
    """Small jobs in dollars, most of one milestone. The second lost chargeback comes late: its debt is still open."""
    kind = ProjectType.CONSULTATION if branch is Branch.CONSULTED else ProjectType.BATHROOM
    low, most = {Branch.RISK_OPEN: (21_000, 30_000), Branch.CHARGEBACK_LOST: WORK[kind].dollars}.get(
        branch, (900, 2_400)
    )
    if branch is Branch.CONSULTED:
        low, most = WORK[kind].dollars
    # Pounds, which nothing else here is paid in: from then on the desk accepts none.
    total = Money(draw.randrange(low, most, 5) * 100, "GBP" if branch is Branch.CONVERTED else "USD")
    start = timedelta(days=draw.randrange(12, 40), hours=draw.randrange(8, 18))
    if branch in LEAD or turn:
        start = LENGTH - LEAD.get(branch, timedelta(days=25))
    return Plot(number, kind.platform, kind, total, start, (branch,))


def _start(draw: random.Random, branch: Branch, turn: int) -> timedelta:
    if branch in LEAD:
        jitter = timedelta(hours=draw.randrange(-30, 30), minutes=draw.randrange(60))
        return LENGTH - LEAD[branch] + jitter
    return timedelta(days=draw.randrange(0, 80), hours=draw.randrange(8, 18), minutes=draw.randrange(60))


def _total(draw: random.Random, kind: ProjectType, number: int, branch: Branch) -> Money:
    currency = ("USD", "USD", "EUR", "USD", "JPY", "USD", "EUR", "USD", "KWD")[number % 9]
    low, most = WORK[kind].dollars
    if branch is Branch.NEEDS_APPROVAL:
        low, most = 21_000, 36_000
    elif branch in SHORT and number % 3:
        low, most = min(low, 900), min(most, 2_400)
    dollars = draw.randrange(low, most, 5)
    if kind is ProjectType.CONSULTATION and currency in ("JPY", "KWD"):
        currency = "USD"
    factor = {"USD": 100, "EUR": 92, "JPY": 150, "KWD": 310}[currency]
    step = stripe_step(currency)
    return Money(dollars * factor // step * step, currency)
