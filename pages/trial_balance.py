"""The trial balance: debits and credits of every line, with the same sum, down to each account."""

from __future__ import annotations

import streamlit as st

from core.ledger.accounts import CHART
from core.queries import ledger
from core.rules.permissions import Permission
from dashboard import navigation, request_context
from dashboard.finance import books
from dashboard.ui import empty, filters, header, tables

request_context.require(Permission.READ_LEDGER)
with request_context.reading() as session:
    sheets = ledger.sheets(session)

header.page(
    "Trial balance",
    "The chart of accounts. A line opens its sub-accounts, a sub-account its activity.",
)
if not sheets:
    empty.state(
        "Nothing posted yet", "The first payment that is held opens the books.", icon="account_balance"
    )
    navigation.end()
currencies = list(dict.fromkeys(sheet.currency for sheet in sheets))
with filters.bar():
    chosen = filters.choice(
        "Currency", {each: each for each in currencies[1:]}, key="currency", everything=currencies[0]
    )
currency = chosen or currencies[0]
line = filters.asked_for("line", "Line", CHART)

picked: dict[str, str | None] = {}

with st.grid(columns=2, min_column_width=500, gap="medium"):
    with st.container(gap="medium"):
        for sheet in (each for each in sheets if each.currency == currency):
            with st.container(gap="small"):
                books.heading(sheet)
                key = f"trial-{currency}-{sheet.book}"
                tables.follow(key, line)
                picked[key] = tables.table(
                    sheet.lines,
                    books.LINES,
                    key=key,
                    id="name",
                    select=True,
                    download=tables.Table(
                        "trial-balance-memo" if sheet.memo else "trial-balance",
                        books.lines_of(currency, memo=sheet.memo),
                        filter={"currency": currency},
                        columns=books.LINES_FILE,
                    ),
                )
                books.foot(sheet)
    asked, line = line, next((each for each in picked.values() if each and each != line), line)
    for key, each in picked.items():
        if each == line:
            tables.said(key, line)
    with st.container(gap="small"):
        if line is None:
            empty.state("Choose an account", "Its sub-accounts show here.", icon="account_tree")
            navigation.end()
        if line != asked:
            st.query_params.pop("before", None)
            st.query_params["line"] = line
        if CHART[line].per is None:
            header.section(CHART[line].title, "One account")
            navigation.link(
                "account", "Open its register", icon=":material/menu_book:", code=line, iso=currency
            )
            navigation.end()
        header.section(CHART[line].title, "Newest first")
        everything = filters.toggle("Show zero balances", key="everything")
        cursor = tables.cursor("before", size=50)
        with request_context.reading() as session:
            rows = ledger.accounts_of(
                session, line, currency, before=cursor.before, limit=cursor.limit, everything=everything
            )
        books.open_account(
            rows,
            currency,
            columns=books.accounts(rows),
            key=f"accounts-{line}-{currency}",
            cursor=cursor,
            download=tables.Table(
                "accounts",
                books.accounts_in(line, currency, everything=everything),
                filter={"line": line, "currency": currency, "zero-balances": everything},
                columns=books.ACCOUNTS_FILE,
            ),
            empty_state=("Nothing on these accounts", "Everything was paid out or sent back."),
        )
