"""The checks of the books on screen, as they were last run, with the rows of each that failed as they are now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import streamlit as st
from sqlalchemy.orm import Session

from core.queries import invariants
from core.queries.check_runs import RunOfChecks
from core.queries.invariant_queries import Rows
from core.queries.invariants import Checked, Result
from core.rules.check_runs import CheckPart
from dashboard.ui import cards, deadlines, header, status, tables
from dashboard.ui.cards import Kpi
from dashboard.ui.safe import plain


def verdict(checked: Checked) -> str:
    if checked.count is None:
        return "NOT_RUN"
    return "FAIL" if checked.count else "PASS"


def _whole(result: Result) -> tables.Table:
    """Every failing row, read again; none once it has been put right."""

    def rows(session: Session) -> Rows:
        return [{"n": place, **row} for place, row in enumerate(invariants.offending(session, result.name))]

    return tables.Table(f"check-{result.name}", rows)


def found(books: RunOfChecks) -> list[Checked]:
    """Every check of the books, with what this run found of it."""
    part = books.of(CheckPart.BOOKS)
    return invariants.as_found(part.rows if part else {})


def summary(checked: Sequence[Checked], books: RunOfChecks, now: datetime) -> None:
    failed = [each for each in checked if each.count]
    passed = sum(each.count == 0 for each in checked)
    rows = sum(each.count or 0 for each in failed)
    unknown = len(checked) - passed - len(failed)
    none = f"{unknown} not run yet" if unknown else "no failing rows"
    cards.kpis(
        [
            Kpi("Checks", len(checked)),
            Kpi("Passed", passed, tone="good", note="all of them" if passed == len(checked) else ""),
            Kpi(
                "Failed",
                len(failed),
                note=f"{rows:,} failing row{'' if rows == 1 else 's'}" if failed else none,
                tone="bad" if failed else "wait" if unknown else "good",
            ),
            Kpi("Run", deadlines.ago(books.started_at, now), note=deadlines.exact(books.started_at)),
        ]
    )


def broken(session: Session, checked: Sequence[Checked]) -> None:
    """Each check that failed, with its rows as they are now, as text that nothing interprets."""
    failed = {each.name for each in checked if each.count}
    for each in invariants.now_failing(session, failed):
        with cards.panel():
            if each.holds:
                st.info(
                    f"**{plain(status.in_words(each.name))}** failed in that run, and no row fails it now.",
                    icon=":material/refresh:",
                )
                continue
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


def listed(checked: Sequence[Checked]) -> None:
    """Every check with its result."""
    header.section("Checks")
    with cards.panel():
        tables.small(
            checked,
            [
                tables.status("verdict", "Result", axis="check", value=verdict),
                tables.text("law", "What must be true"),
                tables.count("rows", "Failing rows", value=lambda each: each.count),
            ],
            name="Checks",
        )
