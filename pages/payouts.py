"""Payouts: withdrawals by status, the failed ones for review, and the money that something stops."""

from __future__ import annotations

import streamlit as st

from core.errors import DeskError
from core.queries import operations, payee_accounts, payout_progress, payouts, stopped_money
from core.rules.payouts import PayoutStatus
from core.rules.permissions import Permission
from dashboard import navigation, request_context
from dashboard.finance import figures, payout_list, payouts_ahead, withdrawals
from dashboard.ui import cards, errors, filters, header, money, status, tables

request_context.require(Permission.READ_PAYOUTS)

if (wanted := navigation.asked()) is not None:
    figures.way_up("Payouts")
    try:
        with request_context.reading() as session:
            row = payout_progress.one(session, wanted)
            calls = operations.of_payout(session, row.id, row.milestone_id)
            offers = payouts.offers(session, row.id)
            account = payee_accounts.shown(session, row.party_id)
    except DeskError as missing:
        header.page("Payout")
        errors.show(missing)
        navigation.end()
    badge = status.pill("payout", row.status)
    header.page(
        f"Payout {row.reference}",
        f"{row.sent.text()} to {row.payee}",
        badges=[badge],
    )
    withdrawals.whole(row, calls, offers, account)
    navigation.end()

with request_context.reading() as session:
    counts = payouts.by_status(session)
review = [each for each in counts if each.status == PayoutStatus.ADMINISTRATIVE_REVIEW]
under_way = [each for each in counts if each.status in payouts.UNDER_WAY]
header.page("Payouts", "Withdrawals to payees' banks, and money that something stops.")
with st.grid(columns=2, min_column_width=240, gap="small", row_height="content"):
    cards.figure(
        "Need review",
        [sum(each.number for each in review)],
        note=f"{money.sums([each.total for each in review])} after the fee"
        if review
        else "a person decides what happens next",
        tone="bad" if review else "quiet",
        link="Failed payouts to review",
        page="payouts",
        status=PayoutStatus.ADMINISTRATIVE_REVIEW.value,
    )
    cards.figure(
        "Under way",
        [sum(each.number for each in under_way)],
        note=f"{money.sums([each.total for each in under_way])} after the fee"
        if under_way
        else "Nothing is on its way",
        link="Payouts under way",
        page="payouts",
        status=payouts.ANY_UNDER_WAY,
    )
listed, ahead, stopped = filters.tabs(["Withdrawals", "Ahead", "Stopped money"], key="payouts-tab")
if listed.open:
    with listed:
        payout_list.show()
elif ahead.open:
    with ahead:
        payouts_ahead.show()
elif stopped.open:
    with stopped:
        cursor = tables.cursor("waiting", size=50)
        with request_context.reading() as session:
            held_up = stopped_money.stopped(session, before=cursor.before, limit=cursor.limit)
        withdrawals.waiting(held_up, cursor)
