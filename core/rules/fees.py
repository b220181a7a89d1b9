"""What it costs: the platform fee and the processor's fee for the payer, the withdrawal fee for the payee.

(milestone-payment-flow, Key Business Rules 4.) Every fee is rounded half-up once, to a step the processor can move.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.errors import DeskError
from core.money import WHOLE_BPS, Money, half_up, stripe_step
from core.policy import Profile, WithdrawalMethod

__all__ = [
    "Quote",
    "WithdrawalMethod",
    "explained",
    "gross_up",
    "percent",
    "platform_fee",
    "portion",
    "quote",
    "withdrawal_fee",
]


class FeeNotPayable(DeskError):
    """A processing fee of {bps} hundredths of a percent cannot be charged on top."""


class WithdrawalTooSmall(DeskError):
    """Withdrawing {amount} by {method} would cost {fee}. Choose another method or withdraw more."""


@dataclass(frozen=True)
class Quote:
    """total = milestone + platform_fee + processing_fee: what the payer's card is charged."""

    milestone: Money
    platform_fee: Money
    processing_fee: Money
    total: Money


def portion(amount: Money, bps: int) -> Money:
    """A percentage that can be moved: half-up to the step of the currency (KWD amounts end in 0)."""
    return amount.portion(bps, step=stripe_step(amount.currency))


def platform_fee(milestone: Money, profile: Profile) -> Money:
    """2.5 % of the milestone amount for home services, paid by the payer on top (Key Business Rules 4)."""
    return portion(milestone, profile.platform_fee_bps)


def gross_up(net: Money, bps: int, fixed: Money) -> Money:
    """The smallest charge A that leaves `net` after the processor took half_up(A × bps / 10000) + fixed.

    What is left grows by 0 or 1 minor unit as A grows by 1, so it is met exactly; only where amounts must end in 0
    (KWD) may up to 9 units more be left.
    """
    if not 0 <= bps < WHOLE_BPS:
        raise FeeNotPayable(bps=bps)
    target, step = (net + fixed).minor, stripe_step(net.currency)
    charge = max(0, target * WHOLE_BPS // (WHOLE_BPS - bps) - 2 * WHOLE_BPS // (WHOLE_BPS - bps) - 1)
    while charge - half_up(charge * bps, WHOLE_BPS) < target:
        charge += 1
    return Money(-(-charge // step) * step, net.currency)


def quote(milestone: Money, profile: Profile) -> Quote:
    fee = platform_fee(milestone, profile)
    net = milestone + fee
    total = gross_up(net, profile.processor_bps, profile.processor_fixed.of(milestone.currency))
    return Quote(milestone=milestone, platform_fee=fee, processing_fee=total - net, total=total)


def percent(bps: int) -> str:
    """Hundredths of a percent in words: 290 as 2.9 %."""
    whole, hundredths = divmod(abs(bps), 100)
    digits = f"{whole}.{hundredths:02}".rstrip("0").rstrip(".")
    return f"{'-' if bps < 0 else ''}{digits} %"


def explained(quoted: Quote, profile: Profile) -> tuple[str, str]:
    """How the platform fee and the processing fee of one payment come about, with their numbers.

    The processing fee is computed on the whole charge, because the processor takes it from that. Where a currency
    cannot move its last digit the charge is rounded up, and the sentence says by how much.
    """
    named = f"policy {profile.version}"
    platform = (
        f"Platform fee: {percent(profile.platform_fee_bps)} × {quoted.milestone.text()} = "
        f"{quoted.platform_fee.text()}, rounded half up, {named}."
    )
    fixed = profile.processor_fixed.of(quoted.total.currency)
    taken = quoted.total.portion(profile.processor_bps) + fixed
    more = quoted.processing_fee - taken
    beyond = "" if more.is_zero else f", plus {more.text()} so that the charge can be moved"
    processing = (
        f"Processing fee: {percent(profile.processor_bps)} × {quoted.total.text()} + {fixed.text()} = "
        f"{taken.text()}, rounded half up, {named}{beyond}."
    )
    return platform, processing


def withdrawal_fee(amount: Money, method: WithdrawalMethod, profile: Profile) -> Money:
    """By method: bps of the amount, at least the minimum, plus the fixed part; it must leave something to pay out."""
    tariff = profile.tariff(method)
    rate = max(portion(amount, tariff.bps), tariff.minimum.of(amount.currency))
    fee = rate + tariff.fixed.of(amount.currency)
    if fee >= amount:
        raise WithdrawalTooSmall(amount=amount, method=method.value, fee=fee)
    return fee
