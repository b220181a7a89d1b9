"""The milestones of a new project: made by marketplace, type and size, adjusted by the payer, then paid in turn.

(milestone-payment-flow, Project Setup Phase; payment-escrow-rules, Escrow Scope and Milestone Rules.) Amounts always
sum to the project's total.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from core.errors import DeskError, Wording
from core.money import Money, stripe_exact, stripe_step
from core.policy import LARGE_FROM, MEDIUM_FROM, Platform
from core.rules import acceptance
from core.rules.acceptance import AcceptanceRule
from core.rules.milestones import Status
from core.rules.refusal_reasons import Block, Blocked
from core.rules.templates import TEMPLATES, ProjectType, Size
from core.rules.transitions import label
from core.rules.visible_text import says_something


class FeeMode(StrEnum):
    CONSULTATION_FIXED = "CONSULTATION_FIXED"
    STAGED = "STAGED"
    HOURLY_OPEN_ENDED = "HOURLY_OPEN_ENDED"
    TRUST_ACCOUNT = "TRUST_ACCOUNT"

    @property
    def label(self) -> str:
        return label(self)


NOT_SUPPORTED: Mapping[FeeMode, str] = {
    FeeMode.HOURLY_OPEN_ENDED: "an open-ended hourly bill has no amount that could be held or released",
    FeeMode.TRUST_ACCOUNT: "keeping client money as in a trust account needs a legal review in each jurisdiction",
}

_UNPAID = frozenset({Status.PLANNED, Status.AWAITING_FUNDING})


class FeeModeNotSupported(DeskError):
    """{mode} is not supported: {why}."""


class TypeNotOffered(DeskError):
    """{type} is not offered on this marketplace."""


class TotalNotPositive(DeskError):
    """A project of {total} cannot be divided into milestones."""


class ScheduleRefused(Blocked):
    """These milestones cannot be used. {reasons}"""


@dataclass(frozen=True, kw_only=True)
class PlannedMilestone:
    title: str
    deliverable: str
    amount: Money
    acceptance_rule: str = AcceptanceRule.AUTO_RELEASE
    target_date: date | None = None


def accept_fee_mode(mode: FeeMode | str) -> FeeMode:
    """Consultation fixed fees and staged fees only (payment-escrow-rules, Escrow Scope)."""
    if mode not in FeeMode.__members__:
        raise FeeModeNotSupported(
            mode=Wording(f"“{mode}”", mode), why="fees are for a consultation or in stages"
        )
    mode = FeeMode(mode)
    if mode in NOT_SUPPORTED:
        raise FeeModeNotSupported(mode=Wording(mode.label, mode), why=NOT_SUPPORTED[mode])
    return mode


def size_of(total: Money) -> Size:
    if total < MEDIUM_FROM.of(total.currency):
        return Size.SMALL
    return Size.MEDIUM if total < LARGE_FROM.of(total.currency) else Size.LARGE


def weights_when_large(platform: Platform | str, project_type: ProjectType | str) -> tuple[int, ...]:
    """How a large total is divided, in proportion: into the most milestones that this type has."""
    stages = TEMPLATES[_offered(Platform(platform), project_type)][Size.LARGE]
    return tuple(stage.weight for stage in stages)


def defaults(
    platform: Platform | str, project_type: ProjectType | str, total: Money, *, least: Money | None = None
) -> tuple[PlannedMilestone, ...]:
    """The milestones proposed for this type and size; a total too small to divide becomes one milestone.

    `least`: the smallest amount that a milestone may have.
    """
    type = _offered(Platform(platform), project_type)
    if not total.is_positive:
        raise TotalNotPositive(total=total)
    stages = TEMPLATES[type][size_of(total)]
    amounts = stripe_exact(total).spread([stage.weight for stage in stages], step=stripe_step(total.currency))
    if not all(amount.is_positive and (least is None or amount >= least) for amount in amounts):
        stages, amounts = stages[-1:], (total,)
    return tuple(
        PlannedMilestone(
            title=stage.title,
            deliverable=stage.deliverable,
            amount=amount,
            acceptance_rule=type.acceptance_rule,
        )
        for stage, amount in zip(stages, amounts, strict=True)
    )


def check_adjustment(
    planned: Sequence[PlannedMilestone],
    *,
    total: Money,
    platform: Platform | str,
    statuses: Iterable[str] = (),
) -> None:
    """Can the payer's own division be used? `ScheduleRefused` names everything that is wrong with it.

    `statuses`: those of the milestones that it replaces, of which none may have been paid for.
    """
    paid = (Block("paid", "A milestone is already paid for.") for status in statuses if status not in _UNPAID)
    if blocks := (*paid, *_faults(Platform(platform), total, planned)):
        raise ScheduleRefused(blocks)


def _offered(platform: Platform, name: ProjectType | str) -> ProjectType:
    if name not in ProjectType.__members__ or ProjectType(name).platform is not platform:
        raise TypeNotOffered(type=Wording(f"“{name}”", name))
    return ProjectType(name)


def _faults(platform: Platform, total: Money, milestones: Sequence[PlannedMilestone]) -> Iterator[Block]:
    if not milestones:
        yield Block("none", "There must be at least one milestone.")
        return
    for number, milestone in enumerate(milestones, start=1):
        yield from _faults_of_one(platform, total.currency, number, milestone)
    if all(milestone.amount.currency == total.currency for milestone in milestones):
        amounts = Money.total((milestone.amount for milestone in milestones), total.currency)
        if amounts != total:
            yield Block("sum", f"The amounts sum to {amounts}, not to {total}.")


def _faults_of_one(
    platform: Platform, currency: str, number: int, milestone: PlannedMilestone
) -> Iterator[Block]:
    amount, of = milestone.amount, f"milestones[{number - 1}]"
    if not says_something(milestone.title):
        yield Block("title", f"Milestone {number} has no title.", f"{of}.title")
    if amount.currency != currency:
        words = f"Milestone {number} is in {amount.currency}, the project in {currency}."
        yield Block("currency", words, f"{of}.amount")
    elif not amount.is_positive:
        yield Block("amount", f"The amount of milestone {number} must be more than zero.", f"{of}.amount")
    elif amount.minor % stripe_step(currency):
        words = f"The amount of milestone {number} must end in 0 to be payable in {currency}."
        yield Block("step", words, f"{of}.amount")
    # Staged legal fees name what is delivered (payment-escrow-rules, Milestone Rules).
    if platform is Platform.LEGAL_SERVICES and not says_something(milestone.deliverable):
        words = f"Milestone {number} does not say what is delivered."
        yield Block("deliverable", words, f"{of}.deliverable")
    try:
        acceptance.check(milestone.acceptance_rule)
    except acceptance.AcceptanceUnknown:
        words = f"Milestone {number} does not say how it is accepted."
        yield Block("acceptance_rule", words, f"{of}.acceptance_rule")
