"""The books: how trial balance, accounts, registers and journals look in a table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import streamlit as st
from sqlalchemy.orm import Session

from core.queries import ledger
from core.queries.journals import Leg, title
from core.queries.ledger import AccountRow, TrialBalance, TrialBalanceLine
from dashboard import navigation
from dashboard.ui import cards, header, tables
from dashboard.ui.status import Pill

NUMBER = tables.text("number", "No.", value=lambda line: str(line.number), width=60)
LINES = [
    NUMBER,
    tables.text("title", "Account"),
    tables.money("debit", "Debit", width=115),
    tables.money("credit", "Credit", width=115),
]
REGISTER = [
    tables.opens("reference", "Journal", page="journal", value=lambda entry: f"J-{entry.id}", width=72),
    tables.when("posted_at", "Posted", width=142),
    tables.text("kind", "What", value=lambda entry: title(entry.kind), width=130),
    tables.money("debit", "Debit", width=118),
    tables.money("credit", "Credit", width=118),
    tables.money("balance", "Balance", width=124),
    tables.mono("key", "Key"),
]
JOURNALS = [
    tables.opens("reference", "Journal", page="journal", width=80),
    tables.when("posted_at", "Posted", width=145),
    tables.text("what", "What", width=170),
    tables.money("amount", "Amount", width=120),
    tables.mono("key", "Key"),
    tables.text("memo", "Memo"),
]
REGISTER_FILE = [
    *REGISTER[:3],
    tables.text("memo", "Memo"),
    REGISTER[-1],
    *REGISTER[3:-1],
]
LINES_FILE = [NUMBER, tables.mono("name", "Account"), tables.text("title", "Title"), *LINES[2:]]
ACCOUNTS_FILE = [
    tables.mono("code", "Account"),
    tables.text("what_for", "Counterparty"),
    tables.money("debit", "Debit"),
    tables.money("credit", "Credit"),
]
POSTINGS_FILE = [
    tables.text("reference", "Journal"),
    tables.when("posted_at", "Posted"),
    tables.mono("kind", "Kind"),
    tables.mono("key", "Key"),
    tables.text("memo", "Memo"),
    tables.count("milestone_id", "Milestone"),
    tables.count("party_id", "Party"),
    tables.mono("code", "Account"),
    tables.text("title", "Account"),
    tables.money("debit", "Debit"),
    tables.money("credit", "Credit"),
]
LEGS = [
    tables.mono("code", "Account", width=220),
    tables.text("title", "Account"),
    tables.money("debit", "Debit", width=150),
    tables.money("credit", "Credit", width=150),
]


def lines_of(currency: str, *, memo: bool) -> Callable[[Session], Sequence[TrialBalanceLine]]:
    """The lines of one book, read again."""

    def lines(session: Session) -> Sequence[TrialBalanceLine]:
        sheets = ledger.sheets(session)
        return next((each.lines for each in sheets if (each.currency, each.memo) == (currency, memo)), ())

    return lines


def accounts_in(line: str, currency: str, *, everything: bool) -> Callable[[Session], Iterable[AccountRow]]:
    return lambda session: tables.every(
        lambda before, limit: ledger.accounts_of(
            session, line, currency, before=before, limit=limit, everything=everything
        )
    )


def accounts(rows: Sequence[AccountRow]) -> list[tables.Column]:
    """The accounts of a line, with the column on which they stand; both, when some stand on the other."""
    sides = [name for name in ("debit", "credit") if any(getattr(row, name) for row in rows)]
    return [
        tables.mono("code", "Account", width=130 if len(sides) < 2 else 110),
        tables.text("what_for", "Counterparty", width=225 if len(sides) < 2 else 130),
        *(tables.money(name, name.capitalize(), width=115) for name in sides),
    ]


def balanced(sheet: TrialBalance) -> Pill:
    """Whether both columns have the same sum."""
    if sheet.difference.is_zero:
        return Pill("Balanced", "good", meaning="Debits and credits have the same sum.")
    return Pill(
        "Does not balance",
        "bad",
        meaning="Debits and credits differ: something was changed behind the ledger.",
    )


def heading(sheet: TrialBalance) -> None:
    """Whose book it is."""
    if sheet.memo:
        header.section(f"{sheet.currency}, the payees' own money", "Memo: never ours")
    else:
        header.section(f"{sheet.currency}, the platform's book")


def foot(sheet: TrialBalance) -> None:
    """The sums of both columns, and their difference in words."""
    cards.facts(
        {
            "Debits": sheet.debits,
            "Credits": sheet.credits,
            "Difference": sheet.difference,
            "In balance": balanced(sheet),
        }
    )


def open_account(rows: Sequence[AccountRow | Leg], currency: str, **more: Any) -> None:
    """A table of accounts, each of which leads to its register."""
    chosen = tables.table(rows, select=True, id="code", **more)
    if chosen is not None:
        st.session_state.pop(f"{more['key']}:chosen", None)  # or coming back would open it again
        navigation.go("account", code=chosen, iso=currency)  # `currency` is bound to a widget here and there
