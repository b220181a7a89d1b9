"""A table with what was picked in it beside it; the pick stands in the address, so it can be sent to a colleague."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import streamlit as st
from sqlalchemy.orm import Session

from core.errors import DeskError
from core.rules.permissions import Permission
from dashboard import navigation, request_context
from dashboard.ui import errors, tables

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


@dataclass(frozen=True)
class Listing:
    """A list whose pages follow each other by id, its newest row first. `page` reads one of them, and so the whole for
    the file, for whoever has the `permission`; `first` is how many of the columns are left beside an open panel. The
    pick stands in the address as `param`."""

    key: str
    name: str
    columns: Sequence[tables.Column]
    first: int
    page: Callable[..., Sequence[Any]]
    file: Sequence[tables.Column]
    empty_state: tuple[str, str] | None = None
    param: str = "id"
    permission: Permission = Permission.EXPORT_LEDGER
    filter: Mapping[str, object] = field(default_factory=dict)

    def show(
        self,
        rows: Sequence[Any],
        cursor: tables.Cursor,
        find: Callable[[Session, int], Any],
        panel: Callable[[Any], None] | None,
    ) -> None:
        """The `rows` of this page, and what `find` reads of the picked one in its `panel`, if there is one; an unknown
        one is said."""
        if panel is None:
            self._table(rows, cursor, narrow=False, select=False)
            return

        def picked(number: int) -> None:
            try:
                with request_context.reading() as session:
                    row = find(session, number)
            except DeskError as missing:
                errors.show(missing)
            else:
                panel(row)

        ids = [row.id for row in rows]
        side_by_side(
            self.key, ids, lambda narrow: self._table(rows, cursor, narrow=narrow), picked, param=self.param
        )

    def _table(
        self, rows: Sequence[Any], cursor: tables.Cursor, *, narrow: bool, select: bool = True
    ) -> int | None:
        return tables.table(
            rows,
            self.columns[: self.first] if narrow else self.columns,
            key=self.key,
            cursor=cursor,
            select=select,
            download=tables.Table(
                self.key,
                lambda session: tables.every(
                    lambda before, limit: self.page(session, before=before, limit=limit)
                ),
                permission=self.permission,
                filter=self.filter,
                columns=self.file,
            ),
            name=self.name,
            empty_state=self.empty_state,
        )


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
