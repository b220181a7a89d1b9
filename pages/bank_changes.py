"""Bank changes: payees' new bank accounts, and whether payouts go there."""

from __future__ import annotations

import streamlit as st

from core.queries import bank_changes as queries
from core.rules.masking import BANK_CHANGE
from core.rules.permissions import Permission
from core.rules.readings import ReadingKind
from dashboard import navigation, readings, request_context
from dashboard.finance import bank_changes
from dashboard.ui import cards, header, tables

request_context.require(Permission.READ_PAYOUTS)
header.page(
    "Bank changes",
    "Payouts to a payee's new bank account wait, in case somebody else changed it. Two people can accept it before "
    "then, let it wait longer, or refuse it.",
)
with request_context.reading() as session:
    rows = queries.changes(session)
# Links of before say `?change=`.
asked = navigation.asked() or navigation.asked("change")
tables.follow(bank_changes.KEY, asked)
chosen = bank_changes.listed(rows)
tables.said(bank_changes.KEY, chosen)
known = {row.id: row for row in rows}
if chosen is None and asked is not None and asked not in known:
    cards.note(f"Change {asked} is not among these.")
elif chosen != asked:
    st.query_params.from_dict({} if chosen is None else {"id": str(chosen)})
if chosen in known:
    request_context.shows(BANK_CHANGE)
    with request_context.reading() as session:
        (row,) = (each for each in queries.changes(session) if each.id == chosen)
    readings.note(ReadingKind.PARTY, row.party_id)
    bank_changes.change(row)
