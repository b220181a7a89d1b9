"""Which amounts can be agreed: what Stripe can charge with the fees on top, and pay out again.

Looked at when a milestone is agreed, because nobody can fund or be paid what Stripe refuses.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from core.errors import DeskError
from core.money import Money, stripe_step
from core.policy import Profile
from core.policy.amounts import LARGEST_CHARGE, SMALLEST_CHARGE, SMALLEST_MILESTONE, SMALLEST_PAYOUT
from core.rules import fees


class AmountOutsideLimits(DeskError):
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


def total_limits(currency: str, profile: Profile, weights: Sequence[int]) -> tuple[Money, Money]:
    """The smallest and the largest total that can be divided by these weights, so that each part can be charged.

    What is too small to be divided is one milestone (`schedule.defaults`).
    """
    smallest, largest = milestone_limits(currency, profile)
    step = stripe_step(currency)
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
