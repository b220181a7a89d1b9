"""The list of holds on milestones: which are asked for, and what is said of each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from core.queries import holds
from core.queries.holds import HoldFilter
from core.rules.holds import HoldKind
from core.rules.permissions import Permission
from dashboard import navigation, readings, request_context
from dashboard.compliance.hold_panel import LIFTED_LATELY
from dashboard.ui import deadlines, filters, status, tables
from dashboard.ui.master_detail import side_by_side

STATES = {"ACTIVE": "In force", "RELEASED": "Lifted", LIFTED_LATELY: f"Lifted in {holds.LATELY.days} days"}
EMPTY = {
    "ACTIVE": (
        "No hold on a milestone is in force",
        "Staff who may place holds stop a milestone's money here or in its case. A hold on a payee is listed apart.",
    ),
    "RELEASED": (
        "No hold on a milestone was lifted yet",
        "Lifted holds stay here, with both reasons.",
    ),
    LIFTED_LATELY: (
        f"No hold on a milestone was lifted in {holds.LATELY.days} days",
        "Those that were lifted before are under “Lifted”.",
    ),
}


def show(now: datetime, panel: Callable[[int], None]) -> HoldFilter:
    """Filters, list and the `panel` of the one that was picked; returns what is asked for."""
    with filters.bar():
        state = filters.choice("State", STATES, key="state", everything="All")
        labels = status.labels("hold")
        kind = filters.one_of("Any kind", {each: labels[each] for each in HoldKind}, key="because", width=150)
        words = filters.search("Reason, party or title", key="words", width=220)
    readings.looked_for(words)
    since = now - holds.LATELY if state == LIFTED_LATELY else None
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
    columns = _columns(now)

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

    side_by_side("holds", [row.id for row in rows], listed, panel)
    return wanted


def _columns(now: datetime) -> list[tables.Column]:
    return [
        tables.text("reference", "Hold", width=64),
        tables.status("state", "State", axis="hold", width=90),
        tables.status("kind", "Kind", axis="hold", width=100),
        tables.text("about", "Milestone", width=230),
        tables.money(
            "stopped", "Stopped", width=104, value=lambda row: None if row.released_at else row.stopped
        ),
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
