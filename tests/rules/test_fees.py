"""Fees: exact, the smallest that suffices, and payable to the last digit in every currency."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.money import CURRENCIES, CurrencyMismatch, Money, half_up, stripe_step
from core.policy import HOME_SERVICES, LEGAL_SERVICES, Profile, WithdrawalMethod
from core.rules import fees

currencies = st.sampled_from(sorted(CURRENCIES))
STEP = {code: stripe_step(code) for code in CURRENCIES}


@st.composite
def payable(draw: st.DrawFn, most: int = 10**10) -> Money:
    currency = draw(currencies)
    return Money(draw(st.integers(1, most)) * STEP[currency], currency)


def left_over(charge: int, bps: int, fixed: int) -> int:
    return charge - half_up(charge * bps, 10_000) - fixed


@given(payable(), st.integers(0, 9_999), st.integers(0, 5_000))
def test_the_charge_is_the_smallest_that_leaves_the_net(net: Money, bps: int, fixed: int) -> None:
    if bps > 9_000:
        net = Money(net.minor % 10**6 // STEP[net.currency] * STEP[net.currency], net.currency)
    charge, step = fees.gross_up(net, bps, Money(fixed, net.currency)).minor, STEP[net.currency]
    assert charge % step == 0
    assert left_over(charge, bps, fixed) >= net.minor
    assert charge < step or left_over(charge - step, bps, fixed) < net.minor


@given(st.integers(1, 10**10), st.integers(0, 9_000), st.integers(0, 5_000), st.sampled_from(["USD", "JPY"]))
def test_where_every_minor_unit_can_be_charged_the_net_is_met_exactly(
    net: int, bps: int, fixed: int, currency: str
) -> None:
    charge = fees.gross_up(Money(net, currency), bps, Money(fixed, currency))
    assert left_over(charge.minor, bps, fixed) == net


def test_small_charges_are_the_smallest_by_trying_them_all() -> None:
    for bps, fixed in ((290, 30), (0, 0), (1, 0), (5_000, 7), (9_999, 0)):
        for net in range(60):
            tried = next(charge for charge in range(10**7) if left_over(charge, bps, fixed) >= net)
            assert fees.gross_up(Money(net, "USD"), bps, Money(fixed, "USD")) == Money(tried, "USD")
            if net > 5 and bps > 9_000:
                break


@pytest.mark.parametrize(
    ("milestone", "fee"),
    [
        (Money(20, "USD"), 1),  # 2.5 % of 20 is a half
        (Money(60, "USD"), 2),
        (Money(100, "USD"), 3),
        (Money(19, "USD"), 0),
        (Money(20, "JPY"), 1),
        (Money(100, "JPY"), 3),
        (Money(200, "KWD"), 10),  # five fils, and amounts end in 0
        (Money(600, "KWD"), 20),
        (Money(1_000, "KWD"), 30),
        (Money(190, "KWD"), 0),
    ],
)
def test_a_platform_fee_that_ends_in_a_half_is_rounded_up(milestone: Money, fee: int) -> None:
    assert fees.platform_fee(milestone, HOME_SERVICES).minor == fee
    assert fees.portion(milestone, 250).minor == fee
    assert fees.portion(-milestone, 250).minor == -fee


@pytest.mark.parametrize(
    ("net", "charge"),
    # 2.9 % of 500, 1,500 and 2,500 are 14.5, 43.5 and 72.5: the processor takes 15, 44 and 73, so one more is needed.
    [(456, 501), (1_427, 1_501), (2_398, 2_501)],
)
@pytest.mark.parametrize("currency", ["USD", "JPY"])
def test_a_processor_fee_that_ends_in_a_half_is_rounded_up(net: int, charge: int, currency: str) -> None:
    assert fees.gross_up(Money(net, currency), 290, Money(30, currency)).minor == charge


def test_a_processor_fee_that_ends_in_half_a_fils_is_rounded_up() -> None:
    """2.5 % of 300 is 7.5 fils, so 292 are left of 300; the processor's fee itself may end in any digit."""
    assert fees.gross_up(Money(292, "KWD"), 250, Money(0, "KWD")).minor == 300
    assert fees.gross_up(Money(293, "KWD"), 250, Money(0, "KWD")).minor == 310


@pytest.mark.parametrize(("amount", "fee"), [(3_500, 53), (3_700, 56), (3_900, 59), (3_499, 52)])
def test_a_withdrawal_fee_that_ends_in_a_half_is_rounded_up(amount: int, fee: int) -> None:
    """1.5 % of $35.00 is 52.5 ¢."""
    assert fees.withdrawal_fee(Money(amount, "USD"), WithdrawalMethod.INSTANT, HOME_SERVICES).minor == fee
    in_fils = fees.withdrawal_fee(Money(amount * 10, "KWD"), WithdrawalMethod.INSTANT, HOME_SERVICES)
    assert in_fils.minor == max(
        fee * 10, HOME_SERVICES.tariff(WithdrawalMethod.INSTANT).minimum.of("KWD").minor
    )


