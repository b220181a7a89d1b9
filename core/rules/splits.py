"""How held money is divided. Parts sum to the whole: release + refund = held, fee kept + fee returned = fee.

The platform keeps its fee in proportion to what is released; the rest goes back with the refund. Where the ground
says so, the platform also pays the processor's fee back, as a concession on top.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.errors import DeskError
from core.money import WHOLE_BPS, AmountOutOfRange, CurrencyMismatch, Money, stripe_exact
from core.rules import fees, grounds
from core.rules.grounds import Ground


class NothingHeld(DeskError, tells=("held",)):
    """Nothing is held for this milestone, so there is nothing to decide about."""


class MoreThanHeld(DeskError):
    """{amount} is more than the {held} that is held."""


class PartialIsNothing(DeskError):
    """A partial release must be more than nothing: to release nothing, choose a full refund."""


class PartialIsFull(DeskError):
    """{held} is all that is held: to release all of it, choose a full release."""


@dataclass(frozen=True)
class Split:
    release: Money
    refund: Money
    fee_kept: Money
    fee_returned: Money
    concession: Money

    @property
    def total_refund(self) -> Money:
        """What the payer gets back in all."""
        return self.refund + self.fee_returned + self.concession


def full_release(held: Money, fee: Money) -> Split:
    """All that is held to the payee; the platform has earned its whole fee."""
    _holds(held, fee)
    nothing = Money.zero(held.currency)
    return Split(release=held, refund=nothing, fee_kept=fee, fee_returned=nothing, concession=nothing)


def partial(held: Money, fee: Money, release: Money, rate_bps: int) -> Split:
    """`release` to the payee, the rest back, once and for all. Fee kept = half-up(rate × released)."""
    _holds(held, fee)
    _partial_amount(held, release)
    kept = min(fees.portion(release, rate_bps), fee)
    return Split(
        release=stripe_exact(release),
        refund=stripe_exact(held - release),
        fee_kept=kept,
        fee_returned=fee - kept,
        concession=Money.zero(held.currency),
    )


def full_refund(held: Money, fee: Money, ground: Ground, processing_fee: Money) -> Split:
    """All that is held and the platform fee back to the payer; the processor's too where the platform absorbs it."""
    _holds(held, fee)
    nothing = Money.zero(held.currency)
    concession = nothing + processing_fee if grounds.platform_absorbs(ground) else nothing
    return Split(release=nothing, refund=held, fee_kept=nothing, fee_returned=fee, concession=concession)


def by_percent(held: Money, percent_bps: int) -> Money:
    """This share of what is held, as an amount that can be moved: 40 % is 4000."""
    if not 0 <= percent_bps <= WHOLE_BPS:
        raise AmountOutOfRange(value=f"{percent_bps} hundredths of a percent")
    return fees.portion(held, percent_bps)


def _holds(held: Money, fee: Money) -> None:
    if not held.is_positive or fee.is_negative:
        raise NothingHeld(held=held)
    if held.currency != fee.currency:
        raise CurrencyMismatch(left=held.currency, right=fee.currency)


def _partial_amount(held: Money, release: Money) -> None:
    if release > held:
        raise MoreThanHeld(amount=release, held=held)
    if release == held:
        raise PartialIsFull(held=held)
    if not release.is_positive:
        raise PartialIsNothing()
