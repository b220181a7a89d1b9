"""A page with nothing on it says why, and what to do next."""

from __future__ import annotations

import streamlit as st

from dashboard.ui.safe import html


def state(title: str, what_next: str, *, icon: str = "inbox", marked: str = "ed-empty") -> None:
    """An empty place: a title, and one sentence that says what would fill it or what to do."""
    with st.container(border=True, horizontal_alignment="center", gap="xxsmall"):
        st.space("small")
        st.markdown(f":gray[:material/{icon}:]", width="content")
        st.html(f'<div class="{marked}"><b>{html(title)}</b><span>{html(what_next)}</span></div>')
        st.space("small")


def unknown(kind: str, called: object, what_next: str) -> None:
    """The address names an object that is not there, or is nobody's to see who reads it; without a name, none."""
    title = f"There is no such {kind}" if called is None else f"There is no {kind} {called}"
    state(title, what_next, icon="search_off")


def to_choose(title: str, what_next: str, *, icon: str) -> None:
    """What shows once something is pressed. It says nothing to whoever reads the page on paper."""
    state(title, what_next, icon=icon, marked="ed-empty ed-screen")


def nothing_matches() -> None:
    """The filters leave nothing over."""
    state("Nothing matches", "Remove a filter, or search for something shorter.", icon="filter_alt_off")
