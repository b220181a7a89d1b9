"""The checks of the books on screen, with the failing rows of each that fails."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import streamlit as st
from sqlalchemy.orm import Session

from core.queries import invariants
from core.queries.invariant_queries import Rows
from core.queries.invariants import Result
from dashboard.ui import cards, deadlines, header, status, tables
from dashboard.ui.cards import Kpi
from dashboard.ui.safe import plain


def verdict(result: Result) -> str:
    return "PASS" if result.holds else "FAIL"


def _whole(result: Result) -> tables.Table:
    """Every failing row, read again; none once it has been put right."""

    def rows(session: Session) -> Rows:
        return [{"n": place, **row} for place, row in enumerate(invariants.offending(session, result.name))]

    return tables.Table(f"check-{result.name}", rows)


def summary(results: Sequence[Result], now: datetime) -> None:
    wrong = [each for each in results if not each.holds]
    rows = sum(each.count for each in wrong)
    cards.kpis(
        [
            Kpi("Checks", len(results)),
            Kpi("Passed", len(results) - len(wrong), tone="good", note="all of them" if not wrong else ""),
            Kpi(
                "Failed",
                len(wrong),
                note=f"{rows:,} failing rows" if wrong else "no failing rows",
                tone="bad" if wrong else "good",
            ),
            Kpi("Run at", deadlines.exact(now)),
        ]
    )


def broken(results: Sequence[Result]) -> None:
    """Each failed check with its rows, as text that nothing interprets."""
    for each in results:
        if each.holds:
            continue
        with cards.panel():
            st.error(f"**{plain(status.in_words(each.name))}** {plain(each.law)}", icon=":material/gpp_bad:")
            columns = [tables.text(name, status.in_words(name)) for name in each.rows[0]]
            numbered = [{"n": place, **row} for place, row in enumerate(each.rows)]
            tables.table(
                numbered, columns, key=f"broken-{each.name}", id="n", download=_whole(each), name=each.law
            )
            if each.count > len(each.rows):
                cards.note(
                    f"The first {len(each.rows)} of {each.count:,} are shown; the file holds all of them."
                )


def listed(results: Sequence[Result]) -> None:
    """Every check with its result."""
    header.section("Checks")
    with cards.panel():
        tables.small(
            results,
            [
                tables.status("verdict", "Result", axis="check", value=verdict),
                tables.text("law", "What must be true"),
                tables.count("rows", "Failing rows", value=lambda each: each.count),
            ],
            name="Checks",
        )
