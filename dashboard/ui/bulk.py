"""One press for several rows: each in a transaction of its own, and what came of each is said beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import streamlit as st
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.actions.staff import sessions
from core.errors import DeskError
from core.rules.permissions import Actor
from dashboard import request_context
from dashboard.ui import cards, tables
from dashboard.ui.confirm import OUTCOMES, Outcomes, RefusedByDatabase, forget

Each = Callable[[Session, Actor, datetime, int], Any]
COLUMNS = [
    tables.text("what", "Row"),
    tables.flag("done", "Done"),
    tables.text("words", "Result"),
]


@dataclass(frozen=True)
class Result:
    what: str
    done: bool
    words: str


def carry_out(
    intent: str, rows: Sequence[tuple[int, str]], act: Each, *, done: str, key: str
) -> list[Result]:
    """`rows`: number and name of each. Once for this intent; a refusal of one row stops no other.

    The session row is read again for each, so a session that ends meanwhile writes nothing more.
    """
    outcomes: Outcomes = st.session_state.setdefault(OUTCOMES, Outcomes())
    token, database, now = request_context.token(), request_context.desk().database, request_context.now()

    def one(number: int, session: Session) -> None:
        signed_in = sessions.resolve(session, token, now=now)
        if signed_in is None:
            raise sessions.SessionEnded()
        act(session, signed_in.actor, now, number)

    def attempt(number: int, name: str) -> Result:
        try:
            database.run(lambda session: one(number, session))
        except DeskError as refusal:
            return Result(name, False, refusal.message)
        except IntegrityError:
            return Result(name, False, RefusedByDatabase().message)
        return Result(name, True, done)

    results = outcomes.of(intent, lambda: [attempt(number, name) for number, name in rows])
    st.session_state[f"{key}:results"] = results
    forget(intent)  # the next press tries again what was refused
    return results


def results(key: str) -> None:
    """What came of the last press, until it is put away."""
    found: list[Result] | None = st.session_state.get(f"{key}:results")
    if not found:
        return
    with cards.panel(f"{key}-results"):
        well = sum(each.done for each in found)
        st.markdown(f"**{well} of {len(found)} done.**")
        tables.small(found, COLUMNS, name="Result of each row")
        st.button("Close", key=f"{key}:close", type="tertiary", on_click=_put_away, args=(key,))


def _put_away(key: str) -> None:
    st.session_state.pop(f"{key}:results", None)
