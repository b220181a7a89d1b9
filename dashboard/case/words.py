"""Fields for words that are not lost: what was begun is kept in the database until it is sent."""

from __future__ import annotations

import streamlit as st

from core.actions import half_written
from dashboard import current


def area(
    case_id: int,
    place: str,
    label: str,
    *,
    height: int = 96,
    placeholder: str = "",
    hidden: bool = False,
    most: int = 10_000,
) -> str:
    """A field that begins with what this person last left in it, and keeps what it holds now."""
    key = field(case_id, place)
    if key not in st.session_state:
        st.session_state[key] = _kept(case_id, place)
    typed = st.text_area(
        label,
        key=key,
        height=height,
        max_chars=most,
        placeholder=placeholder,
        label_visibility="collapsed" if hidden else "visible",
    )
    _keep(case_id, place, typed or "")
    return typed or ""


def sent(case_id: int, place: str) -> None:
    """It is said: the field is empty again, and nothing is kept."""
    st.session_state.pop(field(case_id, place), None)
    _keep(case_id, place, "")


def field(case_id: int, place: str) -> str:
    return f"words-{case_id}-{place}"


def _kept(case_id: int, place: str) -> str:
    known = f"{field(case_id, place)}:kept"
    if known not in st.session_state:
        with current.reading() as session:
            found = half_written.find(session, current.actor(), ticket_id=case_id, place=place)
        st.session_state[known] = found
    kept: str = st.session_state[known]
    return kept


def _keep(case_id: int, place: str, body: str) -> None:
    if body == _kept(case_id, place):
        return
    actor, now = current.actor(), current.now()
    current.desk().database.run(
        lambda session: half_written.keep(session, actor, now=now, ticket_id=case_id, place=place, body=body)
    )
    st.session_state[f"{field(case_id, place)}:kept"] = body
