"""Requests to Stripe, its webhook events, e-mails and events to the marketplaces: how each stands."""

from __future__ import annotations

from core.errors import DeskError
from core.queries import letters as letters_queries
from core.queries import operations, payouts
from core.rules.permissions import Permission
from dashboard import letters, navigation, request_context
from dashboard.finance import (
    figures,
    marketplace_events,
    operation_retry,
    paused_requests,
    webhook_inbox,
    workers_and_jobs,
)
from dashboard.finance import operations as calls
from dashboard.ui import errors, filters, header, status

request_context.require(Permission.READ_PAYOUTS)
now = request_context.now()

if (wanted := navigation.asked()) is not None:
    figures.way_up("Operations")
    try:
        with request_context.reading() as session:
            row = operations.operation(session, wanted)
            payout = payouts.of_operation(session, row.id)
    except DeskError as missing:
        header.page("Operation")
        errors.show(missing)
        navigation.end()
    header.page(
        f"Operation {row.short_key}",
        f"{row.amount.text()} · {row.milestone}",
        badges=[status.pill("operation", row.shown)],
    )
    operation_retry.review(row)
    calls.whole(row, payout, now)
    navigation.end()

with request_context.reading() as session:
    counts = operations.counts(session)
    undelivered = letters_queries.not_delivered(session, now=now)
header.page(
    "Operations",
    "Requests to Stripe, its webhook events, e-mails and events to the marketplaces: how each stands.",
)
paused_requests.panel()
calls.cards_above(counts, undelivered)
out, back_in, told, out_again, at_work = filters.tabs(
    ["Operations", "Webhook inbox", "E-mails", "Events to marketplaces", "Workers and jobs"],
    key="operations-tab",
)
if out.open:
    with out:
        calls.tab(now)
elif back_in.open:
    with back_in:
        webhook_inbox.tab()
elif told.open:
    with told:
        letters.undelivered(now)
elif out_again.open:
    with out_again:
        marketplace_events.tab()
elif at_work.open:
    with at_work:
        workers_and_jobs.tab(now)
