"""Money: exact, whole, in one currency, and never larger than what a reader can hold."""

from __future__ import annotations

import ast
import pickle
from contextlib import suppress
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import money
from core.money import CURRENCIES, MAX_MINOR, Money

currencies = st.sampled_from(sorted(CURRENCIES))
moneys = st.builds(Money, st.integers(-(10**12), 10**12), currencies)
rates = st.integers(0, 10_000)


@pytest.mark.parametrize(
    ("minor", "currency", "text", "major"),
    [
        (104_356, "USD", "$1,043.56", "1043.56"),
        (-500, "USD", "-$5.00", "-5.00"),
        (-5, "EUR", "-€0.05", "-0.05"),
        (12_000, "JPY", "¥12,000", "12000"),
        (12_345, "KWD", "KWD 12.345", "12.345"),
        (123_456_789, "CHF", "CHF 1,234,567.89", "1234567.89"),
        (0, "GBP", "£0.00", "0.00"),
    ],
)
def test_an_amount_is_shown_as_its_currency_is_written(
    minor: int, currency: str, text: str, major: str
) -> None:
    assert Money(minor, currency).text() == str(Money(minor, currency)) == text
    assert Money(minor, currency).major() == major


@given(moneys)
def test_what_is_written_exactly_is_read_back_exactly(amount: Money) -> None:
    assert Money.parse(amount.major(), amount.currency, negative=True) == amount
    assert Money.from_dict(amount.as_dict()) == amount


@pytest.mark.parametrize(
    ("text", "error"),
    [
        *(
            (text, money.AmountNotANumber)
            for text in ("", " ", ".", ",", "-", "nan", "inf", "1e5", "0x10", "1,00,000", "1  000")
        ),
        *(
            (text, money.AmountNotANumber)
            for text in ("€5", "$", "1.2.3", "--1", "+1", "10,00,0", "١٢", "1_000", "12abc", "(12.00)")
        ),
        ("1.999", money.AmountAmbiguous),
        ("1.500", money.AmountAmbiguous),
        *(
            (text, money.AmountTooPrecise)
            for text in ("1,0000", "0,500", "0.500", "1234.567", "1,234.567", "1.234,567")
        ),
        ("-0.01", money.AmountNegative),
        (str(2**53), money.AmountOutOfRange),
        (str(2**63), money.AmountOutOfRange),
        ("9" * 5000, money.AmountOutOfRange),
    ],
)
def test_what_is_not_an_amount_is_refused_with_its_own_error(text: str, error: type[money.DeskError]) -> None:
    with pytest.raises(error):
        Money.parse(text, "USD")


@pytest.mark.parametrize(
    ("written", "currency", "minor"),
    [
        *(
            (each, "USD", 123_456)
            for each in ("1,234.56", "1.234,56", "1234.56", "1234,56", "1'234.56", "1 234,56")
        ),
        *((each, "USD", 123_400) for each in ("1,234", "1234", "$1,234.00", "1.234,00 USD", "USD 1,234")),
        *((each, "USD", 50) for each in (".5", ",5", "0,50", "0.50")),
        *((each, "USD", 123_456_700) for each in ("1.234.567", "1,234,567")),
        *((each, "JPY", 1_234) for each in ("1,234", "1.234", "¥1,234")),
        *((each, "KWD", 1_234_567) for each in ("1,234.567", "1.234,567", "1234.567", "1234,567")),
        ("12.345", "KWD", 12_345),  # as the desk writes it into its own fields
    ],
)
def test_an_amount_is_typed_in_either_notation(written: str, currency: str, minor: int) -> None:
    assert Money.parse(written, currency) == Money(minor, currency)
    assert Money.parse(f"-{written}", currency, negative=True) == Money(-minor, currency)


def test_what_can_be_read_in_two_ways_is_refused_in_a_sentence_that_says_how_to_write_it() -> None:
    for written, currency in (("1.234", "USD"), ("12.345", "EUR"), ("1,234", "KWD")):
        with pytest.raises(money.AmountAmbiguous, match=r"two ways.*Write all decimals"):
            Money.parse(written, currency)


