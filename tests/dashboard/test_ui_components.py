"""The kit shows what it is given: exactly, in order, and without interpreting a word of it."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from core import table_files
from core.money import Money
from core.rules.status_labels import AXES
from dashboard.ui import charts, columns, deadlines, money, safe, status, tables, timeline

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
EVIL = '![p](http://evil.example/p.png) <img src=x onerror=alert(1)> **b** :red[r] $x$ `c` "q"'


@dataclass(frozen=True)
class Row:
    id: int
    name: str
    held: Money | None
    status: str
    due_at: datetime | None


ROWS = [
    Row(1, EVIL, Money(-123456, "USD"), "OPEN", NOW - timedelta(hours=6)),
    Row(2, "=HYPERLINK(1)", None, "RESOLVED", None),
]
COLUMNS = [
    tables.mono("id", "Case"),
    tables.text("name", "Payer"),
    tables.money("held", "Held"),
    tables.status("status", "Status", axis="case"),
    tables.due("due_at", "Due", now=NOW),
]


@given(st.text())
def test_markdown_cannot_be_written_from_outside(words: str) -> None:
    shown = safe.plain(words)
    assert not re.search(r"(?<!\\)(?:\\\\)*[`*_\[\]<>#|~$:!]", shown)


@given(st.text())
def test_html_cannot_be_written_from_outside(words: str) -> None:
    assert not set("<>\"'") & set(safe.html(words))


def test_marks_that_reorder_text_are_dropped() -> None:
    assert safe.html("invoice\u202egnp.exe") == "invoicegnp.exe"


def test_a_timeline_shows_an_outsiders_words_as_they_were_written() -> None:
    def page(evil: str) -> None:
        from datetime import UTC, datetime

        from dashboard.ui.timeline import TimelineItem, timeline

        at = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
        timeline(
            [
                TimelineItem(
                    at, "Message", who=evil, text=evil + "\nsecond", facts={evil: evil}, reference=evil
                )
            ],
            now=at,
        )

    shown = AppTest.from_function(page, args=(EVIL,)).run().html[0].value
    assert "<img" not in shown
    assert "&lt;img" in shown
    assert shown.count("**b**") == 5
    assert timeline.html_lines("a\n<b>") == "a<br>&lt;b&gt;"


def test_a_file_holds_exact_amounts_and_no_formula() -> None:
    out = io.BytesIO()
    table_files.pour(columns.titles(COLUMNS), (columns.filed(COLUMNS, row) for row in ROWS), out)
    written = out.getvalue().decode("utf-8-sig").splitlines()
    assert written[0] == "Case,Payer,Held,Held currency,Status,Due"
    assert ",-1234.56,USD,OPEN,2026-03-02T03:30:00Z" in written[1]
    assert written[2] == "2,'=HYPERLINK(1),,,RESOLVED,"


def test_amounts_of_a_column_sort_as_text_by_size() -> None:
    amounts = [Money(minor, "USD") for minor in (900, 8_000, 123_456, 12_345_678, 100)]
    shown = columns.arrow([{"held": each} for each in amounts], [tables.money("held", "Held")])[
        "held"
    ].to_pylist()
    assert [each.lstrip(columns.FIGURE_SPACE) for each in shown] == [each.text() for each in amounts]
    by_text = sorted(shown, key=lambda each: each.replace(columns.FIGURE_SPACE, " "))
    assert [each.strip(columns.FIGURE_SPACE) for each in by_text] == [each.text() for each in sorted(amounts)]


def test_a_selection_follows_its_row_when_another_arrives_above() -> None:
    def page() -> None:
        import streamlit as st

        from dashboard.ui import tables

        rows = [{"id": number} for number in st.session_state.get("ids", [1, 2, 3])]
        columns = [tables.mono("id", "Case")]
        st.text(f"chosen {tables.table(rows, columns, key='queue', select=True, download=None)}")

    app = AppTest.from_function(page).run()
    grid = next(key for key in app.session_state if str(key).startswith("queue:") and key != "queue:chosen")
    app.session_state[grid] = {"selection": {"rows": [1], "columns": [], "cells": []}}
    app.run()
    assert app.text[0].value == "chosen 2"
    app.session_state["ids"] = [9, 1, 2, 3]
    app.run()
    assert app.text[0].value == "chosen 2"
    app.session_state["ids"] = [9, 1, 3]
    app.run()
    assert app.text[0].value == "chosen None"


def test_a_cell_without_a_value_is_empty_and_says_no_word_of_python() -> None:
    def page() -> None:
        from dashboard.ui import tables

        rows = [{"id": 1, "at": None}]
        tables.table(
            rows, [tables.mono("id", "Case"), tables.when("at", "Ended")], key="queue", download=None
        )

    (grid,) = AppTest.from_function(page).run().dataframe
    assert (grid.proto.HasField("placeholder"), grid.proto.placeholder) == (True, "")


@pytest.mark.parametrize(
    ("due", "words", "tone"),
    [
        (timedelta(days=3), "in 3 days", "quiet"),
        (timedelta(hours=25), "in 25 hours", "quiet"),
        (timedelta(hours=24), "in 24 hours", "wait"),
        (timedelta(seconds=59), "in moments", "wait"),
        (timedelta(0), "moments late", "bad"),
        (timedelta(hours=-6), "6 hours late", "bad"),
        (timedelta(days=-2), "2 days late", "bad"),
    ],
)
def test_a_time_limit_in_words(due: timedelta, words: str, tone: str) -> None:
    assert (deadlines.words(NOW + due, NOW), deadlines.tone(NOW + due, NOW)) == (words, tone)


def test_a_state_that_the_table_does_not_know_is_shown_in_words() -> None:
    assert status.pill("case", "ON_THE_MOON") == status.Pill("On the moon")


@pytest.mark.parametrize("axis", AXES)
def test_labels_of_an_axis_differ(axis: str) -> None:
    labels = list(status.labels(axis).values())
    assert len(labels) == len(set(labels))


def test_every_state_that_the_database_allows_has_a_pill() -> None:
    from core.records import (
        Break,
        Chargeback,
        ManualJournal,
        Notification,
        OutgoingOperation,
        Project,
        ReconciliationRun,
        SuspenseItem,
        WebhookEvent,
    )
    from core.records.cases import Case, Decision
    from core.records.milestones import Milestone
    from core.records.payments import PaymentOrder, Payout, Refund

    stored = {
        "case": (Case, "status"), "decision": (Decision, "status"), "outcome": (Decision, "outcome"),
        "milestone": (Milestone, "status"), "operation": (OutgoingOperation, "status"),
        "webhook": (WebhookEvent, "status"), "notification": (Notification, "status"),
        "payment": (PaymentOrder, "state"), "payout": (Payout, "status"), "refund": (Refund, "status"),
        "suspense": (SuspenseItem, "status"), "reconciliation": (ReconciliationRun, "status"),
        "break class": (Break, "class"), "proposal": (ManualJournal, "status"), "project": (Project, "status"),
        "chargeback": (Chargeback, "status"),
    }  # fmt: skip
    for axis, (record, column) in stored.items():
        rules = [str(each.sqltext) for each in record.__table__.constraints if hasattr(each, "sqltext")]
        allowed = next(re.findall(r"'(\w+)'", rule) for rule in rules if rule.startswith(f"{column} in ("))
        assert set(allowed) <= set(AXES[axis]), axis


def test_sums_are_kept_apart_by_currency() -> None:
    assert money.sums([Money(100, "USD"), Money(250, "USD"), Money(500, "JPY")]) == "$3.50 · ¥500"


def test_an_axis_writes_amounts_as_every_other_place_does() -> None:
    bars = go.Figure([go.Bar(y=[1_900.0, 10.0]), go.Bar(y=[-700.0, 0.0])])
    assert charts._ticks(bars, "USD")["ticktext"] == ["-$1,000", "$0", "$1,000", "$2,000"]
    steps = go.Figure(go.Waterfall(y=[2_027.09, -59.0, 1_968.0]))
    assert charts._ticks(steps, "USD")["ticktext"] == ["$0", "$500", "$1,000", "$1,500", "$2,000", "$2,500"]
    assert charts._ticks(go.Figure(go.Bar(y=[0.02])), "EUR")["ticktext"] == [
        "€0.00",
        "€0.01",
        "€0.02",
        "€0.03",
    ]
    assert charts._ticks(go.Figure(go.Bar(y=[12_000.0])), "JPY")["ticktext"][1] == "¥5,000"


def test_days_under_a_chart_are_written_as_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[go.Figure] = []
    monkeypatch.setattr(charts, "_draw", lambda figure, *_, **__: drawn.append(figure))
    days, amounts = [date(2026, 9, 6), date(2026, 9, 7)], {"In": [Money(1, "USD"), Money(2, "USD")]}
    charts.bars(days, amounts, key="bars")
    charts.lines(days, amounts, key="lines")
    charts.bars(["Sep 2026", "Oct 2026"], amounts, key="months")
    assert [each.layout.xaxis.tickformat for each in drawn] == ["%-d %b", "%-d %b", None]


def test_sums_stand_in_one_order_of_currencies() -> None:
    assert money.sums([Money(1, "JPY"), Money(200, "EUR"), Money(100, "USD")]) == "$1.00 · €2.00 · ¥1"


def test_money_and_status_are_seen_on_a_narrow_screen() -> None:
    named, said = columns.text("name", "Name", width=200), columns.text("said", "Said", width=500)
    money, fee = columns.money("total", "Total", width=110), columns.money("fee", "Fee", width=110)
    state = columns.status("state", "Status", axis="milestone", width=120)
    row = {"name": "", "said": "", "total": Money(1, "USD"), "fee": Money(1, "USD"), "state": "FUNDED"}
    assert columns.narrow([named, said, state, money, fee], [row]) == [named, state, money, said, fee]
    assert columns.narrow([named, money, state, said], [row]) == [named, money, state, said], (
        "they fit as they are"
    )
    long = columns.text("said", "Said")
    words = {**row, "said": "x" * 400}
    assert columns.narrow([named, long, money], [words]) == [named, money, long], (
        "as wide as its longest cell"
    )
    assert columns.narrow([named, long, money], [row]) == [named, long, money]


def test_a_grid_has_its_rows_for_paper_with_the_year_and_nothing_of_an_outsider_is_markup() -> None:
    row = {"name": "<b>Ann</b>", "total": Money(123_456, "USD"), "at": datetime(2026, 3, 2, 9, 5, tzinfo=UTC)}
    shown = [columns.text("name", "Name"), columns.money("total", "Total"), columns.when("at", "At")]
    paper = columns.as_html([row], shown, "Rows", paper=True)
    assert "&lt;b&gt;Ann&lt;/b&gt;" in paper
    assert "$1,234.56" in paper
    assert "2 Mar 2026, 09:05" in paper


def test_a_day_sorts_as_one_and_is_written_in_the_one_notation() -> None:
    shown = [columns.day("on", "On")]
    rows = [{"on": date(2026, 3, 2)}, {"on": None}]
    grid = columns.arrow(rows, shown)
    assert grid.column("on").to_pylist() == [date(2026, 3, 2), None]
    assert columns.configure(shown[0], rows)["type_config"]["format"] == "D MMM YYYY"
    assert [columns.cell(shown[0], row) for row in rows] == ["2 Mar 2026", ""]
    assert columns.filed(shown[0:1], rows[0]) == [date(2026, 3, 2)]


def test_how_many_lines_a_text_takes_is_known() -> None:
    narrow, free = columns.text("said", "Said", width=120), columns.text("said", "Said")
    assert columns.lines_of(narrow, {"said": "Short"}) == 1
    assert columns.lines_of(narrow, {"said": "The payee's bank account is closed."}) == 3
    assert columns.lines_of(free, {"said": "x" * 400}) == 1, "it is as wide as its words"
