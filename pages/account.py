"""One account and its activity: every journal on it with the balance after each, or those of a period."""

from __future__ import annotations

import streamlit as st

from core.errors import DeskError
from core.queries import account_activity, ledger
from core.queries.movements import FIRST, Period
from core.rules.permissions import Permission
from dashboard import navigation, request_context
from dashboard.finance import books
from dashboard.ui import cards, empty, errors, filters, header, tables

request_context.require(Permission.READ_LEDGER)
until = filters.asked_day("until", "Until")
code, currency = st.query_params.get("code", ""), st.query_params.get("iso", "USD")
if not code:
    header.page("Account", back=("trial_balance", "Trial balance"))
    empty.state("No account is named", "Choose one in the trial balance.", icon="account_balance")
    navigation.end()
cursor = tables.cursor("before", size=50)
try:
    with request_context.reading() as session:
        account = ledger.account(session, code, currency)
except DeskError as unknown:
    header.page("Account", back=("trial_balance", "Trial balance"))
    errors.show(unknown)
    navigation.end()

with header.page(
    f"{account.line.gl_number} {account.line.title} · {currency}",
    account.code,
    back=("trial_balance", "Trial balance"),
):
    if account.milestone_id:
        navigation.link(
            "journals",
            "Journals of this milestone",
            icon=":material/menu_book:",
            milestone=account.milestone_id,
        )
    if account.party_id:
        navigation.link("party_statement", "Statement", icon=":material/receipt_long:", id=account.party_id)
    navigation.link("journals", "Filter its journals", icon=":material/filter_alt:", account=code)
books.account_facts(account)
header.section("Account activity", "Newest first; the balance is that after the journal.")
with filters.bar():
    days = filters.dates("Period", key="days")
period = Period(days[0], days[-1]) if days else Period(FIRST, until) if until else None
with request_context.reading() as session:
    if period:
        found = account_activity.activity(
            session, code, currency, period, before=cursor.before, limit=cursor.limit
        )
        rows = found.entries
    else:
        rows = ledger.register(session, code, currency, before=cursor.before, limit=cursor.limit)
if period:
    cards.facts(
        {
            f"Opening, {period.first:%-d %b %Y}" if days else "Opening": found.opening,
            f"Closing, {period.last:%-d %b %Y}": found.closing,
        }
    )
tables.table(
    rows,
    books.REGISTER,
    key="register",
    cursor=cursor,
    download=tables.Table(
        "account",
        books.activity_of(code, currency, period),
        filter={
            "code": code,
            "currency": currency,
            "from": period.first if period and days else None,
            "to": period.last if period else None,
        },
        columns=books.REGISTER_FILE,
    ),
    name="Account activity",
    empty_state=("Nothing was posted in these days", "Choose other days.")
    if period
    else ("Nothing was ever posted here", "The account opens with its first journal."),
)
