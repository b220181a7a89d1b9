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
# How long before the last day such a story must begin, to be where it should be on that day.
LEAD = {
    Branch.JUST_DISPUTED: timedelta(days=11),
    Branch.IN_MEDIATION: timedelta(days=14),
    Branch.WAITING_PARTY: timedelta(days=14),
    Branch.NEEDS_APPROVAL: timedelta(days=14),
    Branch.COOLING_OFF: timedelta(days=14),
    Branch.DEADLOCKED: timedelta(days=24),
    Branch.HELD: timedelta(days=12),
}
# Most of these are small jobs of one milestone, as most jobs are.
SHORT = (Branch.SMOOTH, Branch.SILENT, Branch.DECLINED, Branch.PAYOUT_FAILS)
TYPES = tuple(ProjectType)


def plots(seed: int, scale: float = 1.0) -> Iterator[Plot]:
    """Every project of the demo, the same for the same seed; `scale` 0.1 tells a tenth, but each kind at least once."""
    draw = random.Random(f"plots/{seed}")
    number = 0
    for branch, count in {**FINISHED, **OPEN}.items():
        for turn in range(max(1, round(count * scale))):
            number += 1
            yield _plot(draw, number, branch, turn)


def _plot(draw: random.Random, number: int, branch: Branch, turn: int) -> Plot:
    legal = branch is Branch.COOLING_OFF or (number % 4 == 0 and branch is not Branch.NEEDS_APPROVAL)
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
