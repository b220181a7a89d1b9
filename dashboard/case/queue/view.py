"""The queue on screen: its views, its figures, its rows, its pages, its keys, and what an empty view says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import streamlit as st

from core.letters.template import PEOPLE
from core.queries import disputes
from core.queries.disputes import CaseFilter, CaseRow, Figures, View, Watch
from core.rules.cases import BLOCKING
from core.rules.name_redaction import redaction
from core.rules.permissions import Permission
from dashboard import request_context
from dashboard.ui import cards, components, confirm, deadlines, download, money, status, tables
from dashboard.ui.cards import Kpi
from dashboard.ui.status import Pill, in_words

SIZE = 50
VIEWS = {
    View.MINE.value: "Mine",
    View.UNASSIGNED.value: "Unassigned",
    View.WAITING.value: "Waiting for a party",
    View.OVERDUE.value: "Overdue",
    View.ESCALATED.value: "Escalated",
    View.APPROVAL.value: "Needs approval",
    View.DECIDED.value: "Closed",
}
WATCH = {
    Watch.UNREAD.value: "Unread",
    Watch.HIGH_VALUE.value: "High value",
    Watch.HOLD.value: "On hold",
    Watch.RISK.value: "Risk review",
    Watch.CHARGEBACK.value: "Chargeback",
    Watch.COOLING_OFF.value: "Cooling off",
    Watch.VOIDED.value: "Decision void",
    Watch.SINCE.value: "New messages",
}
EMPTY = {
    View.MINE: ("No case is yours", "Claim the next one, or look under Unassigned."),
    View.UNASSIGNED: ("Every case has a mediator", "New ones appear here as soon as mediation begins."),
    View.WAITING: (
        "No case is waiting for a party",
        "Ask a party for an answer in a case, and it waits here.",
    ),
    View.OVERDUE: ("Nothing is overdue", "Well done. Cases appear here when their time limit passes."),
    View.ESCALATED: ("Nothing is escalated", "A case comes here when it was not decided in time."),
    View.APPROVAL: (
        "No decision waits for approval",
        "Decisions above the threshold wait here for a second person.",
    ),
}
NOTHING = ("No cases", "Disputes that payers open appear here as cases.")
COLUMNS = (
    ("Case", False, ""),
    ("Payer · payee", False, ""),
    ("About", False, ""),
    ("Marketplace · reason", False, ""),
    ("At stake", True, "The amount held, or the amount disputed once nothing is held."),
    ("Due (UTC)", False, "The next time limit: an answer, the beginning of mediation, or the decision."),
    ("Status · mediator", False, ""),
    ("Flags", False, ""),
    ("New", True, "Messages and evidence since you last had the case open."),
    ("Age", True, "Since the dispute was opened."),
)


def figures(now: Figures) -> None:
    """The cards above the queue; they count all open cases, whatever is filtered."""
    stakes = now.stakes
    cards.kpis(
        [
            Kpi("Open cases", now.open, f"{now.unassigned} without a mediator"),
            Kpi("Yours", now.mine, f"{now.waiting} waiting for a party"),
            Kpi("Overdue", now.overdue, "past their time limit", "bad" if now.overdue else None),
            Kpi("Escalated", now.escalated, "with the administrators", "bad" if now.escalated else None),
            Kpi("Needs approval", now.approval, "a second person", "wait" if now.approval else None),
            Kpi(
                "At stake", stakes[0] if stakes else "—", money.sums(stakes[1:]) if stakes[1:] else "held now"
            ),
        ]
    )


def table(rows: Sequence[CaseRow], *, now: datetime) -> int | None:
    """The rows; returns the case that was opened. Keys that mean something else are answered here."""
    said = components.mount(
        "queue",
        key="queue",
        data={
            "name": "Cases, the most urgent first",
            "columns": COLUMNS,
            "rows": [line(each, now) for each in rows],
            "views": ["", *VIEWS],
            "search": ".st-key-q input",
            "newsMeaning": "New since you last had it open",
        },
        triggers=("opened", "asked"),
    )
    _answer(said["asked"])
    opened = said["opened"]
    return opened if opened in {each.id for each in rows} else None


def _answer(asked: str | None) -> None:
    if asked == "help":
        confirm.open_drawer("keys")
    elif asked and asked.startswith("view:"):
        st.session_state["queue:view"] = asked.removeprefix("view:")
        st.rerun()


def asked_view() -> None:
    """A key may have asked for a view; a widget only takes it before it is drawn."""
    if (wanted := st.session_state.pop("queue:view", None)) is not None and (wanted in VIEWS or not wanted):
        st.session_state["view"] = wanted


FILE = [
    tables.text("reference", "Case"),
    tables.text("payer", "Payer"),
    tables.text("payee", "Payee"),
    tables.text("project", "Project"),
    tables.text("milestone", "Milestone"),
    tables.text("platform", "Marketplace"),
    tables.text("reason", "Reason"),
    tables.money("stake", "At stake"),
    tables.when("due_at", "Due"),
    tables.status("status", "Status", axis="case"),
    tables.text("mediator", "Mediator"),
    tables.marks("marks", "Flags", axis="mark"),
    tables.count("news", "New"),
    tables.when("opened_at", "Opened"),
]


def file(wanted: CaseFilter) -> None:
    """Every case that matches, under the names or the roles that the reader sees on the page."""
    decides, escalated = (
        request_context.may(Permission.DECIDE),
        request_context.may(Permission.DECIDE_ESCALATED),
    )
    whole = tables.Table(
        "disputes",
        lambda session: (
            _without_names(row, decides=decides, escalated=escalated)
            for row in disputes.every(session, wanted)
        ),
        permission=Permission.EXPORT_CASE,
        filter={
            "view": wanted.view,
            "platform": wanted.platform,
            "watch": wanted.watch,
            "words": wanted.words,
        },
    )
    download.table(whole, FILE, key="queue")


def _without_names(row: CaseRow, *, decides: bool, escalated: bool) -> CaseRow:
    """Roles for names, where the reader may decide the case and has not judged it yet."""
    if not (row.unjudged and (decides or (escalated and "ESCALATED" in row.marks))):
        return row
    people = PEOPLE.get(row.platform, PEOPLE[""])
    payer, payee = people["payer"], people["payee"]
    words = redaction([(row.payer, f"the {payer}"), (row.payee, f"the {payee}")]).words
    return replace(
        row,
        payer=payer.capitalize(),
        payee=payee.capitalize(),
        milestone=words(row.milestone),
        project=words(row.project),
    )


def line(row: CaseRow, now: datetime) -> dict[str, Any]:
    """A row as the page gets it: words, and pills with their tone."""
    may = request_context.may
    row = _without_names(row, decides=may(Permission.DECIDE), escalated=may(Permission.DECIDE_ESCALATED))
    running = row.status in BLOCKING
    due = Pill(deadlines.words(row.due_at, now), deadlines.tone(row.due_at, now))
    closed = Pill("Closed", "quiet")
    return {
        "id": row.id,
        "reference": row.reference,
        "payer": row.payer,
        "payee": row.payee,
        "milestone": row.milestone,
        "project": row.project,
        "platform": in_words(row.platform),
        "reason": row.reason,
        "stake": row.stake.text(),
        "due": _pill(due if running else closed),
        "exact": _exact(row.due_at, now) if running and row.due_at else "",
        "status": _pill(status.pill("case", row.status)),
        "mediator": row.mediator or ("Unassigned" if running else "No mediator"),
        "marks": [_pill(status.pill("mark", each)) for each in row.marks],
        "news": row.news,
        "age": deadlines.span(now - row.opened_at),
    }


def _exact(at: datetime, now: datetime) -> str:
    return f"{at.astimezone(UTC):%-d %b, %H:%M}" if at.year == now.year else deadlines.brief(at)


def _pill(each: Pill) -> dict[str, str | None]:
    return {"label": each.label, "tone": each.tone, "meaning": each.meaning}


def empty(wanted: CaseFilter) -> tuple[str, str] | None:
    """Nothing matches the filters; or a view that is empty says why."""
    if wanted.narrowed:
        return None
    return EMPTY.get(wanted.view, NOTHING) if wanted.view else NOTHING
