"""One account and its register: every journal on it, with the balance after each."""

from __future__ import annotations

import streamlit as st

from core.errors import DeskError
from core.queries import ledger
from core.rules.permissions import Permission
from dashboard import navigation, request_context
from dashboard.finance import books
from dashboard.ui import cards, empty, errors, header, tables
from dashboard.ui.status import in_words

request_context.require(Permission.READ_LEDGER)
code, currency = st.query_params.get("code", ""), st.query_params.get("iso", "USD")
if not code:
    header.page("Account", back=("trial_balance", "Trial balance"))
    empty.state(
        "No account is named", "Choose one in the trial balance, by its line.", icon="account_balance"
    )
    navigation.end()
cursor = tables.cursor("before", size=50)
try:
    with request_context.reading() as session:
        account = ledger.account(session, code, currency)
        rows = ledger.register(session, code, currency, before=cursor.before, limit=cursor.limit)
except DeskError as unknown:
    header.page("Account", back=("trial_balance", "Trial balance"))
    errors.show(unknown)
    navigation.end()

with header.page(f"{account.line.title} · {currency}", account.code, back=("trial_balance", "Trial balance")):
    if account.milestone_id:
        navigation.link(
            "journals",
            "Journals of this milestone",
            icon=":material/menu_book:",
            milestone=account.milestone_id,
        )
    navigation.link("journals", "Filter its journals", icon=":material/filter_alt:", account=code)
cards.facts(
    {
        "Balance": account.balance,
        "Kind": in_words(account.line.kind),
        "Normal balance": f"{in_words(account.line.side)}s",
        "Below zero": "Possible: it mirrors what happened outside"
        if account.line.hot
        else "Not allowed: the database refuses it",
    }
)
header.section("Account activity", "Newest first; the balance is that after the journal.")
tables.table(
    rows,
    books.REGISTER,
    key="register",
    cursor=cursor,
    download=tables.Table(
        "account",
        lambda session: tables.every(
            lambda before, limit: ledger.register(session, code, currency, before=before, limit=limit)
        ),
        filter={"code": code, "currency": currency},
        columns=books.REGISTER_FILE,
    ),
    name="Account activity",
    empty_state=("Nothing was ever posted here", "The account opens with its first journal."),
)
