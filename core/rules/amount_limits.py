"""Which amounts can be agreed: what Stripe can charge with the fees on top, and pay out again.

Looked at when a milestone is agreed, because nobody can fund or be paid what Stripe refuses.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right

from core.errors import DeskError
from core.money import Money, stripe_step
from core.policy import Profile
from core.policy.amounts import LARGEST_CHARGE, SMALLEST_CHARGE, SMALLEST_MILESTONE, SMALLEST_PAYOUT
from core.rules import fees, schedule
from core.rules.templates import ProjectType


class AmountOutsideLimits(DeskError, tells=("field",)):
    """{amount} cannot be agreed here: it must be between {minimum} and {maximum}, so that each milestone can be
    charged with its fees and paid out."""


class PayoutTooSmall(DeskError):
    """{amount} is too small to be paid out: a bank can be paid {minimum} or more. Release more, or nothing."""


def milestone_limits(currency: str, profile: Profile) -> tuple[Money, Money]:
    """The smallest and the largest amount of one milestone.

    Charged are milestone + platform fee + processor fee, and that has Stripe's limits. What a milestone pays out is
    never less than Stripe's smallest payout.
    """
    step = stripe_step(currency)
    units = range(LARGEST_CHARGE.of(currency).minor // step + 1)

    def charged(unit: int) -> int:
        return fees.quote(Money(unit * step, currency), profile).total.minor

    least = bisect_left(units, SMALLEST_CHARGE.of(currency).minor, key=charged)
    most = bisect_right(units, LARGEST_CHARGE.of(currency).minor, key=charged) - 1
    smallest = max(Money(least * step, currency), SMALLEST_MILESTONE.of(currency))
    return smallest, Money(most * step, currency)


def total_limits(currency: str, profile: Profile, project_type: ProjectType | str) -> tuple[Money, Money]:
    """The smallest and the largest total of a project of this type, so that each of its milestones can be charged.

    They are the same whatever total is asked for: what is near the largest is divided as a large one, and what is too
    small to be divided is one milestone (`schedule.defaults`).
    """
    smallest, largest = milestone_limits(currency, profile)
    step, weights = stripe_step(currency), schedule.weights_when_large(profile.platform, project_type)
    return smallest, Money(largest.minor * sum(weights) // max(weights) // step * step, currency)


def require_between(amount: Money, limits: tuple[Money, Money], *, field: str) -> None:
    """Raises `AmountOutsideLimits`, which names the field."""
    minimum, maximum = limits
    if not minimum <= amount <= maximum:
        raise AmountOutsideLimits(field=field, amount=amount, minimum=minimum, maximum=maximum)


def require_payable(release: Money) -> None:
    """What a decision or an agreement releases reaches the payee's bank. Nothing is released: nothing is paid."""
    minimum = SMALLEST_PAYOUT.of(release.currency)
    if release.is_positive and release < minimum:
        raise PayoutTooSmall(amount=release, minimum=minimum)
