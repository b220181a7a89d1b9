"""The inbox of Stripe's webhook events on screen: each with its body, and applied again where it was given up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from core.actions.operations import webhook_retry
from core.queries import operations
from core.queries.operations import WebhookRow
from core.rules.permissions import Permission
from core.rules.webhooks import WebhookStatus
from dashboard import request_context
from dashboard.ui import cards, confirm, filters, json_text, reasons, status, tables, text_fields

EVENTS = [
    tables.mono("event", "Event", width=230),
    tables.text("kind", "Kind", width=200),
    tables.mono("object_id", "About", width=240),
    tables.status("status", "Status", axis="webhook", width=110),
    tables.count("tries", "Tries", width=70),
    tables.when("received_at", "Received", width=150),
    tables.text("error", "Reason"),
]


def tab() -> None:
    """The tab: filters, the list, and the event that was picked."""
    with filters.bar():
        about = filters.search("Event, object or kind", key="about", width=230)
        state = filters.one_of("Every status", status.labels("webhook"), key="state")
    cursor = tables.cursor("came", size=50)
    with request_context.reading() as session:
        events = operations.inbox(
            session, status=state, words=about, before=cursor.before, limit=cursor.limit
        )
    _inbox(events, cursor, status=state, words=about)


def _inbox(rows: Sequence[WebhookRow], cursor: tables.Cursor, *, status: str | None, words: str) -> None:
    """The webhook inbox. Events of one moment stay on one page, so a page may be longer than it should."""
    more = len(rows) > cursor.size
    last = next((place for place in range(len(rows) - 2, 0, -1) if rows[place].id != rows[-1].id), None)
    shown = (
        replace(cursor, size=last + 1) if more and last is not None else replace(cursor, size=len(rows) or 1)
    )
    chosen = tables.table(
        rows,
        EVENTS,
        key="inbox",
        id="event",
        select=True,
        cursor=shown,
        download=tables.Table(
            "webhooks",
            lambda session: tables.every(
                lambda before, limit: operations.inbox(
                    session, status=status, words=words, before=before, limit=limit
                )
            ),
            filter={"status": status, "words": words},
        ),
        name="Webhook events, newest first",
        empty_state=("No event came in", "Stripe's webhooks show here as they arrive."),
    )
    alone = len(rows) == 1  # what a search for one event finds is open at once
    if event := next((row for row in rows if alone or row.event == chosen), None):
        _event(event)


def _event(row: WebhookRow) -> None:
    """A chosen webhook: what came of it, what was in it, and another try for one that was given up."""
    with cards.panel("webhook"):
        cards.facts(
            {
                "Event": row.event,
                "About": row.object_id,
                "Tries": row.tries,
                "Received": row.received_at,
                "Ended": row.finished_at,
            },
            columns=5,
        )
        if row.error:
            cards.note(row.error)
        if row.status == WebhookStatus.FAILED:
            _given_up(row)
        with request_context.reading() as session:
            body = operations.webhook_body(session, row.event)
        json_text.body(body)


def _given_up(row: WebhookRow) -> None:
    st.markdown("**Given up: it is not retried automatically.**")
    if not request_context.may(Permission.RETRY_OPERATION):
        cards.note("Finance or an administrator can retry it.")
    elif confirm.step_up("webhook-form"):
        _take_up(row)


def _take_up(row: WebhookRow) -> None:
    place = text_fields.named("webhook", row.id, "retry")
    reason = reasons.line(place, key="webhook-reason")
    intent = confirm.pressed("Apply again", key="webhook-retry", icon=":material/replay:")
    if intent:
        confirm.carry_out(
            intent,
            lambda session, actor, now: webhook_retry.retry(
                session, actor, now=now, event_id=row.event, reason=reason
            ),
            done="It is queued again. The worker reads its current state from Stripe.",
            sent=[place],
        )