@given(moneys)
def test_nothing_that_is_accepted_can_be_read_otherwise_but_what_the_desk_writes_itself(
    amount: Money,
) -> None:
    for written in (amount.text(), amount.major(), amount.text().translate(str.maketrans(",.", ".,"))):
        with suppress(money.AmountAmbiguous):
            assert Money.parse(written, amount.currency, negative=True) == amount


def test_neither_a_float_nor_a_truth_value_is_money() -> None:
    for value in (1.0, True, "1", None, Decimal(1)):
        with pytest.raises(money.AmountNotWhole):
            Money(value, "USD")  # type: ignore[arg-type]
    with pytest.raises(money.AmountNotANumber):
        Money.parse(1.5, "USD")  # type: ignore[arg-type]
    with pytest.raises(money.AmountNotWhole):
        Money(1, "USD").portion(2.5)  # type: ignore[arg-type]
    with pytest.raises(money.AmountNotWhole):
        Money(1, "USD") * 1.5  # type: ignore[operator]


def test_an_amount_beyond_two_to_the_fifty_third_is_refused_on_every_way_in() -> None:
    assert Money(MAX_MINOR, "USD").minor == 2**53 - 1
    for attempt in (lambda: Money(2**53, "USD"), lambda: Money(2**63, "USD"), lambda: Money(-(2**53), "USD")):
        with pytest.raises(money.AmountOutOfRange):
            attempt()
    with pytest.raises(money.AmountOutOfRange, match=r"^\$90,071,992,547,409\.92 is beyond"):
        Money(MAX_MINOR, "USD") + Money(1, "USD")
    with pytest.raises(money.AmountOutOfRange, match=r"^-¥9,007,199,254,740,992 is beyond"):
        Money(-(2**53), "JPY")


def test_two_currencies_never_meet() -> None:
    dollars, euros = Money(1, "USD"), Money(1, "EUR")
    for attempt in (
        lambda: dollars + euros,
        lambda: dollars - euros,
        lambda: dollars < euros,
        lambda: dollars >= euros,
        lambda: Money.total([dollars], "EUR"),
    ):
        with pytest.raises(money.CurrencyMismatch, match="are different currencies"):
            attempt()
    assert dollars != euros


@pytest.mark.parametrize("code", ["", "usd", "XXX", None, []])
def test_an_unknown_currency_is_refused(code: str) -> None:
    with pytest.raises(money.UnknownCurrency):
        Money(1, code)


@given(moneys, rates)
def test_a_portion_is_rounded_half_up_as_decimal_arithmetic_rounds_it(amount: Money, bps: int) -> None:
    exact = (Decimal(amount.minor) * bps / 10_000).quantize(Decimal(1), ROUND_HALF_UP)
    assert amount.portion(bps).minor == int(exact)


# (numerator, denominator, nearest): halves on odd and even numbers, and their neighbours, so that half-down, half-even,
# truncation, floor and ceiling each fail here.
HALVES = [
    (1, 2, 1), (3, 2, 2), (5, 2, 3), (7, 2, 4), (49, 100, 0), (50, 100, 1), (51, 100, 1), (149, 100, 1),
    (150, 100, 2), (151, 100, 2), (249, 100, 2), (250, 100, 3), (251, 100, 3), (0, 7, 0), (3, 7, 0), (4, 7, 1),
    (12_345, 10, 1_235), (12_355, 10, 1_236), (4_999, 10_000, 0), (5_000, 10_000, 1), (14_999, 10_000, 1),
    (15_000, 10_000, 2), (2 * 10**15 + 1, 2, 10**15 + 1),
]  # fmt: skip


@pytest.mark.parametrize(("numerator", "denominator", "nearest"), HALVES)
def test_a_half_is_rounded_away_from_zero_on_both_sides(
    numerator: int, denominator: int, nearest: int
) -> None:
    assert money.half_up(numerator, denominator) == nearest
    assert money.half_up(-numerator, denominator) == -nearest


