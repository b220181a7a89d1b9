"""What the words of a search can mean: each number that the desk prints, an amount in either notation, and no guess."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.money import CURRENCIES, MAX_MINOR, Money
from core.rules.documents import OLD_SERIES, SERIES
from core.rules.references import PREFIXES, reference
from core.rules.search import OF_REFERENCE, amounts, meaning


@pytest.mark.parametrize("kind", PREFIXES)
def test_what_the_desk_prints_is_read_again(kind: str) -> None:
    printed = reference(kind, 42)  # type: ignore[arg-type]
    assert meaning(printed).numbers == ((OF_REFERENCE[kind], 42),)  # type: ignore[index]
    assert meaning(printed.lower()).numbers == meaning(f" {printed.replace('-', ' ')} ").numbers


def test_the_number_of_a_receipt_is_no_reference_of_another_kind() -> None:
    for series in (*SERIES.values(), *OLD_SERIES.values()):
        read = meaning(f" {series.lower()}-2026-000017 ")
        assert (read.document, read.numbers, read.names_one) == (f"{series}-2026-000017", (), True)
    assert meaning("HX-2026-000017").document is None


WRITTEN = {
    "1,234.56": ("USD", 123_456),
    "1.234,56": ("EUR", 123_456),
    "1 234,56": ("EUR", 123_456),
    "1'234.50": ("CHF", 123_450),
    "$1,234.56": ("USD", 123_456),
    "1.234,56 €": ("EUR", 123_456),
    "JPY 1,234": ("JPY", 1_234),
    "KWD 1.234": ("KWD", 1_234),
    "-12.5": ("USD", 1_250),
    "12": ("USD", 1_200),
    "1.234.567": ("USD", 123_456_700),
}


@pytest.mark.parametrize(("written", "amount"), WRITTEN.items())
def test_an_amount_is_read_in_either_notation(written: str, amount: tuple[str, int]) -> None:
    currency, minor = amount
    assert Money(minor, currency) in amounts(written)


def test_one_word_can_be_an_amount_of_each_currency_with_its_own_digits() -> None:
    found = set(amounts("1.234"))
    assert {Money(123_400, "USD"), Money(1_234, "JPY"), Money(1_234, "KWD")} <= found
    assert Money(1_234_000, "KWD") in found  # in the other notation
    assert len(found) == len(CURRENCIES) + 1


def test_a_currency_that_is_named_is_the_only_one() -> None:
    assert {each.currency for each in amounts("EUR 3")} == {"EUR"}
    assert {each.currency for each in amounts("$3")} == {"USD", "CAD", "AUD"}


@pytest.mark.parametrize(
    "odd", ["1,23,4", "12,34.5.6", "1.2.3", "1,234,56", "..", "0", "9" * 30, "1e5", "१२"]
)
def test_what_is_no_amount_is_none(odd: str) -> None:
    assert amounts(odd) == ()


@given(st.sampled_from(sorted(CURRENCIES)), st.integers(1, MAX_MINOR))
def test_every_amount_is_found_as_the_desk_shows_it_and_as_others_do(currency: str, minor: int) -> None:
    money = Money(minor, currency)
    shown = money.text()
    other = str.maketrans({",": ".", ".": ","})
    for written in (shown, money.major(), f"{money.major()} {currency}", money.major().translate(other)):
        assert money in amounts(written), written


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", False),
        ("  ", False),
        ("ab", False),
        ("\0", False),
        ("Ö", True),
        ("abc", True),
        ("x" * 10_000, True),
    ],
)
def test_what_is_too_short_means_nothing(typed: str, said: bool) -> None:
    assert bool(meaning(typed).words) is said


@given(st.text(max_size=300))
def test_whatever_is_typed_has_a_meaning_or_none(typed: str) -> None:
    meaning(typed)
