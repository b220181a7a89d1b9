"""Withdrawals, newest first: filters, several tried again at once, and the table."""

from __future__ import annotations

from core.queries import payout_progress, payouts
from dashboard import readings, request_context
from dashboard.finance import bulk_retry, payout_owners, withdrawals
from dashboard.ui import filters, status, tables

STATUSES = {payouts.ANY_UNDER_WAY: "Under way", **status.labels("payout")}


def show() -> None:
    with filters.bar():
        words = filters.search("Payout, payee, milestone or Stripe id", key="q", width=270)
        chosen = filters.one_of("Every status", STATUSES, key="status")
        method = filters.one_of("Every method", withdrawals.METHODS, key="method", width=160)
        owners = {str(number): name for number, name in payout_owners.able().items()}
        anybody = {payouts.UNOWNED: payout_owners.NOBODY, **owners}
        owner = filters.one_of("Every owner", anybody, key="owner", width=170)
    readings.looked_for(words)
    cursor = tables.cursor("before", size=50)
    asked = payouts.PayoutFilter(chosen, method, owner, words)
    with request_context.reading() as session:
        rows = payout_progress.page(session, asked, before=cursor.before, limit=cursor.limit)
    bulk_retry.panel(rows)
    tables.table(
        rows,
        withdrawals.columns(request_context.now()),
        key="payouts",
        cursor=cursor,
        download=tables.Table(
            "payouts",
            lambda session: tables.every(
                lambda before, limit: payout_progress.page(session, asked, before=before, limit=limit)
            ),
            filter={"status": chosen, "method": method, "owner": owner, "words": words},
            columns=withdrawals.WHOLE,
        ),
        name="Withdrawals, newest first",
    )
