"""Refusals of the domain on screen: its own sentence, never a traceback."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from core.errors import DeskError
from dashboard.ui.safe import plain


def show(error: DeskError) -> None:
    """The sentence of a refusal, and its code for whoever asks for help."""
    st.error(plain(error.message), icon=":material/block:")


def reasons(each: Iterable[object], *, title: str = "Not now, because") -> None:
    """Why something cannot be done now: one line a reason, the same words that the action would refuse with."""
    lines = [plain(getattr(reason, "message", reason)) for reason in each]
    if lines:
        st.warning(f"**{plain(title)}**\n" + "".join(f"\n- {line}" for line in lines), icon=":material/lock:")
