"""A table with what was picked in it beside it; the pick stands in the address, so it can be sent to a colleague."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import streamlit as st

from dashboard import navigation
from dashboard.ui import tables

RATIO = (13, 9)


def side_by_side(
    key: str,
    ids: Sequence[int],
    table: Callable[[bool], int | None],
    panel: Callable[[int], None],
    *,
    param: str = "id",
) -> None:
    """Draw `table(narrow)`, which gives the id that was picked, and next to it `panel(id)`, when there is one.

    The address may ask for something that is not among the rows on screen; it is shown all the same. `key` is the
    key of the table.
    """
    asked = navigation.asked(param)
    tables.follow(key, asked)
    shown = st.session_state.get(f"{key}:chosen") or asked
    places = _places(bool(shown))
    with places[0]:
        picked = table(bool(shown))
    if picked is None and asked and asked not in ids:
        picked = st.session_state[f"{key}:chosen"] = asked
    tables.said(key, picked)
    _say(param, picked)
    if bool(picked) != bool(shown):
        st.rerun()
    if picked:
        with places[1], st.container(border=True, key=f"{key}-panel"):
            panel(picked)


def close(key: str, param: str = "id") -> None:
    """For the `on_click` of a button that closes the panel of something that is not among the rows."""
    for name in ("chosen", "asked"):
        st.session_state.pop(f"{key}:{name}", None)
    st.query_params.pop(param, None)


def _places(two: bool) -> list[AbstractContextManager[Any]]:
    return list(st.columns(RATIO if two else 1, gap="medium"))


def _say(param: str, picked: int | None) -> None:
    if picked:
        st.query_params[param] = str(picked)
    else:
        st.query_params.pop(param, None)
