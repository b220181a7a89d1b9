"""Journals: everything that was ever posted, newest first."""

from __future__ import annotations

from datetime import UTC, datetime, time

import streamlit as st

from core.errors import DeskError
from core.ledger import accounts
from core.queries import journals
from core.rules.permissions import Permission
from dashboard import navigation, request_context
from dashboard.finance import books, ledger_export
from dashboard.ui import filters, header, tables

request_context.require(Permission.READ_LEDGER)
buttons = header.page("Journals", "All posted journals, newest first. None can be changed or removed.")
if request_context.may(Permission.EXPORT_LEDGER):
    with buttons:
        ledger_export.button()
    ledger_export.drawer()
with filters.bar():
    words = filters.search("Key, memo or number", key="q", width=190)
    kind = filters.one_of("Every kind", dict(journals.KINDS), key="kind", width=180)
    currency = filters.one_of(
        "Every currency", {each: each for each in accounts.ISO_NUMBERS}, key="currency", width=125
    )
    account = st.text_input(
        "Account",
        key="account",
        placeholder="Account, as held:17",
        label_visibility="collapsed",
        width=150,
        bind="query-params",
    )
    milestone = filters.number("Milestone", key="milestone")
    days = filters.dates("Period", key="days")

first, last = (days[0], days[-1]) if days else (None, None)
cursor = tables.cursor("before", size=50)
try:
    wanted = journals.JournalFilter(
        kind=kind,
        account=(account or "").strip() or None,
        currency=currency,
        milestone_id=milestone,
        since=datetime.combine(first, time(), UTC) if first else None,
        until=datetime.combine(last, time.max, UTC) if last else None,
        words=words,
    )
    with request_context.reading() as session:
        rows = journals.page(session, wanted, before=cursor.before, limit=cursor.limit)
except DeskError as unknown:
    st.warning(unknown.message)
    navigation.end()
tables.table(
    rows,
    books.JOURNALS,
    key="journals",
    cursor=cursor,
    download=tables.Table(
        "journals",
        lambda session: journals.postings(session, wanted),
        filter={
            "kind": kind,
            "account": wanted.account,
            "currency": currency,
            "milestone": wanted.milestone_id,
            "from": first,
            "to": last,
            "words": words,
        },
        columns=books.POSTINGS_FILE,
    ),
    name="Journals",
)
