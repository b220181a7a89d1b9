"""Puts the shapes that only the oversight pages have into the page."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import streamlit as st


def apply() -> None:
    st.html(_sheet())


@cache
def _sheet() -> str:
    return f"<style>{Path(__file__).with_name('compliance.css').read_text(encoding='utf-8')}</style>"
