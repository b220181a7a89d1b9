"""The left side of a case. Only the tab that is open is read and drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

import streamlit as st

from core.queries.cases import Case
from core.queries.exhibits import Piece
from dashboard import current
from dashboard.case import asof, margin, names, people, purse, stream, talk, terms
from dashboard.ui.evidence import gallery

NAMES = ("Evidence", "Timeline", "Messages", "Terms", "Money", "Parties")


def show(case: Case, pieces: Sequence[Piece], *, now: datetime) -> None:
    until = asof.chosen(case)
    pieces = asof.before(pieces, until)
    draw: dict[str, Callable[[], None]] = {
        "Evidence": lambda: _evidence(case, pieces),
        "Timeline": lambda: stream.show(case, now=now, until=until),
        "Messages": lambda: talk.show(case, now=now, until=until),
        "Terms": lambda: terms.show(case),
        "Money": lambda: purse.show(case, now=now),
        "Parties": lambda: people.show(case),
    }
    for name, tab in zip(
        NAMES, st.tabs(NAMES, key="tab", on_change="rerun", bind="query-params"), strict=True
    ):
        if tab.open:
            with tab:
                draw[name]()


def _evidence(case: Case, pieces: Sequence[Piece]) -> None:
    words = None if names.shown(case) else partial(names.within, case)
    gallery(current.desk(), current.actor(), pieces, key=f"evidence-{case.id}", words=words)
    margin.show(case, pieces)
