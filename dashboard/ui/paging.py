"""Which rows of a query are on screen. Numbered pages for small tables, older and newer for those that only grow.

Both are asked before the query and drawn after the table, so their state lives under the key in the session and in
the address.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import streamlit as st

from dashboard.ui import filters

SIZE = 50
LARGEST_OFFSET = 2**62  # the database counts to 2**63 − 1; no table is that long


@dataclass(frozen=True)
class Window:
    """Rows `offset` to `offset + size` of a table whose rows can be counted, if need be no further than `bound`."""

    key: str
    page: int
    size: int
    bound: int | None = None

    @property
    def offset(self) -> int:
        return min((self.page - 1) * self.size, LARGEST_OFFSET)

    def show(self, total: int, here: int) -> None:
        pages = max(1, -(-total // self.size))
        if self.page > pages:
            _to_the_last(self, pages, total)
        first = self.offset + 1 if here else 0
        every = f"{total:,} or more" if total == self.bound else f"{total:,}"
        st.caption(f"{first:,}–{self.offset + here:,} of {every}" if total else "No rows")
        if pages > 1:
            st.pagination(pages, key=self.key, bind="query-params")


def _to_the_last(window: Window, pages: int, total: int) -> NoReturn:
    """The page asked for is beyond the last: that one is shown, and it is said."""
    st.session_state[f"{window.key}:beyond"] = (
        f"There is no page {window.page:,}. This is the last, page {pages:,}."
        if total != window.bound
        else f"Pages are numbered up to {pages:,}, and this is that page. Filters find what comes after it."
    )
    st.session_state.pop(window.key, None)
    if pages > 1:
        st.query_params[window.key] = str(pages)
    else:
        st.query_params.pop(window.key, None)
    st.rerun()


def window(key: str = "page", *, depends: Sequence[object] = (), bound: int | None = None) -> Window:
    """The page asked for. When what it `depends` on (the filters) changes, it is the first again."""
    seen = st.session_state.get(f"{key}:depends")
    if seen is not None and seen != tuple(depends):
        st.session_state.pop(key, None)
        st.query_params.pop(key, None)
    st.session_state[f"{key}:depends"] = tuple(depends)
    page = st.session_state.get(key) or filters.asked_number(key, "Page")
    if page == 0:
        filters.unreadable("Page", key, "0")
    if said := st.session_state.pop(f"{key}:beyond", None):
        st.info(said, icon=":material/last_page:")
    return Window(key, page or 1, SIZE, bound)


ON_PAPER = "These rows are a part of a longer list: its file has all of them."


@dataclass(frozen=True)
class Cursor:
    """The `size` rows before the id `before`, newest first. Ask for `size + 1`: the extra row says there is more. `of`
    is what a row has that number as."""

    key: str
    before: int | None
    size: int
    of: str = "id"

    @property
    def limit(self) -> int:
        return self.size + 1

    def show(self, rows: Sequence[Any]) -> None:
        trail: list[int | None] = st.session_state.setdefault(f"{self.key}:trail", [])
        if self.before is not None or len(rows) > self.size:
            st.html(f'<div class="ed-paper">{ON_PAPER}</div>')
        with st.container(horizontal=True, gap="small", width="content", key=f"{self.key}-turns"):
            if self.before is not None:
                st.button(
                    "Newest",
                    key=f"{self.key}:newest",
                    type="tertiary",
                    on_click=_move,
                    args=(self.key, None, []),
                )
                st.button(
                    "Newer",
                    key=f"{self.key}:newer",
                    icon=":material/chevron_left:",
                    on_click=_move,
                    args=(self.key, trail[-1] if trail else None, trail[:-1]),
                )
            if len(rows) > self.size:
                last = rows[self.size - 1]
                oldest = last[self.of] if isinstance(last, dict) else getattr(last, self.of)
                st.button(
                    "Older",
                    key=f"{self.key}:older",
                    icon=":material/chevron_right:",
                    icon_position="right",
                    on_click=_move,
                    args=(self.key, oldest, [*trail, self.before]),
                )


def cursor(key: str = "before", *, size: int = 50, depends: Sequence[object] = (), of: str = "id") -> Cursor:
    """Where in the stream one is: the newest rows, or those before an id that stands in the address. When what it
    `depends` on (the filters) changes, it is the newest again."""
    if st.session_state.get(f"{key}:depends", tuple(depends)) != tuple(depends):
        st.query_params.pop(key, None)
        st.session_state.pop(f"{key}:trail", None)
    st.session_state[f"{key}:depends"] = tuple(depends)
    return Cursor(key, filters.asked_number(key, "Rows before"), size, of)


def _move(key: str, before: int | None, trail: list[int | None]) -> None:
    st.session_state[f"{key}:trail"] = trail
    if before is None:
        st.query_params.pop(key, None)
    else:
        st.query_params[key] = str(before)
