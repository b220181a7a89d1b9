"""Holds: what is stopped, by whom, why, and since when."""

from __future__ import annotations

from core.queries import holds
from core.queries.holds import HoldFilter
from core.rules.holds import HoldKind
from core.rules.permissions import Permission
from dashboard import navigation, request_context
from dashboard.compliance import hold_panel, payee_hold_panel, risk_queue, style
from dashboard.ui import deadlines, filters, header, status, tables
from dashboard.ui.master_detail import side_by_side

LATELY = hold_panel.LIFTED_LATELY
STATES = {"ACTIVE": "In force", "RELEASED": "Lifted", LATELY: f"Lifted in {holds.LATELY.days} days"}
EMPTY = {
    "ACTIVE": (
        "No milestone is on hold",
        "Staff who may place holds stop a milestone's money here or in its case.",
    ),
    "RELEASED": (
        "No hold on a milestone was lifted yet",
        "Lifted holds stay here, with both reasons.",
    ),
    LATELY: (
        f"No hold on a milestone was lifted in {holds.LATELY.days} days",
        "Those that were lifted before are under “Lifted”.",
    ),
}

request_context.require(Permission.READ_CASES)
now = request_context.now()
style.apply()
buttons = header.page(
    "Holds",
    "Money held by staff, by a payer's late complaint or by the system. None of it is released or paid out until the "
    "hold is lifted.",
)
with request_context.reading() as session:
    figures = holds.figures(session, now=now)
with filters.bar():
    state = filters.choice("State", STATES, key="state", everything="All")
    labels = status.labels("hold")
    kind = filters.one_of("Any kind", {each: labels[each] for each in HoldKind}, key="because", width=150)
    words = filters.search("Reason, party or title", key="words", width=220)
since = now - holds.LATELY if state == LATELY else None
wanted = HoldFilter(
    state=holds.RELEASED if since else state,
    kind=kind,
    milestone_id=navigation.asked("milestone"),
    words=words,
    since=since,
)
window = tables.window("page", depends=(state, kind, words))
with request_context.reading() as session:
    total = holds.count(session, wanted)
    rows = holds.page(session, wanted, offset=window.offset, limit=window.size)

columns = [
    tables.text("reference", "Hold", width=64),
    tables.status("state", "State", axis="hold", width=90),
    tables.status("kind", "Kind", axis="hold", width=100),
    tables.text("about", "Milestone", width=230),
    tables.money("stopped", "Stopped", width=104, value=lambda row: None if row.released_at else row.stopped),
    tables.flag("lift_proposed", "Lift proposed", width=100),
    tables.text("reason", "Reason", width=260),
    tables.text("parties", "Payer · payee", width=200),
    tables.when("expected_end", "Expected end", width=140),
    tables.text("stood", "In force for", value=lambda row: deadlines.span(row.stood(now)), width=96),
    tables.text("placed_by", "Placed by", width=130),
    tables.when("placed_at", "Placed", width=160),
    tables.text("released_by", "Lifted by", value=lambda row: row.released_by or "", width=130),
    tables.when("released_at", "Lifted", width=160),
]


def listed(narrow: bool) -> int | None:
    chosen: int | None = tables.table(
        rows,
        columns[:5] if narrow else columns,
        key="holds",
        select=True,
        window=window,
        total=total,
        download=tables.Table(
            "holds",
            lambda session: tables.through(
                lambda offset, limit: holds.page(session, wanted, offset=offset, limit=limit)
            ),
            permission=Permission.EXPORT_CASE,
            filter={
                "state": wanted.state,
                "lifted_since": since,
                "kind": kind,
                "milestone": wanted.milestone_id,
                "words": words,
            },
            columns=[column for column in columns if column.name != "stood"],
        ),
        name="Holds",
        empty_state=None if words or kind else EMPTY.get(state or "ACTIVE"),
    )
    return chosen


side_by_side("holds", [row.id for row in rows], listed, hold_panel.show)
payee_hold_panel.section(wanted.state, since=since, but=navigation.asked("id"))
hold_panel.cards_above(figures, now)
risk_queue.section()
if request_context.may(Permission.PLACE_HOLD):
    with buttons:
        hold_panel.button()
        payee_hold_panel.button()
payee_hold_panel.drawers()
hold_panel.drawers()
risk_queue.drawers()
