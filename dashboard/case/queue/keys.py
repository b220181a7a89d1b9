"""The keys of the queue and of a case, and the sheet that names them."""

from __future__ import annotations

import streamlit as st

from dashboard.ui import confirm
from dashboard.ui.safe import html

KEYS = (
    ("J ↓ · K ↑", "Next case, previous case"),
    ("Home · End", "First, last on the page"),
    ("Enter", "Open the case"),
    ("N", "Claim the next available case"),
    ("/", "Search parties, titles and numbers"),
    ("1 … 8", "Switch the view, in the order of the bar; 1 shows all open cases"),
    ("[ · ]", "Previous page, next page of the queue"),
    ("?", "This list"),
)
CASE_KEYS = (
    ("J · K", "In a case: your next case, your previous case"),
    ("D", "In a case: preview the decision"),
    ("+ − 0 · arrows", "On a picture: zoom in, zoom out, fit; pan"),
)


def help_button() -> None:
    st.button(
        "",
        key="queue-help",
        icon=":material/keyboard:",
        type="tertiary",
        help="Keyboard shortcuts (?)",
        on_click=confirm.open_drawer,
        args=("keys",),
    )


def drawers() -> None:
    if confirm.drawer("keys") is not None:
        _keys()


@st.dialog("Keyboard shortcuts", on_dismiss=confirm.close_drawer)
def _keys() -> None:
    lines = "".join(
        f"<tr><td>{_caps(keys)}</td><td>{html(what)}</td></tr>" for keys, what in KEYS + CASE_KEYS
    )
    st.html(f'<table class="ed-table" aria-label="Keyboard shortcuts"><tbody>{lines}</tbody></table>')


def _caps(keys: str) -> str:
    return " ".join(f"<kbd>{html(each)}</kbd>" if each not in "·…" else html(each) for each in keys.split())
