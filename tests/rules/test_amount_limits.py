"""What can be agreed can be charged with its fees, and paid out again: to the step, in every currency."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.gateways.stripe_sandbox import payment_intents, payouts
from core.money import CURRENCIES, Money, stripe_step
from core.policy import HOME_SERVICES, LEGAL_SERVICES, PROFILES, Platform, WithdrawalMethod
from core.policy.amounts import LARGEST_CHARGE, SMALLEST_CHARGE, SMALLEST_MILESTONE, SMALLEST_PAYOUT
from core.rules import amount_limits, fees, schedule
from core.rules.amount_limits import AmountOutsideLimits, PayoutTooSmall
from core.rules.templates import ProjectType


@pytest.mark.parametrize("currency", sorted(CURRENCIES))
@pytest.mark.parametrize("platform", Platform)
def test_the_limits_of_a_milestone_are_where_stripe_stops_to_the_step(
    platform: Platform, currency: str
) -> None:
    profile, step = PROFILES[platform], Money(stripe_step(currency), currency)
    limits = smallest, largest = amount_limits.milestone_limits(currency, profile)
    for each in limits:
        amount_limits.require_between(each, limits, field="total")
        charged = fees.quote(each, profile).total
        assert SMALLEST_CHARGE.of(currency) <= charged <= LARGEST_CHARGE.of(currency)
    assert fees.quote(largest + step, profile).total > LARGEST_CHARGE.of(currency)
    below = smallest - step
    assert below < SMALLEST_MILESTONE.of(currency) or fees.quote(below, profile).total < SMALLEST_CHARGE.of(
        currency
    )
    for outside in (below, largest + step):
        with pytest.raises(AmountOutsideLimits) as refused:
            amount_limits.require_between(outside, limits, field="total")
        assert refused.value.facts == {
            "field": "total", "amount": outside, "minimum": smallest, "maximum": largest,
        }  # fmt: skip


def test_the_largest_milestone_in_dollars_is_below_a_million_by_its_fees() -> None:
    assert amount_limits.milestone_limits("USD", HOME_SERVICES) == (
        Money(50, "USD"),
        Money(94_731_677, "USD"),
    )
    assert amount_limits.milestone_limits("USD", LEGAL_SERVICES)[1] == Money(97_099_969, "USD")


@pytest.mark.parametrize("currency", sorted(CURRENCIES))
def test_the_smallest_milestone_can_be_paid_out_whole(currency: str) -> None:
    smallest = SMALLEST_MILESTONE.of(currency)
    for profile in PROFILES.values():
        fee = fees.withdrawal_fee(smallest, WithdrawalMethod.STANDARD, profile)
        assert smallest - fee >= SMALLEST_PAYOUT.of(currency)


@given(st.sampled_from(ProjectType), st.sampled_from(sorted(CURRENCIES)), st.data())
def test_a_total_within_its_limits_is_divided_into_what_can_be_charged(
    kind: ProjectType, currency: str, data: st.DataObject
) -> None:
    profile, step = PROFILES[kind.platform], stripe_step(currency)
    limits = amount_limits.total_limits(currency, profile, kind)
    first, last = (each.minor // step for each in limits)
    total = Money(data.draw(st.integers(first, last) | st.sampled_from((first, last))) * step, currency)
    for each in schedule.defaults(kind.platform, kind, total, least=limits[0]):
        amount_limits.require_between(
            each.amount, amount_limits.milestone_limits(currency, profile), field="total"
        )


@pytest.mark.parametrize("kind", ProjectType)
@pytest.mark.parametrize("currency", sorted(CURRENCIES))
def test_the_largest_total_is_the_last_whose_every_milestone_can_be_charged(
    kind: ProjectType, currency: str
) -> None:
    profile, step = PROFILES[kind.platform], Money(stripe_step(currency), currency)
    smallest, largest = amount_limits.total_limits(currency, profile, kind)
    most = amount_limits.milestone_limits(currency, profile)[1]

    def dearest(total: Money) -> Money:
        return max(each.amount for each in schedule.defaults(kind.platform, kind, total, least=smallest))

    assert dearest(largest) <= most
    assert any(dearest(Money(largest.minor + more * step.minor, currency)) > most for more in range(1, 5))


@pytest.mark.parametrize("currency", sorted(CURRENCIES))
def test_what_is_released_is_nothing_or_enough_for_a_bank(currency: str) -> None:
    least, step = SMALLEST_PAYOUT.of(currency), Money(stripe_step(currency), currency)
    for fine in (Money.zero(currency), least, least + step):
        amount_limits.require_payable(fine)
    if (short := least - step).is_positive:
        with pytest.raises(PayoutTooSmall) as refused:
            amount_limits.require_payable(short)
        assert refused.value.facts == {"amount": short, "minimum": least}


def test_the_sandbox_refuses_what_the_desk_knows_that_stripe_refuses() -> None:
    assert {code.upper(): least for code, least in payment_intents.SMALLEST.items()} == SMALLEST_CHARGE.minor
    assert {code.upper(): least for code, least in payouts.SMALLEST.items()} == SMALLEST_PAYOUT.minor
    assert LARGEST_CHARGE.of("USD").minor == payment_intents.LARGEST
