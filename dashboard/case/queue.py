"""The queue on screen: its views, its figures, its columns, and what an empty view says."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from core.queries.disputes import Figures, Filter, View
from dashboard.ui import cards, money, tables
from dashboard.ui.cards import Kpi

VIEWS = {
    View.MINE.value: "Mine",
    View.UNASSIGNED.value: "Unassigned",
    View.WAITING.value: "Waiting",
    View.OVERDUE.value: "Overdue",
    View.ESCALATED.value: "Escalated",
    View.APPROVAL.value: "Needs approval",
    View.DECIDED.value: "Closed",
}
EMPTY = {
    View.MINE: ("No case is yours", "Claim the next one, or look under Unassigned."),
    View.UNASSIGNED: ("Every case has a mediator", "New ones appear here as soon as mediation begins."),
    View.WAITING: ("Nobody is being waited for", "Ask a party for an answer in a case, and it waits here."),
    View.OVERDUE: ("Nothing is overdue", "Well done. Cases appear here when their time limit passes."),
    View.ESCALATED: ("Nothing is escalated", "A case comes here when it was not decided in time."),
    View.APPROVAL: (
        "Nothing waits for approval",
        "Decisions above the threshold wait here for a second person.",
    ),
}


NOTHING = ("No disputes", "Disputes that payers open appear here.")


def figures(now: Figures) -> None:
    """The cards above the queue; they count all open cases, whatever is filtered."""
    stakes = now.stakes
    cards.kpis(
        [
            Kpi("Open cases", now.open, f"{now.unassigned} without a mediator"),
            Kpi("Yours", now.mine, f"{now.waiting} of all wait for a party"),
            Kpi("Overdue", now.overdue, "past their time limit", "bad" if now.overdue else None),
            Kpi("Escalated", now.escalated, "with the administrators", "bad" if now.escalated else None),
            Kpi("Needs approval", now.approval, "a second person", "wait" if now.approval else None),
            Kpi(
                "At stake", stakes[0] if stakes else "—", money.sums(stakes[1:]) if stakes[1:] else "held now"
            ),
        ]
    )


def columns(now: datetime) -> Sequence[tables.Column]:
    return [
        tables.opens("id", "Case", page="case", value=lambda row: row.reference, width=64),
        tables.text("parties", "Payer · payee", width=178),
        tables.text("about", "About", width=150),
        tables.text("reason", "Reason", width=96),
        tables.money("stake", "At stake", width=96),
        tables.status("status", "Status", axis="ticket", width=120),
        tables.due("due_at", "Due", now=now, width=96),
        tables.text("mediator", "Mediator", width=100, value=lambda row: row.mediator or "—"),
        tables.marks("marks", "Watch", axis="mark", width=118),
        tables.count("news", "New", width=46, help="Messages from the parties since staff last wrote."),
    ]


def empty(wanted: Filter) -> tuple[str, str] | None:
    """Nothing matches the filters; or a view that is empty says why."""
    if wanted.words or wanted.platform:
        return None
    return EMPTY.get(wanted.view, NOTHING) if wanted.view else NOTHING