# 2.5 % (the platform fee), 2.9 % (a card), 1.5 % (an instant payout) and 50 %, where the share ends in a half.
PORTIONS = [
    (20, 250, 1), (60, 250, 2), (100, 250, 3), (19, 250, 0), (59, 250, 1), (61, 250, 2),
    (500, 290, 15), (1_500, 290, 44), (2_500, 290, 73), (499, 290, 14), (1_499, 290, 43),
    (100, 150, 2), (300, 150, 5), (500, 150, 8), (99, 150, 1), (299, 150, 4),
    (1, 5_000, 1), (3, 5_000, 2), (5, 5_000, 3), (50_001, 5_000, 25_001), (50_003, 5_000, 25_002),
    (10_001, 5_000, 5_001), (1, 4_999, 0), (3, 4_999, 1), (104_356, 250, 2_609), (104_380, 250, 2_610),
]  # fmt: skip


@pytest.mark.parametrize("currency", ["JPY", "USD", "KWD"])
@pytest.mark.parametrize(("minor", "bps", "nearest"), PORTIONS)
def test_a_share_that_ends_in_a_half_is_rounded_up(minor: int, bps: int, nearest: int, currency: str) -> None:
    """With no, two and three digits, for what comes in and for what goes back; in tens where Stripe wants tens."""
    for sign in (1, -1):
        assert Money(sign * minor, currency).portion(bps).minor == sign * nearest
        assert Money(sign * minor * 10, currency).portion(bps, step=10).minor == sign * nearest * 10
        assert Money(sign * minor, currency).share(bps, 10_000).minor == sign * nearest


@given(st.integers(0, 10**12), st.sampled_from(["JPY", "USD", "KWD"]), st.sampled_from([1, -1]))
def test_every_half_is_rounded_up(whole: int, currency: str, sign: int) -> None:
    """Drawn from the halves alone: any other number says nothing about how they are rounded."""
    assert Money(sign * (2 * whole + 1), currency).portion(5_000).minor == sign * (whole + 1)


@given(moneys, rates)
def test_rounding_is_the_same_on_both_sides_of_zero(amount: Money, bps: int) -> None:
    assert (-amount).portion(bps) == -amount.portion(bps)


@given(
    st.integers(0, 10**12),
    currencies,
    st.lists(st.integers(1, 100), min_size=1, max_size=8),
    st.sampled_from([1, 10]),
)
def test_spread_parts_sum_to_the_whole_and_none_is_negative(
    minor: int, currency: str, weights: list[int], step: int
) -> None:
    whole = Money(minor, currency)
    parts = whole.spread(weights, step=step)
    assert Money.total(parts, currency) == whole
    assert len(parts) == len(weights)
    assert not any(part.is_negative for part in parts)
    assert all(part.minor % step == 0 for part in parts[:-1])
    units = minor // step
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part.minor // step - Fraction(units * weight, sum(weights))) < 1


def test_spread_leans_to_no_part() -> None:
    """$10.19 in twenty parts: none is 19 cents larger than the others."""
    assert [part.minor for part in Money(1_019, "USD").spread([1] * 20)] == [50] + [51] * 19
    assert [part.minor for part in Money(100, "USD").spread([1, 1, 1])] == [33, 33, 34]
    assert [part.minor for part in Money(100, "JPY").spread([2, 1])] == [67, 33]
    assert [part.minor for part in Money(1_005, "KWD").spread([1, 1], step=10)] == [500, 505]


def test_stripe_takes_dinars_only_in_tens_of_fils() -> None:
    assert money.stripe_exact(Money(12_340, "KWD")) == Money(12_340, "KWD")
    assert money.stripe_exact(Money(1, "JPY")) == Money(1, "JPY")
    with pytest.raises(money.AmountNotStripeExact, match=r"KWD 12\.345 cannot be sent"):
        money.stripe_exact(Money(12_345, "KWD"))


def test_money_and_its_errors_survive_pickling() -> None:
    error = money.CurrencyMismatch(left="USD", right="EUR")
    copy = pickle.loads(pickle.dumps(error))
    assert (copy.message, copy.facts, copy.code) == (error.message, error.facts, "currency_mismatch")
    assert pickle.loads(pickle.dumps(Money(5, "USD"))) == Money(5, "USD")


def test_money_is_arithmetic_without_floats() -> None:
    for node in ast.walk(ast.parse(Path(money.__file__).read_text())):
        assert not (isinstance(node, ast.Constant) and isinstance(node.value, float))
        assert not isinstance(node, ast.Div)
