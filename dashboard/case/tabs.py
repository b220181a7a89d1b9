"""The left side of a case. Only the tab that is open is read and drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

import streamlit as st

from core.queries import letters as queries
from core.queries import notes
from core.queries.cases import Case
from core.queries.exhibits import Piece
from core.rules.permissions import Permission
from dashboard import current, letters
from dashboard.case import asof, margin, names, people, purse, stream, talk, terms
from dashboard.ui import cards
from dashboard.ui.evidence import gallery

NAMES = ("Evidence", "Timeline", "Messages", "Terms", "Money", "Parties", "Letters")


def show(
    case: Case,
    pieces: Sequence[Piece],
    *,
    now: datetime,
    until: datetime | None = None,
    whose: str | None = None,
) -> None:
    """`until`: nothing later than that; the case and the evidence are as `whose` eyes saw them then."""
    draw: dict[str, Callable[[], None]] = {
        "Evidence": lambda: _evidence(case, pieces, until, whose),
        "Timeline": lambda: stream.show(case, now=now, until=until),
        "Messages": lambda: talk.show(case, now=now, until=until),
        "Terms": lambda: terms.show(case),
        "Money": lambda: purse.show(case, now=now, until=until),
        "Parties": lambda: people.show(case, until),
        "Letters": lambda: _letters(case, until),
    }
    for name, tab in zip(
        NAMES, st.tabs(NAMES, key="tab", on_change="rerun", bind="query-params"), strict=True
    ):
        if tab.open:
            with tab:
                draw[name]()


def _letters(case: Case, until: datetime | None) -> None:
    with current.reading() as session:
        rows = queries.about(session, "milestone", case.dossier.milestone.id)
    shown = names.veiled(case, asof.before(rows, until))
    letters.show(shown, key=f"case-{case.id}", words=partial(names.within, case), narrow=True)
    if rows.note:
        cards.note(rows.note)


def _evidence(case: Case, pieces: Sequence[Piece], until: datetime | None, whose: str | None) -> None:
    """Looking back, the marks are those of whoever decided, and nothing is added."""
    words = None if names.shown(case) else partial(names.within, case)
    with current.reading() as session:
        found = notes.of_milestone(session, case.dossier.milestone.id, until=until)
    gallery(
        current.desk(),
        current.actor(),
        pieces,
        key=f"evidence-{case.id}" if until is None else f"evidence-{case.id}-then",
        words=words,
        notes=found,
        may_mark=current.may(Permission.WORK_TICKET) and until is None,
        whose=whose,
    )
    margin.show(case, pieces, found, add=until is None)
