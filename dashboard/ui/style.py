"""Puts the kit's style sheet into the page, once a run, before anything else is drawn."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import streamlit as st


def apply() -> None:
    st.html(_sheet(_scheme()))


def _scheme() -> str:
    return "dark" if st.context.theme.type == "dark" else "light"


@cache
def _sheet(scheme: str) -> str:
    """Dialogs and popovers hang beside the app, so they do not inherit its scheme."""
    beside = f'[data-testid="stDialog"], [data-testid="stPopoverBody"] {{ color-scheme: {scheme}; }}'
    return f"<style>{Path(__file__).with_name('desk.css').read_text(encoding='utf-8')}\n{beside}</style>"
