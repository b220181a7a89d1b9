"""Filters in one row above a table. Every choice stands in the address, so a view can be sent to a colleague."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator


def bar() -> DeltaGenerator:
    """A row for filters; they wrap when the room is narrow."""
    return st.container(horizontal=True, vertical_alignment="center", gap="small")


def search(placeholder: str = "Search", *, key: str = "q", width: int = 260) -> str:
    """Free words. What is typed is passed to a query as a parameter, never as SQL."""
    typed = st.text_input(
        placeholder,
        key=key,
        type="search",
        placeholder=placeholder,
        label_visibility="collapsed",
        live=True,
        width=width,
        max_chars=100,
        bind="query-params",
    )
    return (typed or "").strip()


def choice(label: str, options: Mapping[str, str], *, key: str, everything: str = "All") -> str | None:
    """One of a few, side by side: stored value → label. None is everything."""
    names = {"": everything, **options}
    _heed(key, options)
    picked = st.segmented_control(
        label,
        list(names),
        key=key,
        format_func=names.__getitem__,
        default="",
        required=True,
        label_visibility="collapsed",
        bind="query-params",
    )
    return picked or None


def one_of(label: str, options: Mapping[str, str], *, key: str, width: int = 200) -> str | None:
    """One of many, in a list that can be searched. None is everything."""
    _heed(key, options)
    return st.selectbox(
        label,
        list(options),
        index=None,
        key=key,
        format_func=options.__getitem__,
        placeholder=label,
        label_visibility="collapsed",
        width=width,
        bind="query-params",
    )


def several(label: str, options: Mapping[str, str], *, key: str, width: int = 260) -> list[str]:
    """Any of several; an empty list is everything."""
    return st.multiselect(
        label,
        list(options),
        key=key,
        format_func=options.__getitem__,
        placeholder=label,
        label_visibility="collapsed",
        width=width,
        bind="query-params",
    )


def _heed(key: str, options: Mapping[str, str]) -> None:
    """Streamlit writes labels into the address; a link of our own may hold the stored value instead."""
    asked = st.query_params.get(key)
    if asked and asked in options and asked not in options.values():
        st.session_state[key] = asked


def toggle(label: str, *, key: str, value: bool = False) -> bool:
    """A switch."""
    return st.toggle(label, value=value, key=key, bind="query-params")


PERIODS = {"7": "7 days", "30": "30 days", "90": "90 days", "365": "A year"}


def period(now: datetime, *, key: str = "period", default: str = "30") -> tuple[datetime, datetime]:
    """A span that ends now and begins on a midnight, UTC."""
    days = st.segmented_control(
        "Period",
        list(PERIODS),
        key=key,
        default=default,
        required=True,
        format_func=PERIODS.__getitem__,
        label_visibility="collapsed",
        bind="query-params",
    )
    first = (now - timedelta(days=int(days or default) - 1)).date()
    return datetime.combine(first, time(), UTC), now
