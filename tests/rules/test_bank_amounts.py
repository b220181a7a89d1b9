"""An amount of a bank's file is read as it is written, to the minor unit, or refused with a reason."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.money import CURRENCIES, MAX_MINOR, Money
from core.rules.bank_amounts import NoAmount, minor_units
from core.rules.bank_statements import same_account

AMOUNTS = st.builds(Money, st.integers(-MAX_MINOR, MAX_MINOR), st.sampled_from(sorted(CURRENCIES)))


@given(AMOUNTS, st.sampled_from([".", ","]), st.integers(0, 3))
def test_what_is_written_is_read(amount: Money, mark: str, zeros: int) -> None:
    text = amount.major().replace(".", mark)
    text += "0" * zeros if mark in text else ""
    assert minor_units(text, amount.currency, decimal=mark, signed=True) == amount.minor


@given(AMOUNTS)
def test_thousands_are_read_where_they_are_expected_and_refused_where_not(amount: Money) -> None:
    text = f"{abs(amount.minor) // 1000 + 1000:,}"
    assert minor_units(text, "JPY", decimal=".", grouping=",") == abs(amount.minor) // 1000 + 1000
    with pytest.raises(NoAmount, match="thousands separators or another"):
        minor_units(text.replace(",", "."), "EUR", decimal=",")


@given(st.text(max_size=30), st.sampled_from(sorted(CURRENCIES)))
def test_no_text_is_guessed_at(text: str, currency: str) -> None:
    found, said = None, ""
    try:
        found = minor_units(text, currency, signed=True)
    except NoAmount as problem:
        said = str(problem)
    if found is None:
        assert said.startswith("“")
        assert "\0" not in said
    else:
        assert abs(found) <= MAX_MINOR
        assert set(text.strip(" ")) <= set("0123456789.+-\u2212")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("1.234,56", "thousands separators"),
        ("(12.00)", "brackets"),
        ("$120", "currency sign"),
        ("EUR 12", "currency sign"),
        ("12\x00", "NUL"),
        ("", "is empty"),
        ("-", "not written as a number"),
        ("1e3", "not written as a number"),
        ("١٢", "not written as a number"),
        ("12.005", "more digits after the decimal mark than EUR has (2)"),
        ("9" * 40, "beyond the amounts"),
        (str(MAX_MINOR), "beyond the amounts"),
        ("-1", "has a sign"),
    ],
)
def test_what_is_no_amount_says_why(text: str, why: str) -> None:
    with pytest.raises(NoAmount) as refused:
        minor_units(text, "EUR")
    assert why in str(refused.value)


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [("18.150", "EUR", 1815), ("4820", "JPY", 4820), ("1.5", "KWD", 1500), (".5", "USD", 50)],
)
def test_zeros_after_the_last_digit_are_no_fraction(text: str, currency: str, minor: int) -> None:
    assert minor_units(text, currency) == minor
    with pytest.raises(NoAmount):
        minor_units("5000.1", "JPY")


@pytest.mark.parametrize(
    ("stated", "identifier", "same"),
    [
        ("NL26 VAYB 8060 4768 90", "NL26VAYB8060476890", True),
        ("12345678/1020304050", "DE00123456781020304050", True),
        ("0001234567", "NL91INGB0001234567", True),
        ("NL26VAYB8060476890EUR", "NL26VAYB8060476890", True),
        ("160000100 12300 000012345678", "12300000012345678", True),
        ("NL26VAYB8060476891", "NL26VAYB8060476890", False),
        ("6890", "NL26VAYB8060476890", False),
        ("", "NL26VAYB8060476890", False),
    ],
)
def test_an_account_is_known_by_its_number_or_by_the_iban_that_ends_in_it(
    stated: str, identifier: str, same: bool
) -> None:
    assert same_account(stated, identifier, "EUR") is same
