"""One chart of accounts, in the code and in the database."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from core.db import Database
from core.ledger import accounts
from core.money import CURRENCIES

codes = st.one_of(
    st.sampled_from([line.name for line in accounts.CHART.values() if line.per is None]),
    st.builds(
        lambda name, object_id: f"{name}:{object_id}",
        st.sampled_from([line.name for line in accounts.CHART.values() if line.per]),
        st.integers(1, 10**13 - 1),
    ),
)


@given(code=codes, currency=st.sampled_from(sorted(accounts.ISO_NUMBERS)))
def test_a_number_says_code_and_currency(code: str, currency: str) -> None:
    number = accounts.number(code, currency)
    assert 0 < number < 2**63
    assert (accounts.code_of(number), accounts.currency_of(number)) == (code, currency)


@pytest.mark.parametrize(
    "code", ["held", "held:", "held:0", "held:01", "held:x", "held:1:2", "bank:1", "", "nothing"]
)
def test_a_code_outside_the_chart_is_refused(code: str) -> None:
    with pytest.raises(accounts.AccountUnknown):
        accounts.number(code, "USD")


def test_every_currency_of_the_desk_has_a_number() -> None:
    assert set(accounts.ISO_NUMBERS) == set(CURRENCIES)


def test_code_and_database_have_the_same_chart(database: Database) -> None:
    with database.reading() as session:
        rows = session.execute(
            text(
                "select line, gl_number, subtotal, title, name, kind, book, per, hot, non_negative, side from chart"
            )
        )
        stored = {tuple(row) for row in rows}
        rows = session.execute(text("select code, number from currencies"))
        currencies = {row.code: row.number for row in rows}
    written = {
        (
            *(
                line.number,
                line.gl_number,
                line.group.value,
                line.title,
                line.name,
                line.kind.value,
                line.book.value,
                line.per,
                line.hot,
                not line.hot,
            ),
            1 if line.side is accounts.Side.DEBIT else -1,
        )
        for line in accounts.CHART.values()
    }
    assert stored == written
    assert currencies == accounts.ISO_NUMBERS


def test_every_number_of_the_hot_accounts_without_an_object_is_an_account() -> None:
    """Posting takes what lies between 131072 and 143359 for such an account without looking it up."""
    alone = {
        line.number for line in accounts.CHART.values() if line.hot and not line.per and line.number & 64 == 0
    }
    unlooked = set(range(131072 // 1024 + 1, 143359 // 1024 + 1))
    assert alone == unlooked | set(range(140, 149))
    assert {line.number & 64 for line in accounts.CHART.values() if line.book is accounts.Book.PAYEE} == {64}


@pytest.mark.parametrize("code", ["held:17", "bank", "connected_balance:9999999999999"])
def test_the_database_numbers_accounts_as_the_code_does(database: Database, code: str) -> None:
    with database.reading() as session:
        found = session.execute(text("select account_number(:code, 'KWD')"), {"code": code}).scalar_one()
    assert found == accounts.number(code, "KWD")


@pytest.mark.parametrize("code", ["held", "held:0", "bank:1", "nothing", "held:1;"])
def test_the_database_knows_no_account_outside_the_chart(database: Database, code: str) -> None:
    with database.reading() as session:
        assert (
            session.execute(text("select account_number(:code, 'USD')"), {"code": code}).scalar_one() is None
        )
