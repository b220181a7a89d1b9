"""Which page of the queue is on screen: its place stands in the address, and coming back finds it."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.queries.disputes import CaseRow, Place
from dashboard.ui import filters

ADDRESS = ("view", "platform", "watch", "q", "after", "before")


def come_back() -> None:
    """Back from a case, the address may name the case and no filter any more: it is what it was before."""
    kept: dict[str, str] = st.session_state.get("queue:address", {})
    if "id" in st.query_params:
        st.query_params.clear()
        for name, value in kept.items():
            st.query_params[name] = value
        st.rerun()
    st.session_state["queue:address"] = {
        name: st.query_params[name] for name in ADDRESS if name in st.query_params
    }


def places() -> tuple[Place | None, Place | None]:
    """After which place the page begins, or before which it ends, as the address says."""
    return _place("after", "Rows after"), _place("before", "Rows before")


def _place(key: str, label: str) -> Place | None:
    given = st.query_params.get(key, "")
    place = Place.read(given)
    if given and place is None:
        filters.unreadable(label, key, given)
    return place


def heed(*depends: object) -> None:
    """With other filters it is the first page again."""
    seen = st.session_state.get("queue:depends")
    if seen is not None and seen != depends:
        turn(None, None)
    st.session_state["queue:depends"] = depends


def turn(name: str | None, place: Place | None) -> None:
    for each in ("after", "before"):
        st.query_params.pop(each, None)
    if name and place:
        st.query_params[name] = str(place)


def pages(rows: Sequence[CaseRow], *, total: int, left: int, bound: int, begun: bool) -> None:
    """Which rows these are, and the way to those before and after."""
    first = total - left - len(rows) + 1
    many = f"{total:,}{'+' if total >= bound else ''}"
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        if total < bound:
            st.caption(f"{first:,}–{first + len(rows) - 1:,} of {many}" if total > 1 else "1 case")
        else:
            st.caption(f"{len(rows):,} of {many}")
        with st.container(horizontal=True, width="content", gap="small", key="queue-turns"):
            if begun and (first > 1 or total >= bound):
                _turner("Previous", "before", rows[0].place, "chevron_left")
            if left > 0:
                _turner("Next", "after", rows[-1].place, "chevron_right")


def _turner(label: str, name: str, place: Place, icon: str) -> None:
    st.button(
        label,
        key=f"queue-{name}",
        icon=f":material/{icon}:",
        on_click=turn,
        args=(name, place),
    )
