"""Chargebacks: what banks have disputed, when a response is due, and the response."""

from __future__ import annotations

from core.errors import DeskError
from core.queries import chargeback_case, chargebacks
from core.rules.masking import CHARGEBACK
from core.rules.permissions import Permission
from core.rules.readings import ReadingKind
from dashboard import navigation, readings, request_context
from dashboard.finance import chargeback_outcomes, chargeback_panel, chargeback_queue, figures
from dashboard.ui import errors, filters, header, status, tables

request_context.require(Permission.READ_CHARGEBACKS)
now = request_context.now()

if (wanted := navigation.asked()) is not None:
    figures.way_up("Chargebacks")
    request_context.shows(CHARGEBACK)
    try:
        with request_context.reading() as session:
            row = chargebacks.chargeback(session, wanted)
            borne = chargebacks.burden(session, row)
            booked = chargebacks.entries(session, row)
            answers = chargebacks.answers(session, row.id)
            case = chargeback_case.case(session, row.id)
            given_up = chargebacks.acceptances(session, row.id)
            remarks = chargebacks.remarks(session, row.id)
    except DeskError as missing:
        header.page("Chargeback")
        errors.show(missing)
        navigation.end()
    readings.note(ReadingKind.CHARGEBACK, row.id)
    header.page(
        f"Chargeback {row.reference}",
        f"{row.amount.text()} for “{row.milestone}”",
        badges=[status.pill("chargeback", row.status)],
    )
    chargeback_panel.countdown(row, now)
    chargeback_panel.whole(row, borne, booked, answers, case, given_up, remarks)
    navigation.end()

with request_context.reading() as session:
    urgent = chargebacks.due_queue(session)
header.page("Chargebacks", "Payments disputed by payers' banks.")
chargeback_queue.panel(urgent, now)
header.section("All chargebacks", "Newest first.")
with filters.bar():
    chosen = filters.one_of("Every status", status.labels("chargeback"), key="status")
cursor = tables.cursor("before", size=50)
with request_context.reading() as session:
    rows = chargebacks.page(session, status=chosen, before=cursor.before, limit=cursor.limit)
tables.table(
    rows,
    [
        tables.opens("reference", "Chargeback", page="chargebacks", width=92),
        tables.money("amount", "Disputed amount", width=120),
        tables.status("status", "Status", axis="chargeback", width=140),
        tables.due("answer_by", "Evidence due", now=now, width=110),
        tables.text("why", "Reason", width=146),
        tables.text("milestone", "Milestone", width=176),
        tables.text("payer", "Payer", width=140),
        tables.when("opened_at", "Opened", width=145),
    ],
    key="chargebacks",
    cursor=cursor,
    download=tables.Table(
        "chargebacks",
        lambda session: tables.every(
            lambda before, limit: chargebacks.page(session, status=chosen, before=before, limit=limit)
        ),
        filter={"status": chosen},
    ),
    name="Chargebacks, newest first",
    empty_state=(
        "No chargebacks",
        "Chargebacks and inquiries appear here when Stripe reports them.",
    ),
)

header.section("Cost and win rate", "Of the chargebacks opened in this time; inquiries take no money.")
with filters.bar("filters-outcomes"):
    since, until = filters.period(now, default="365")
chargeback_outcomes.table(since, until)
