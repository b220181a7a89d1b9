"""A payee, chosen by name."""

from __future__ import annotations

import streamlit as st

from core.queries import payee_holds
from dashboard import readings, request_context
from dashboard.ui.status import in_words


def choose(key: str, *, in_projects: bool) -> int | None:
    """Their number; None while no name is given, or nobody has it. `in_projects`: only who is paid for one."""
    typed = st.text_input("Payee", key=f"{key}-payee", placeholder="A name", max_chars=100)
    readings.looked_for(typed or "")
    with request_context.reading() as session:
        found = {
            each.id: each for each in payee_holds.candidates(session, typed or "", in_projects=in_projects)
        }
    if found:
        return st.selectbox(
            "Which one",
            list(found),
            format_func=lambda number: f"{found[number].name} · {in_words(found[number].platform)}",
            key=f"{key}-which",
        )
    if typed:
        st.caption("No payee has this name.")
    return None
