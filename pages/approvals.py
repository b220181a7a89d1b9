"""The second person's queue: decisions that wait for an approval, the longest waiting first."""

from __future__ import annotations

from core.queries import approvals
from core.queries.approvals import ApprovalRow
from core.rules.permissions import Permission
from dashboard import request_context
from dashboard.case import style
from dashboard.case.decision import approval_panel
from dashboard.finance import proposals_waiting
from dashboard.ui import cards, deadlines, header, money, tables
from dashboard.ui.cards import Kpi
from dashboard.ui.master_detail import side_by_side

actor = request_context.require(Permission.APPROVE_DECISION)
now, me = request_context.now(), actor.id or 0

style.apply()
header.page(
    "Approvals",
    "Decisions that need a second person before money moves. What else waits for one, and you may see, stands below.",
)
window = tables.window("page")
with request_context.reading() as session:
    figures = approvals.figures(session, me=me)
    rows = approvals.page(session, me=me, offset=window.offset, limit=window.size)

cards.kpis(
    [
        Kpi("Waiting", figures.waiting, "for a second person", "wait" if figures.waiting else None),
        Kpi("You can review", figures.yours, "as the second person"),
        Kpi(
            "Longest wait",
            deadlines.span(now - figures.oldest) if figures.oldest else "—",
            "for a second person",
        ),
        Kpi(
            "To be moved",
            figures.stakes[0] if figures.stakes else "—",
            money.sums(figures.stakes[1:]) if figures.stakes[1:] else "release and refund",
        ),
    ]
)


def yours(row: ApprovalRow) -> str:
    if row.maker_id == me:
        return "You made it"
    if row.recused:
        return "Recused"
    return "You have a tie" if row.tied else "Yes"


columns = [
    tables.text("reference", "Case", width=58),
    tables.status("outcome", "Outcome", axis="outcome", width=112),
    tables.money(
        "release", "Released", width=100, help="Of what is held, before fees and debts of the payee."
    ),
    tables.money("refund", "Refunded", width=100, help="Of what is held, without fees that go back with it."),
    tables.text("maker", "Decided by", width=102),
    tables.text(
        "waits",
        "Waiting for",
        width=80,
        value=lambda row: deadlines.span(now - row.made_at),
        filed=("Decided at", lambda row: row.made_at),
    ),
    tables.text("yours", "For you", width=70, value=yours),
    tables.text("why", "Why a second person", width=190, value=lambda row: " ".join(row.why)),
    tables.text("parties", "Payer · payee", width=158),
    tables.text("milestone", "About", width=118),
]


def listed(narrow: bool) -> int | None:
    chosen: int | None = tables.table(
        rows,
        columns[:7] if narrow else columns,
        key="approvals",
        select=True,
        window=window,
        total=figures.waiting,
        download=tables.Table(
            "approvals",
            lambda session: tables.through(
                lambda offset, limit: approvals.page(session, me=me, offset=offset, limit=limit)
            ),
            permission=Permission.EXPORT_CASE,
        ),
        name="Decisions that wait for a second person",
        empty_state=(
            "No decision waits for approval",
            "Decisions that need a second person appear here at once.",
        ),
    )
    return chosen


side_by_side("approvals", [row.id for row in rows], listed, approval_panel.show)
proposals_waiting.beside_decisions()
