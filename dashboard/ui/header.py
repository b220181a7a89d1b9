"""The top of a page: where one is, in what state it is, and what one can do with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from dashboard.ui import status
from dashboard.ui.safe import plain

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

FLASH = "desk:flash"
FLASHED = "desk:flashed"
BELOW = "desk:below-header"


def page(
    title: str, subtitle: str = "", *, badges: Sequence[status.Pill] = (), back: tuple[str, str] | None = None
) -> DeltaGenerator:
    """Title, subtitle and badges on the left; returns the place for the page's buttons on the right.

    `back` is (page, label), for example `("disputes", "Cases")`: the way up from a detail page.
    Title and subtitle may hold words of outsiders.
    """
    if back:
        _way_back(*back)
    with st.container(
        horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", gap="medium"
    ):
        with st.container(gap="xxsmall", width="stretch"):
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.title(plain(title), anchor=False, width="content")
                for badge in badges:
                    status.show(badge)
            if subtitle:
                st.caption(plain(subtitle))
        buttons = st.container(horizontal=True, horizontal_alignment="right", gap="small", width="content")
    _flash()
    st.session_state[BELOW] = st.container()
    return buttons


def warn(sentence: str) -> None:
    """On top of the page that was drawn: what came to light only at its end."""
    with st.session_state.get(BELOW) or st.container():
        st.warning(plain(sentence), icon=":material/sync_problem:")


def section(title: str, note: str = "") -> None:
    """A heading inside a page, with a quiet line beside it."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.subheader(plain(title), anchor=False, width="content")
        if note:
            st.caption(plain(note))


@dataclass(frozen=True)
class Notice:
    """What came of a press. `good`: it is what was wanted; where it is not, nobody takes it for that."""

    sentence: str
    good: bool = True


def say(what: str | Notice) -> None:
    """What just happened, shown once on top of the next page that is drawn."""
    st.session_state[FLASH] = Notice(what) if isinstance(what, str) else what


def _flash() -> None:
    said: Notice | None = st.session_state.get(FLASH)
    if said is None:
        return
    if said.good:
        st.success(plain(said.sentence), icon=":material/check_circle:")
    else:
        st.error(plain(said.sentence), icon=":material/cancel:")
    st.session_state[FLASHED] = True


def forget_said() -> None:
    """After a whole page: a run may end at each element, and the notice is then drawn again."""
    if st.session_state.pop(FLASHED, False):
        st.session_state.pop(FLASH, None)


def _way_back(name: str, label: str) -> None:
    from dashboard import navigation

    navigation.link(name, label, icon=":material/arrow_back:")