def test_a_thousand_dollars_costs_the_payer_the_fee_and_what_the_processor_takes() -> None:
    quote = fees.quote(Money(100_000, "USD"), HOME_SERVICES)
    assert [str(part) for part in (quote.platform_fee, quote.processing_fee, quote.total)] == [
        "$25.00",
        "$30.92",
        "$1,055.92",
    ]


def test_legal_services_take_no_platform_fee() -> None:
    assert fees.quote(Money(100_000, "USD"), LEGAL_SERVICES).platform_fee == Money(0, "USD")


@given(payable(), st.sampled_from([HOME_SERVICES, LEGAL_SERVICES]))
def test_the_parts_of_a_quote_sum_to_its_total_and_each_can_be_moved(
    milestone: Money, profile: Profile
) -> None:
    quote = fees.quote(milestone, profile)
    assert quote.milestone + quote.platform_fee + quote.processing_fee == quote.total
    parts = (quote.milestone, quote.platform_fee, quote.processing_fee, quote.total)
    assert not any(part.minor % STEP[milestone.currency] or part.is_negative for part in parts)
    taken = quote.total.portion(profile.processor_bps) + profile.processor_fixed.of(milestone.currency)
    assert Money(0, milestone.currency) <= quote.processing_fee - taken < Money(10, milestone.currency)


@pytest.mark.parametrize("bps", [-1, 10_000, 10_001])
def test_a_processor_that_takes_everything_cannot_be_passed_on(bps: int) -> None:
    with pytest.raises(fees.FeeNotPayable):
        fees.gross_up(Money(1, "USD"), bps, Money(0, "USD"))


def test_a_fixed_part_in_another_currency_is_refused() -> None:
    with pytest.raises(CurrencyMismatch):
        fees.gross_up(Money(1, "USD"), 290, Money(30, "EUR"))


@pytest.mark.parametrize(
    ("amount", "method", "fee"),
    [
        (100_000, WithdrawalMethod.STANDARD, 0),
        (100_000, WithdrawalMethod.INSTANT, 1_500),
        (3_333, WithdrawalMethod.INSTANT, 50),
        (3_334, WithdrawalMethod.INSTANT, 50),
        (3_367, WithdrawalMethod.INSTANT, 51),
        (51, WithdrawalMethod.INSTANT, 50),
        (100_000, WithdrawalMethod.CHECK, 200),
        (100_000, WithdrawalMethod.WIRE, 1_500),
    ],
)
def test_a_withdrawal_costs_by_its_method(amount: int, method: WithdrawalMethod, fee: int) -> None:
    assert fees.withdrawal_fee(Money(amount, "USD"), method, HOME_SERVICES) == Money(fee, "USD")


@pytest.mark.parametrize(
    ("amount", "method"),
    [
        (50, WithdrawalMethod.INSTANT),
        (200, WithdrawalMethod.CHECK),
        (1_500, WithdrawalMethod.WIRE),
        (0, WithdrawalMethod.STANDARD),
    ],
)
def test_a_withdrawal_that_its_fee_would_eat_is_refused(amount: int, method: WithdrawalMethod) -> None:
    with pytest.raises(fees.WithdrawalTooSmall):
        fees.withdrawal_fee(Money(amount, "USD"), method, HOME_SERVICES)


@given(payable(), st.sampled_from(WithdrawalMethod))
def test_what_is_left_of_a_withdrawal_can_be_paid_out(amount: Money, method: WithdrawalMethod) -> None:
    try:
        fee = fees.withdrawal_fee(amount, method, HOME_SERVICES)
    except fees.WithdrawalTooSmall:
        return
    assert (amount - fee).is_positive
    assert (amount - fee).minor % STEP[amount.currency] == 0


@given(payable(), st.sampled_from([HOME_SERVICES, LEGAL_SERVICES]))
def test_the_sentence_about_a_fee_adds_up_in_every_currency(milestone: Money, profile: Profile) -> None:
    """What the sentence computes, with what it adds, is the fee that is charged."""
    quoted = fees.quote(milestone, profile)
    platform, processing = fees.explained(quoted, profile)
    assert f"= {quoted.platform_fee.text()}, rounded half up, policy {profile.version}." in platform
    taken = quoted.total.portion(profile.processor_bps) + profile.processor_fixed.of(milestone.currency)
    more = quoted.processing_fee - taken
    assert f"× {quoted.total.text()} +" in processing
    assert f"= {taken.text()}, rounded half up" in processing
    assert not more.is_negative
    assert (f"plus {more.text()}" in processing) == (not more.is_zero)


def test_the_sentence_reads_as_a_person_would_say_it() -> None:
    quoted = fees.quote(Money(200_000, "USD"), HOME_SERVICES)
    assert fees.explained(quoted, HOME_SERVICES) == (
        "Platform fee: 2.5 % × $2,000.00 = $50.00, rounded half up, policy 1.",
        "Processing fee: 2.9 % × $2,111.53 + $0.30 = $61.53, rounded half up, policy 1.",
    )
