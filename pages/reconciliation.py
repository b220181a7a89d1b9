"""Reconciliation: the ledger against Stripe's statement, run by run, line by line."""

from __future__ import annotations

import streamlit as st

from core.errors import DeskError
from core.queries import breaks, reconciliation, suspense
from core.rules.permissions import Permission
from dashboard import navigation, request_context
from dashboard.finance import break_panel, breaks_view, figures, payout_apart, reconciliation_view
from dashboard.finance import suspense as unexplained
from dashboard.ui import confirm, deadlines, errors, header, tables

request_context.require(Permission.READ_LEDGER)
now = request_context.now()

number, item = navigation.asked("break"), navigation.asked("suspense")
if number is not None or item is not None:
    figures.way_up("Reconciliation")
    try:
        with request_context.reading() as session:
            found = breaks.of_suspense(session, item) if item is not None else number
            row = breaks.one(session, found or 0, now=now)
    except DeskError as missing:
        header.page("Break" if item is None else "Suspense item")
        errors.show(missing)
        navigation.end()
    header.page(f"Break {row.reference}", row.what, badges=break_panel.badges(row))
    break_panel.whole(row, now)
    navigation.end()

if payout := st.query_params.get("payout"):
    payout_apart.show(payout)
    navigation.end()

if (wanted := navigation.asked()) is not None:
    figures.way_up("Reconciliation")
    try:
        with request_context.reading() as session:
            run = reconciliation.run(session, wanted)
            since = reconciliation.explained_since(session, run)
    except DeskError as missing:
        header.page("Run")
        errors.show(missing)
        navigation.end()
    subtitle = f"Statement up to {deadlines.exact(run.until)}, started by {run.started_by}"
    header.page(
        f"Run {run.reference}",
        subtitle,
        badges=[reconciliation_view.badge(run)],
    )
    reconciliation_view.whole(run, since)
    navigation.end()

cursor = tables.cursor("before", size=50)
with request_context.reading() as session:
    runs = reconciliation.runs(session, before=cursor.before, limit=cursor.limit)
    standing, unread = reconciliation.status(session), reconciliation.unread(session)
    unclear = suspense.open_items(session)
    explained_cursor = tables.cursor("explained", size=20)
    explained = suspense.settled(session, before=explained_cursor.before, limit=explained_cursor.limit)
newest = standing.newest.id if standing.newest else 0
buttons = header.page(
    "Reconciliation",
    "Every line of Stripe's statement, and of our banks', against every line that is booked.",
)
if request_context.may(Permission.RUN_RECONCILIATION) and "reconciliation:awaited" not in st.session_state:
    with buttons:
        if confirm.pressed("Run now", key="run-now", icon=":material/play_arrow:"):
            reconciliation_view.begin()
            st.session_state["reconciliation:awaited"] = newest
            st.rerun()
if "reconciliation:awaited" in st.session_state:
    reconciliation_view.progress(st.session_state["reconciliation:awaited"])
else:
    reconciliation_view.show_status(standing, now)
reconciliation_view.unread(unread)
breaks_view.section(now)
unexplained.show(unclear)
payout_apart.listed()
reconciliation_view.listed(runs, cursor)
unexplained.history(explained, explained_cursor)
