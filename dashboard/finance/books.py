"""The books: how trial balance, accounts, registers and journals look in a table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any

import streamlit as st
from sqlalchemy.orm import Session

from core.queries import account_activity, ledger
from core.queries.journals import Leg, title
from core.queries.ledger import AccountEntry, AccountRow, Head, TrialBalance, TrialBalanceLine
from core.queries.movements import Period
from dashboard import navigation, request_context
from dashboard.ui import cards, deadlines, header, tables
from dashboard.ui.status import Pill, in_words

NUMBER = tables.text("number", "No.", value=lambda line: str(line.number), width=60)
LINES = [
    NUMBER,
    tables.text("title", "Account", width=190),  # or a long one pushes the credits out of sight
    tables.money("debit", "Debit", width=115),
    tables.money("credit", "Credit", width=115),
]
REGISTER = [
    tables.opens("reference", "Journal", page="journal", value=lambda entry: f"J-{entry.id}", width=72),
    tables.when("posted_at", "Posted", width=142),
    tables.text("kind", "Type", value=lambda entry: title(entry.kind), width=130),
    tables.money("debit", "Debit", width=118),
    tables.money("credit", "Credit", width=118),
    tables.money("balance", "Balance", width=124),
    tables.mono("key", "Key"),
]
JOURNALS = [
    tables.opens("reference", "Journal", page="journal", width=80),
    tables.when("posted_at", "Posted", width=145),
    tables.text("what", "Type", width=170),
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
    tables.mono("code", "Code"),
    tables.text("title", "Account"),
    tables.money("debit", "Debit"),
    tables.money("credit", "Credit"),
]
LEGS = [
    tables.mono("code", "Code", width=220),
    tables.text("title", "Account"),
    tables.money("debit", "Debit", width=150),
    tables.money("credit", "Credit", width=150),
]


def lines(at: date | None, beside: date | None) -> list[tables.Column]:
    """Debit and credit; beside another day, each with its day."""
    if beside is None:
        return LINES
    return [*LINES[:2], *_sides("", at), *_sides("_beside", beside)]


def lines_file(at: date | None, beside: date | None) -> list[tables.Column]:
    return [NUMBER, tables.mono("name", "Account"), tables.text("title", "Title"), *lines(at, beside)[2:]]


def _sides(suffix: str, at: date | None) -> list[tables.Column]:
    day = f"{at:%-d %b %y}" if at else "now"
    return [
        tables.money(f"{side}{suffix}", f"{side.capitalize()}, {day}", width=125)
        for side in ("debit", "credit")
    ]


def until(at: date | None) -> dict[str, Any]:
    """What an address says of an account's activity up to a day; Streamlit reads a period from two values."""
    return {"until": at} if at else {}


def lines_of(
    currency: str, *, memo: bool, at: date | None, beside: date | None, zeros: bool, before_closing: bool
) -> Callable[[Session], Sequence[TrialBalanceLine]]:
    """The lines of one book, read again."""

    def lines(session: Session) -> Sequence[TrialBalanceLine]:
        sheets = ledger.sheets(session, at=at, beside=beside, zeros=zeros, before_closing=before_closing)
        return next((each.lines for each in sheets if (each.currency, each.memo) == (currency, memo)), ())

    return lines


def accounts_in(
    line: str, currency: str, *, everything: bool, at: date | None
) -> Callable[[Session], Iterable[AccountRow]]:
    return lambda session: tables.every(
        lambda before, limit: ledger.accounts_of(
            session, line, currency, before=before, limit=limit, everything=everything, at=at
        )
    )


def activity_of(
    code: str, currency: str, period: Period | None
) -> Callable[[Session], Iterable[AccountEntry]]:
    """An account's activity, read again: of a period, or all of it."""

    def page(session: Session, before: int | None, limit: int) -> Sequence[AccountEntry]:
        if period is None:
            return ledger.register(session, code, currency, before=before, limit=limit)
        return account_activity.activity(session, code, currency, period, before=before, limit=limit).entries

    return lambda session: tables.every(lambda before, limit: page(session, before, limit))


def accounts(rows: Sequence[AccountRow]) -> list[tables.Column]:
    """The accounts of a line, with the column on which they stand; both, when some stand on the other."""
    sides = [name for name in ("debit", "credit") if any(getattr(row, name) for row in rows)]
    return [
        tables.mono("code", "Account", width=130 if len(sides) < 2 else 110),
        tables.text("what_for", "Counterparty", width=225 if len(sides) < 2 else 130),
        *(tables.money(name, name.capitalize(), width=115) for name in sides),
    ]


def account_facts(account: Head) -> None:
    """What lies on an account, and what kind of account it is."""
    line = account.line
    cards.facts(
        {
            "Balance": account.balance,
            "Type": f"{in_words(line.kind)}, {line.group.heading.lower()}",
            "Normal balance": f"{in_words(line.side)}s",
            "Below zero": "Possible: it mirrors what happened outside"
            if line.hot
            else "Not allowed: the database refuses it",
        }
    )


def balanced(sheet: TrialBalance) -> Pill:
    """Whether both columns have the same sum."""
    if sheet.difference.is_zero:
        return Pill("Balanced", "good", meaning="Debits and credits have the same sum.")
    return Pill(
        "Does not balance",
        "bad",
        meaning="Debits and credits differ: something was changed behind the ledger.",
    )


def heading(sheet: TrialBalance, at: date | None) -> None:
    """Whose book it is, and at the end of which day or now: a printed page says it too."""
    notes = ["Memo: never ours"] if sheet.memo else []
    notes.append(f"At the end of {at:%-d %b %Y}, UTC" if at else deadlines.exact(request_context.now()))
    whose = "the payees' own money" if sheet.memo else "the platform's book"
    header.section(f"{sheet.currency}, {whose}", " · ".join(notes))


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


def open_account(
    rows: Sequence[AccountRow | Leg], currency: str, at: date | None = None, **more: Any
) -> None:
    """A table of accounts, each of which leads to its register."""
    chosen = tables.table(rows, select=True, id="code", **more)
    if chosen is not None:
        st.session_state.pop(f"{more['key']}:chosen", None)  # or coming back would open it again
        # `currency` is bound to a widget here and there
        navigation.go("account", code=chosen, iso=currency, **until(at))
