"""What leaves Stripe until the end of tomorrow, on screen: the cash it needs by currency, and the list."""

from __future__ import annotations

from core.money import Money
from core.queries import payouts_ahead
from core.queries.payouts_ahead import Cash, Due
from dashboard import request_context
from dashboard.ui import cards, deadlines, header, tables
from dashboard.ui.cards import Kpi
from dashboard.ui.status import Tone

KINDS = {
    payouts_ahead.PAYOUT: "Payout",
    payouts_ahead.REFUND: "Refund",
    payouts_ahead.DECISION: "Decision",
    payouts_ahead.APPROVAL: "Auto-approval",
}


def _leads(row: Due) -> tuple[str, dict[str, object]]:
    return ("payouts", {"id": row.payout_id}) if row.payout_id else ("project", {"id": row.project_id})


def said(row: Cash) -> str:
    """Short by how much, covered, or that nobody knows."""
    if row.short is None:
        return "Not known: the available balance has not been read"
    return f"Short by {row.short.text()}" if row.short.is_positive else "Covered"


COLUMNS = [
    tables.leads("reference", "Payout", to=_leads, width=76),
    tables.money("amount", "Amount", width=112),
    tables.when("at", "Due", width=140),
    tables.text("to", "To", width=150),
    tables.text("kind", "Reason", value=lambda row: KINDS[row.kind], width=110),
    tables.text("milestone", "Milestone", width=170),
    tables.text("why", "Stopped by", width=360),
]
CASH = [
    tables.text("currency", "Currency"),
    tables.money("needed", "Needed"),
    tables.money("available", "Available at Stripe"),
    tables.text("state", "State", value=said),
    tables.money("stopped", "Stopped, not counted"),
    tables.when("read_at", "Balance read"),
]


def show() -> None:
    now = request_context.now()
    with request_context.reading() as session:
        found = payouts_ahead.ahead(session, now=now)
    cards.note(
        f"Due until {deadlines.exact(found.until)}. Withdrawal fees and set-off of decisions and approvals are not "
        "deducted, so what they need is the most that it can be."
    )
    if not found.whole:
        cards.note(f"Only the first {payouts_ahead.MOST:,} are listed and counted; more are due.")
    cards.kpis([_card(each) for each in found.cash])
    if found.cash:
        header.section("Cash needed by currency")
        tables.small(found.cash, CASH, name="Cash needed by currency")
        header.section("What is due")
    tables.table(
        found.due,
        COLUMNS,
        key="payouts-ahead",
        download=tables.Table(
            "payouts-ahead",
            lambda session: payouts_ahead.ahead(session, now=now).due,
            filter={"until": found.until},
        ),
        empty_state=("Nothing is due", "No payout or refund leaves Stripe until the end of tomorrow."),
        name="Due until the end of tomorrow",
    )


def _card(each: Cash) -> Kpi:
    short: Money | None = each.short
    tone: Tone = "wait" if short is None else ("bad" if short.is_positive else "good")
    return Kpi(f"Needed in {each.currency}", each.needed, note=said(each), tone=tone)
