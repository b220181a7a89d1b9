"""The trial balance: debits and credits of every line, with the same sum, down to each account."""

from __future__ import annotations

import streamlit as st

from core.ledger.accounts import CHART
from core.queries import ledger, periods
from core.rules.permissions import Permission
from dashboard import navigation, request_context
from dashboard.finance import books, ledger_line
from dashboard.ui import empty, filters, header, tables

request_context.require(Permission.READ_LEDGER)
today = request_context.now().date()
with header.page(
    "Trial balance",
    "The chart of accounts. A line opens its sub-accounts, a sub-account its activity.",
):
    navigation.link("financial_statements", "Financial statements", icon=":material/summarize:")
bar = filters.bar()
with bar:
    at = filters.day("As of", key="at", latest=today)
    beside = filters.day("Compare with", key="beside", latest=today)
    zeros = filters.toggle("Zero balances", key="zeros")
with request_context.reading() as session:
    year_ends = any(periods.year_ends_on(session, day) for day in (at, beside) if day)
with bar:
    before = filters.toggle("Before closing the year", key="before-closing") if year_ends else False
with request_context.reading() as session:
    sheets = ledger.sheets(session, at=at, beside=beside, zeros=zeros, before_closing=before)
if not sheets:
    empty.state(
        *("Nothing was posted by then", "Choose a later day.")
        if at
        else ("Nothing posted yet", "The first payment that is held opens the books."),
        icon="account_balance",
    )
    navigation.end()
currencies = list(dict.fromkeys(sheet.currency for sheet in sheets))
with bar:
    chosen = filters.choice(
        "Currency", {each: each for each in currencies[1:]}, key="currency", everything=currencies[0]
    )
currency = chosen or currencies[0]
line = filters.asked_for("line", "Account", CHART)

picked: dict[str, str | None] = {}

with st.grid(columns=1 if beside else 2, min_column_width=500, gap="medium"):
    with st.container(gap="medium"):
        for sheet in (each for each in sheets if each.currency == currency):
            with st.container(gap="small"):
                books.heading(sheet, at)
                key = f"trial-{currency}-{sheet.book}"
                tables.follow(key, line)
                picked[key] = tables.table(
                    sheet.lines,
                    books.lines(at, beside),
                    key=key,
                    id="name",
                    select=True,
                    download=tables.Table(
                        "trial-balance-memo" if sheet.memo else "trial-balance",
                        books.lines_of(
                            currency,
                            memo=sheet.memo,
                            at=at,
                            beside=beside,
                            zeros=zeros,
                            before_closing=before,
                        ),
                        filter={
                            "currency": currency,
                            "at": at,
                            "beside": beside,
                            "zero-balances": zeros,
                            "before-closing": before,
                        },
                        columns=books.lines_file(at, beside),
                    ),
                )
                books.foot(sheet)
    asked, line = line, next((each for each in picked.values() if each and each != line), line)
    for key, each in picked.items():
        if each == line:
            tables.said(key, line)
    with st.container(gap="small"):
        if line is None:
            empty.to_choose("Choose an account", "Its sub-accounts show here.", icon="account_tree")
            navigation.end()
        if line != asked:
            st.query_params.pop("before", None)
            st.query_params["line"] = line
        ledger_line.show(line, currency, at)
