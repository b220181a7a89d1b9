"""Tables: rows from a query, columns that know their kind, and a selection that names a row by its id.

A keyed grid remembers a selection by position, so after a row arrives above it another row would be selected. Here
the ids of the rows are part of the grid's key, and a selection is turned into an id at once and found again by it.
Money travels as text: the grid's own number columns go through floats. A grid is a picture of what fits the screen, so
the same rows stand behind it as plain ones, for paper only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Literal

import streamlit as st

from core.table_files import every, through
from dashboard.ui import columns as kinds
from dashboard.ui import download as files
from dashboard.ui import empty
from dashboard.ui.columns import (
    Column,
    count,
    day,
    due,
    flag,
    leads,
    marks,
    money,
    mono,
    opens,
    status,
    text,
    when,
)
from dashboard.ui.download import Table
from dashboard.ui.paging import Cursor, Window, cursor, window

__all__ = [
    "Column",
    "Cursor",
    "Table",
    "Window",
    "count",
    "cursor",
    "day",
    "due",
    "every",
    "flag",
    "follow",
    "leads",
    "marks",
    "money",
    "mono",
    "opens",
    "said",
    "small",
    "status",
    "table",
    "text",
    "through",
    "when",
    "window",
]

ROW = 34
HEADER = 36
ROWS_ON_SCREEN = 16
TALL, LINE, TALLEST = 66, 17, 104  # from 66 on the grid breaks a long text into lines
TALL_ON_SCREEN = 9


def table(
    rows: Sequence[Any],
    columns: Sequence[Column],
    *,
    key: str,
    id: str = "id",
    select: bool | Literal["always"] = False,
    window: Window | None = None,
    total: int | None = None,
    cursor: Cursor | None = None,
    download: Table | None,
    empty_state: tuple[str, str] | None = None,
    height: int | None = None,
    whole: bool = False,
    name: str | None = None,
) -> Any | None:
    """Draw the rows; returns the id of the selected row, if `select`, else None. With "always", one row is selected
    at all times: at first the first.

    `window` and `total` put numbered pages under the table, `cursor` puts Newer and Older there. `download` says how
    the whole of it is read for a file (`download.Table`), None where it cannot be taken.
    With `whole` no text is cut: rows are tall where one does not fit its column.
    `name` is what a screen reader says. `empty_state` is (title, what to do next).
    """
    shown = rows[: cursor.size] if cursor else rows
    if not shown:
        empty.state(*empty_state) if empty_state else empty.nothing_matches()
        _foot(rows, window, total, cursor, columns, None, key)
        return None
    ids = [kinds.read(row, id) for row in shown]
    turn = st.session_state.get(f"{key}:turn", 0)
    grid = f"{key}:{_fingerprint(ids)}" + (f":{turn}" if turn else "")
    chosen = st.session_state.get(f"{key}:chosen")
    seen = kinds.narrow(columns, shown)
    config, clicks = _configure(seen, grid, shown)
    lines = max(kinds.lines_of(column, row) for column in seen for row in shown) if whole else 1
    row_height = ROW if lines == 1 else max(TALL, min(lines * LINE, TALLEST))
    on_screen = ROWS_ON_SCREEN if lines == 1 else TALL_ON_SCREEN
    event = st.dataframe(
        kinds.arrow(shown, seen),
        key=grid,
        hide_index=True,
        column_config=config,
        row_height=row_height,
        height=height or HEADER + row_height * min(len(shown), on_screen) + 2,
        alt=name,
        placeholder="",
        **(_selection(ids, chosen, select) if select else {}),
    )
    st.html(kinds.as_html(shown, seen, name, paper=True))
    _open_clicked(clicks, shown, ids)
    _foot(rows, window, total, cursor, columns, download, key)
    return _selected(event, ids, key) if select else None


def follow(key: str, asked: Any | None) -> None:
    """Before the table is drawn: what the address asks for is chosen, when the address was changed by Back, Forward or
    a link. A grid keeps its own selection, so it is drawn as another one. `said` is for what the page wrote itself."""
    if st.session_state.get(f"{key}:asked") == asked:
        return
    st.session_state[f"{key}:asked"] = st.session_state[f"{key}:chosen"] = asked
    st.session_state[f"{key}:turn"] = st.session_state.get(f"{key}:turn", 0) + 1


def said(key: str, asked: Any | None) -> None:
    """After it: this is what the page has written into the address."""
    st.session_state[f"{key}:asked"] = asked


def small(rows: Sequence[Any], columns: Sequence[Column], *, name: str | None = None) -> None:
    """A few rows as plain text, without a grid: no selection, no scrolling."""
    st.html(kinds.as_html(rows, columns, name))


def _fingerprint(ids: Sequence[Any]) -> str:
    return hashlib.blake2s(repr(ids).encode(), digest_size=6).hexdigest()


def _configure(
    columns: Sequence[Column], grid: str, rows: Sequence[Any]
) -> tuple[dict[str, Any], dict[str, Column]]:
    config: dict[str, Any] = {}
    clicks: dict[str, Column] = {}
    for column in columns:
        if column.kind == "opens":
            clicks[f"{grid}:{column.name}"] = column
            config[column.name] = st.column_config.ButtonColumn(
                column.label,
                key=f"{grid}:{column.name}",
                type="tertiary",
                alignment="left",
                width=column.width,
                help=column.help,
            )
        else:
            config[column.name] = kinds.configure(column, rows)
    return config, clicks


def _selection(ids: Sequence[Any], chosen: Any, select: bool | str) -> dict[str, Any]:
    always = select == "always"
    options: dict[str, Any] = {
        "on_select": "rerun",
        "selection_mode": "single-row-required" if always else "single-row",
    }
    if always or chosen in ids:
        row = ids.index(chosen) if chosen in ids else 0
        options["selection_default"] = {"selection": {"rows": [row]}}
    return options


def _selected(event: Any, ids: Sequence[Any], key: str) -> Any | None:
    picked = event.selection.rows if event else []
    row = ids[picked[0]] if picked and picked[0] < len(ids) else None
    st.session_state[f"{key}:chosen"] = row
    return row


def _open_clicked(clicks: dict[str, Column], rows: Sequence[Any], ids: Sequence[Any]) -> None:
    from dashboard import navigation

    for click_key, column in clicks.items():
        click = st.session_state.get(click_key)
        if click is None or click["row"] >= len(ids):
            continue
        number = click["row"]
        asked = column.leads(rows[number]) if column.leads else (column.page, {column.param: ids[number]})
        if asked:
            navigation.go(asked[0], **asked[1])


def _foot(
    rows: Sequence[Any],
    window: Window | None,
    total: int | None,
    cursor: Cursor | None,
    columns: Sequence[Column],
    download: Table | None,
    key: str,
) -> None:
    if not (window or cursor or download):
        return
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        if window:
            window.show(total if total is not None else len(rows), len(rows))
        elif cursor:
            cursor.show(rows)
        if download:
            files.table(download, columns, key=key)
