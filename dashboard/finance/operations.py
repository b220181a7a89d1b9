"""Stripe requests and webhook events on screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import streamlit as st

from core.queries import operations
from core.queries.letters import Undelivered
from core.queries.operations import Operation, WebhookRow
from core.queries.payouts import PayoutRow
from core.rules.operations import OperationKind, OperationStatus, OperationView
from dashboard import navigation
from dashboard.finance import operation_retry
from dashboard.ui import cards, deadlines, header, status, tables
from dashboard.ui.cards import Kpi
from dashboard.ui.status import in_words

UNDER_WAY = (OperationStatus.QUEUED, OperationStatus.SENDING)
KINDS = {each.value: in_words(each) for each in OperationKind}
EVENTS = [
    tables.mono("event", "Event", width=230),
    tables.text("kind", "Kind", width=200),
    tables.mono("object_id", "About", width=240),
    tables.status("status", "Status", axis="webhook", width=110),
    tables.count("tries", "Tries", width=70),
    tables.when("received_at", "Received", width=150),
    tables.text("error", "Reason"),
]
BEGIN = [
    tables.opens("short_key", "Operation", page="operations", width=180),
    tables.money("amount", "Amount", width=106),
    tables.status("shown", "Status", axis="operation", width=104),
]
REASON = tables.text("last_error", "Reason", width=190)
END = [
    tables.mono("provider_id", "At Stripe", width=262),
    tables.when("created_at", "Requested", width=140),
]
COUNTS = [  # in the file, and on the page of a call
    tables.count("attempt", "Attempt", width=62),
    tables.count("tries", "Tries", width=52),
]
WHOLE = [
    tables.text("key", "Operation"),
    tables.text("kind", "Kind"),
    BEGIN[1],
    tables.status("status", "Status", axis="operation"),
    REASON,
    tables.when("waits_until", "Next check"),
    *END,
    *COUNTS,
    tables.when("finished_at", "Ended"),
]


def columns(now: datetime, rows: Sequence[Operation]) -> list[tables.Column]:
    """With reasons, where something stands in the way."""
    return [
        *BEGIN,
        *([REASON] if any(row.last_error for row in rows) else []),
        tables.due("waits_until", "Next check", now=now, width=84),
        *END,
    ]


def advice(row: Operation, payout: PayoutRow | None) -> str:
    """What to do about a call that is not simply under way or done."""
    to_payee = row.kind in (OperationKind.TRANSFER, OperationKind.PAYOUT)
    match row.shown:
        case OperationStatus.BLOCKED:
            return "No action is needed: it is sent automatically once nothing blocks it. The project shows what does."
        case OperationStatus.REVIEW if to_payee:
            return (
                "Look at the payout: it is sent again from there, or another method is offered to the payee."
            )
        case OperationStatus.REFUSED if to_payee:
            return f"Stripe said no, so nothing moved. {_since(payout)}".strip()
        case OperationStatus.REFUSED if row.kind == OperationKind.CHARGE:
            return "The card was declined. The payer was notified; a soft decline is retried automatically."
        case OperationStatus.REFUSED if row.kind == OperationKind.REVERSAL:
            return (
                "The money is not on the payee's balance any more. The debt stays, and later releases pay it."
            )
        case OperationView.SENT:
            return "No action is needed: Stripe has it. A webhook or the next check completes it."
        case OperationStatus.QUEUED if row.last_error:
            return "No action is needed: it is retried automatically at the time below."
    return ""


def _since(payout: PayoutRow | None) -> str:
    """How the payout of a refused operation stands now."""
    if payout is None:
        return "The payout was sent again."
    return f"Payout {payout.reference} now: {status.pill('payout', payout.status).label.lower()}."


def whole(row: Operation, payout: PayoutRow | None, now: datetime) -> None:
    """One call, with exactly what was, or will be, sent."""
    if row.last_error:
        st.warning(row.last_error.replace("$", "\\$"), icon=":material/info:")
    if what := advice(row, payout):
        cards.note(what)
    if payout is not None:
        navigation.link(
            "payouts", f"Payout {payout.reference}", icon=":material/arrow_forward:", id=payout.id
        )
    cards.facts(
        {
            "Amount": row.amount,
            "Kind": KINDS.get(row.kind, row.kind),
            "Idempotency key": row.idempotency_key,
            "At Stripe": row.provider_id,
            "Attempt": row.attempt,
            "Attempts with this key": row.tries,
            "First sent": row.first_sent_at,
            "Next check": deadlines.exact(row.waits_until),
            "Requested": row.created_at,
            "Ended": row.finished_at,
            "Party": row.party,
            "Milestone": row.milestone,
        }
    )
    with st.container(horizontal=True, gap="medium"):
        navigation.link("project", "Project", icon=":material/home_work:", id=row.project_id)
        navigation.link("journals", "Its journals", icon=":material/menu_book:", q=row.key)
    header.section("Request parameters")
    st.json(dict(row.payload), expanded=True)


def inbox(rows: Sequence[WebhookRow], cursor: tables.Cursor, *, status: str | None, words: str) -> None:
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
        operation_retry.event(event)


def cards_above(counts: Mapping[str, int], undelivered: Undelivered) -> None:
    """What waits, and for what; and the letters that reach nobody."""
    cards.kpis(
        [
            Kpi(
                "Waiting or being sent",
                counts.get(OperationStatus.QUEUED, 0) + counts.get(OperationStatus.SENDING, 0),
            ),
            Kpi(
                "Sent",
                counts.get(OperationView.SENT, 0),
                help="Stripe has them; the desk waits for how they end.",
            ),
            Kpi(
                "Blocked",
                counts.get(OperationStatus.BLOCKED, 0),
                help="Something else must end first; each says what.",
            ),
            Kpi(
                "Need review",
                counts.get(OperationStatus.REVIEW, 0),
                help="A person decides what happens next; each says why.",
            ),
            Kpi(
                "E-mails undelivered",
                undelivered.failed + undelivered.late,
                f"{undelivered.failed} given up, {undelivered.late} late" if undelivered else "none",
                "bad" if undelivered else None,
                help="Given up: the address is wrong, or its server says no. Late: not gone an hour after its time.",
            ),
        ]
    )
