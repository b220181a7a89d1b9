"""Requests to Stripe on screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import streamlit as st

from core.queries import operations
from core.queries.letters import Undelivered
from core.queries.operations import Operation, OperationFilter
from core.queries.payouts import PayoutRow
from core.rules.operations import OperationKind, OperationStatus, OperationView
from dashboard import navigation, request_context
from dashboard.ui import cards, deadlines, filters, header, status, tables
from dashboard.ui.cards import Kpi
from dashboard.ui.status import in_words

UNDER_WAY = (OperationStatus.QUEUED, OperationStatus.SENDING)
KINDS = {each.value: in_words(each) for each in OperationKind}
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


def tab(now: datetime) -> None:
    """The tab: filters and the list; each operation has a page of its own."""
    with filters.bar():
        words = filters.search("Key or Stripe id", key="q", width=230)
        chosen = filters.one_of("Every status", status.labels("operation"), key="status")
        kind = filters.one_of("Every kind", KINDS, key="kind", width=160)
    cursor = tables.cursor("before", size=50)
    wanted = OperationFilter(status=chosen, kind=kind, words=words)
    with request_context.reading() as session:
        rows = operations.page(session, wanted, before=cursor.before, limit=cursor.limit)
    tables.table(
        rows,
        columns(now, rows),
        key="operations",
        cursor=cursor,
        download=tables.Table(
            "operations",
            lambda session: tables.every(
                lambda before, limit: operations.page(session, wanted, before=before, limit=limit)
            ),
            filter={"status": chosen, "kind": kind, "words": words},
            columns=WHOLE,
        ),
        name="Operations",
    )


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
        navigation.link(
            "project", f"Project P-{row.project_id}", icon=":material/home_work:", id=row.project_id
        )
        navigation.link("journals", "Its journals", icon=":material/menu_book:", q=row.key)
    header.section("Request parameters")
    st.json(dict(row.payload), expanded=True)


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
