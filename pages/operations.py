"""Operations at Stripe, and what Stripe told us."""

from __future__ import annotations

from core.errors import DeskError
from core.queries import letters as letters_queries
from core.queries import operations, payouts
from core.rules.permissions import Permission
from dashboard import letters, navigation, request_context
from dashboard.finance import figures, operation_retry, paused_requests
from dashboard.finance import operations as calls
from dashboard.ui import errors, filters, header, status, tables

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
    "Requests to Stripe, each written before it is sent, and Stripe's webhook events.",
)
paused_requests.panel()
calls.cards_above(counts, undelivered)
out, back_in, told = filters.tabs(["Operations", "Webhook inbox", "E-mails"], key="operations-tab")
if out.open:
    with out:
        with filters.bar():
            words = filters.search("Key or Stripe id", key="q", width=230)
            chosen = filters.one_of("Every status", status.labels("operation"), key="status")
            kind = filters.one_of("Every kind", calls.KINDS, key="kind", width=160)
        cursor = tables.cursor("before", size=50)
        wanted_rows = operations.OperationFilter(status=chosen, kind=kind, words=words)
        with request_context.reading() as session:
            rows = operations.page(session, wanted_rows, before=cursor.before, limit=cursor.limit)
        tables.table(
            rows,
            calls.columns(now, rows),
            key="operations",
            cursor=cursor,
            download=tables.Table(
                "operations",
                lambda session: tables.every(
                    lambda before, limit: operations.page(session, wanted_rows, before=before, limit=limit)
                ),
                filter={"status": chosen, "kind": kind, "words": words},
                columns=calls.WHOLE,
            ),
            name="Operations",
        )
elif back_in.open:
    with back_in:
        with filters.bar():
            about = filters.search("Event, object or kind", key="about", width=230)
            state = filters.one_of("Every status", status.labels("webhook"), key="state")
        cursor = tables.cursor("came", size=50)
        with request_context.reading() as session:
            events = operations.inbox(
                session, status=state, words=about, before=cursor.before, limit=cursor.limit
            )
        calls.inbox(events, cursor, status=state, words=about)
elif told.open:
    with told:
        letters.undelivered(now)
