"""The database refuses a bank statement that does not add up, whoever writes it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from core.db import Database

ACCOUNT = """
insert into bank_accounts (code, name, currency, identifier, opened_at)
values (:code, 'Main', :currency, :number, now()) returning id
"""
FILE = """
insert into bank_statement_files (sha256, name, format, size_bytes, imported_at)
values (repeat(:digit, 64), 'a.sta', 'MT940', 1, now()) returning id
"""
LINE = """
insert into bank_statement_lines (statement_id, account_id, currency, number, booked_on, amount_minor, reference,
    counterparty, text, odd, key)
values (:statement, :account, :currency, :number, '2026-11-02', :amount, '', '', '', '[]', :key)
"""
STATEMENT = """
insert into bank_statements (id, file_id, account_id, number, reference, currency, first_on, last_on, opening_minor,
    closing_minor, balances, lines, lines_hash)
values (:statement, :file, :account, 1, '', :currency, '2026-11-02', '2026-11-02', :opening, :closing, 'STATED', :lines,
    bank_lines_hash(:statement))
"""


def account(session: Session, code: str = "main", currency: str = "EUR") -> int:
    values = {"code": code, "currency": currency, "number": "NL26VAYB8060476890"}
    return int(session.execute(text(ACCOUNT), values).scalar_one())


def line(session: Session, statement: int, amount: int, number: int = 1, **other: object) -> None:
    values = {
        "statement": statement,
        "currency": "EUR",
        "number": number,
        "amount": amount,
        "key": f"k{number}",
    }
    session.execute(text(LINE), values | other)


def statement(session: Session, number: int, account: int, digit: str = "a", **other: object) -> None:
    file = session.execute(text(FILE), {"digit": digit}).scalar_one()
    values = {
        "statement": number,
        "file": file,
        "account": account,
        "currency": "EUR",
        "opening": 0,
        "lines": 1,
    }
    session.execute(text(STATEMENT), values | other)


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    with database.reading() as session:  # thrown away in any case
        yield session


def test_opening_and_lines_make_closing(session: Session) -> None:
    mine = account(session)
    line(session, 1, 885, account=mine)
    statement(session, 1, mine, opening=1815, closing=2700)
    session.execute(text("set constraints all immediate"))


@pytest.mark.parametrize(("closing", "lines"), [(2705, 1), (2700, 2), (2700, 0)])
def test_a_statement_that_does_not_add_up_is_refused(session: Session, closing: int, lines: int) -> None:
    mine = account(session)
    line(session, 1, 885, account=mine)
    with pytest.raises(IntegrityError, match="bank statement 1"):
        statement(session, 1, mine, opening=1815, closing=closing, lines=lines)


def test_a_statement_that_is_there_gets_no_line_any_more(session: Session) -> None:
    mine = account(session)
    line(session, 1, 885, account=mine)
    statement(session, 1, mine, closing=885)
    with pytest.raises(IntegrityError, match="gets no other lines"):
        line(session, 1, 5, number=2, account=mine)


def test_a_line_without_its_statement_does_not_stay(database: Database) -> None:
    with pytest.raises(IntegrityError, match="foreign key"), database.transaction() as session:
        line(session, 1, 5, account=account(session))


def test_the_same_line_counts_once_and_a_repeat_names_it(session: Session) -> None:
    mine = account(session)
    line(session, 1, 885, account=mine, key="same")
    statement(session, 1, mine, closing=885)
    with pytest.raises(IntegrityError, match="once"):
        line(session, 2, 885, account=mine, key="same")


def test_a_line_is_in_the_currency_of_its_account(session: Session) -> None:
    mine = account(session)
    line(session, 1, 885, account=mine, currency="USD")
    with pytest.raises(IntegrityError, match="foreign key"):
        statement(session, 1, mine, closing=885, currency="USD")


def test_a_file_is_imported_once(session: Session) -> None:
    session.execute(text(FILE), {"digit": "a"})
    with pytest.raises(IntegrityError, match="sha256"):
        session.execute(text(FILE), {"digit": "a"})


@pytest.mark.parametrize(
    ("code", "currency"), [("other", "EUR"), ("main", "USD"), ("stripe", "USD"), ("A b", "USD")]
)
def test_one_account_a_currency_and_a_code_that_can_be_typed(
    session: Session, code: str, currency: str
) -> None:
    account(session)
    with pytest.raises(IntegrityError):
        account(session, code, currency)


def test_the_currency_of_an_account_stays(database: Database, owner: Database) -> None:
    with database.transaction() as session:
        account(session)
    with database.transaction() as session:
        session.execute(text("update bank_accounts set identifier = 'NL56AGDH9619008421'"))
    for write in ("update bank_accounts set currency = 'USD'", "delete from bank_accounts"):
        with pytest.raises(DBAPIError), owner.transaction() as session:
            session.execute(text(write))
