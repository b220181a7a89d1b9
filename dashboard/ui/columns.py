"""Kinds of columns: how a value of the domain looks in a cell, and how it is written to a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

import streamlit as st

from core import table_files
from dashboard.ui import deadlines
from dashboard.ui import status as states
from dashboard.ui.safe import html, words_of

if TYPE_CHECKING:
    import pyarrow as pa
    from streamlit.elements.lib.column_types import ColumnConfig

Kind = Literal["text", "mono", "money", "status", "when", "day", "due", "count", "flag", "marks", "opens"]
PILLS = frozenset({"status", "due"})
RANKED = frozenset({"money", "count"})
FIGURE_SPACE = "\u2007"
CLEAR = "#00000000"
DIGIT, LETTER, PADDING = (
    8,
    7,
    18,
)  # pixels of a character of an amount and of a text, and of the room beside it
CELL = 2_000  # characters of one cell
NARROW, WIDEST = 690, 500  # pixels of a table on a screen of 768, and of a column without a width
Width = Literal["small", "medium", "large"] | int | None


@dataclass(frozen=True)
class Column:
    """One column. `name` is the attribute or key of the row; `value` computes one that the row does not have.

    `filed` is (title, value) for a file, where the screen says in words what a file should hold exactly.
    """

    name: str
    label: str
    kind: Kind = "text"
    width: Width = None
    help: str | None = None
    value: Callable[[Any], Any] | None = None
    axis: str = ""
    now: datetime | None = None
    seconds: bool = False
    page: str = ""
    param: str = "id"
    leads: Callable[[Any], tuple[str, Mapping[str, Any]] | None] | None = None
    filed: tuple[str, Callable[[Any], Any]] | None = None

    def of(self, row: Any) -> Any:
        return self.value(row) if self.value else read(row, self.name)


def text(name: str, label: str, **more: Any) -> Column:
    """Words, also an outsider's: nothing in them is interpreted."""
    return Column(name, label, "text", **more)


def mono(name: str, label: str, **more: Any) -> Column:
    """A reference or a provider's id."""
    return Column(name, label, "mono", **more)


def money(name: str, label: str, **more: Any) -> Column:
    """A `Money`, right-aligned text."""
    return Column(name, label, "money", **more)


def status(name: str, label: str, *, axis: str, **more: Any) -> Column:
    """A pill of `status.AXES[axis]`."""
    return Column(name, label, "status", axis=axis, **more)


def marks(name: str, label: str, *, axis: str, **more: Any) -> Column:
    """Several pills of one axis, or none: a sequence of its values."""
    return Column(name, label, "marks", axis=axis, **more)


def when(name: str, label: str, **more: Any) -> Column:
    """A time, exact to the minute (with `seconds` to the second), UTC."""
    return Column(name, label, "when", **more)


def day(name: str, label: str, **more: Any) -> Column:
    """A day, which sorts as one."""
    return Column(name, label, "day", **more)


def due(name: str, label: str, *, now: datetime, **more: Any) -> Column:
    """A time limit in words: `in 4 hours`, `6 hours late`."""
    return Column(name, label, "due", now=now, **more)


def count(name: str, label: str, **more: Any) -> Column:
    """A whole number that is not money, right-aligned."""
    return Column(name, label, "count", **more)


def flag(name: str, label: str, **more: Any) -> Column:
    """Yes, or an empty cell."""
    return Column(name, label, "flag", **more)


def opens(name: str, label: str, *, page: str, param: str = "id", **more: Any) -> Column:
    """A link within the session: clicking it goes to `page` with the row's id."""
    return Column(name, label, "opens", page=page, param=param, **more)


def leads(
    name: str, label: str, *, to: Callable[[Any], tuple[str, Mapping[str, Any]] | None], **more: Any
) -> Column:
    """A link whose page differs from row to row: `to(row)` is (page, parameters), or None where there is no page."""
    return Column(name, label, "opens", leads=to, **more)


def read(row: Any, name: str) -> Any:
    return row[name] if isinstance(row, Mapping) else getattr(row, name)


def cell(column: Column, row: Any) -> str:
    """What stands in the cell, as text."""
    value = column.of(row)
    return "" if value is None else _words(column, value)


def _words(column: Column, value: Any) -> str:
    match column.kind:
        case "money":
            words = value.text()
        case "status":
            words = states.pill(column.axis, value).label
        case "marks":
            words = ", ".join(states.pill(column.axis, each).label for each in value)
        case "when":
            words = deadlines.brief(value, seconds=column.seconds)
        case "day":
            words = deadlines.day(value)
        case "due":
            words = deadlines.words(value, column.now) if column.now else deadlines.brief(value)
        case "count":
            words = f"{value:,}"
        case "flag":
            words = "Yes" if value else ""
        case _:
            words = words_of(getattr(value, "value", value), longest=CELL)
    return str(words)


def arrow(rows: Sequence[Any], columns: Sequence[Column]) -> pa.Table:
    """The rows as the grid wants them: text, and one-element lists for pills."""
    import pyarrow as pa

    def values(column: Column) -> pa.Array:
        if column.kind == "when":
            return pa.array([column.of(row) for row in rows], pa.timestamp("s", "UTC"))
        if column.kind == "day":
            return pa.array([column.of(row) for row in rows], pa.date32())
        if column.kind == "marks":
            each = [[states.pill(column.axis, value).label for value in column.of(row)] for row in rows]
            return pa.array(each, pa.list_(pa.string()))
        cells = [cell(column, row) for row in rows]
        if column.kind in PILLS:
            return pa.array([[each] if each else [] for each in cells], pa.list_(pa.string()))
        if column.kind in RANKED:
            cells = _sortable(cells)
        return pa.array(cells, pa.string())

    return pa.table({column.name: values(column) for column in columns})


def _sortable(cells: Sequence[str]) -> list[str]:
    """The grid sorts text as text, and $9.00 would come after $80.00. Figure spaces before the shorter amounts make
    them sort by size; they are as wide as a digit, so right-aligned nothing shows."""
    longest = max(map(len, cells), default=0)
    return [FIGURE_SPACE * (longest - len(text)) + text for text in cells]


def configure(column: Column, rows: Sequence[Any]) -> ColumnConfig:
    shared: dict[str, Any] = {"width": _wide_enough(column, rows), "help": column.help}
    match column.kind:
        case "status" | "marks":
            labels, colors = states.palette(column.axis)
            return st.column_config.MultiselectColumn(column.label, options=labels, color=colors, **shared)
        case "due":
            tones = {cell(column, row): _urgency(column, row) for row in rows}
            return st.column_config.MultiselectColumn(
                column.label, options=list(tones), color=list(tones.values()), **shared
            )
        case "when":
            return st.column_config.DatetimeColumn(
                f"{column.label} (UTC)",
                format="D MMM YYYY, HH:mm:ss" if column.seconds else "D MMM YYYY, HH:mm",
                timezone="UTC",
                **shared,
            )
        case "day":
            return st.column_config.DateColumn(column.label, format="D MMM YYYY", **shared)
    right: Literal["left", "right"] = "right" if column.kind in RANKED else "left"
    return st.column_config.TextColumn(column.label, alignment=right, **shared)


def _wide_enough(column: Column, rows: Sequence[Any]) -> Width:
    """An amount is never cut: its column grows with it, and the grid scrolls."""
    if column.kind != "money" or not isinstance(column.width, int):
        return column.width
    longest = max((len(cell(column, row)) for row in rows), default=0)
    return max(column.width, longest * DIGIT + PADDING)


def lines_of(column: Column, row: Any) -> int:
    """How many lines a text takes in its column, about; 1 for everything else."""
    if column.kind != "text" or not isinstance(column.width, int):
        return 1
    return max(1, -(-len(cell(column, row)) * LETTER // (column.width - PADDING)))


def narrow(columns: Sequence[Column], rows: Sequence[Any]) -> list[Column]:
    """Money and status are seen on a screen of 768 too: the first of either that would end beyond its edge comes behind
    the column that names the row."""
    edge, beyond = 0, list[Column]()
    met: set[Kind] = set()
    for column in columns:
        edge += _about_as_wide(column, rows)
        if column.kind in ("money", "status") and column.kind not in met:
            met.add(column.kind)
            beyond += [column] if edge > NARROW and column is not columns[0] else []
    return [*columns[:1], *beyond, *(each for each in columns[1:] if each not in beyond)]


def _about_as_wide(column: Column, rows: Sequence[Any]) -> int:
    """A column without a width is as wide as its longest cell, within the grid's limits."""
    width = _wide_enough(column, rows)
    if isinstance(width, int):
        return width
    longest = max((len(cell(column, row)) for row in rows), default=0)
    return min(max(longest, len(column.label)) * DIGIT + PADDING, WIDEST)


def _urgency(column: Column, row: Any) -> str:
    tone = deadlines.tone(column.of(row), column.now) if column.now else "quiet"
    return CLEAR if tone == "quiet" else states.COLOR[tone]


def titles(columns: Sequence[Column]) -> list[str]:
    """The header of a file: an amount has its currency in a column of its own."""
    return [title for column in columns for title in _titles(column)]


def filed(columns: Sequence[Column], row: Any) -> list[object]:
    """A row of a file: exact amounts with their currency beside them, moments instead of words about
    them, and a status as it is stored, which no change of its label moves."""
    return [each for column in columns for each in _filed(column, row)]


def _titles(column: Column) -> list[str]:
    label = column.filed[0] if column.filed else column.label or column.name.capitalize()
    return [label, f"{label} currency"] if column.kind == "money" else [label]


def _filed(column: Column, row: Any) -> list[object]:
    """An amount is a number here, not text, or a negative one would be taken for a formula and quoted."""
    value = column.filed[1](row) if column.filed else column.of(row)
    if column.kind == "money":
        return table_files.amount(value)
    if column.kind == "flag":
        return [bool(value)]
    if column.filed or column.kind in ("when", "day", "due", "count", "status"):
        return [value]
    if column.kind == "marks":
        return [" ".join(str(each) for each in value)]
    return [cell(column, row)]


def as_html(rows: Sequence[Any], columns: Sequence[Column], name: str | None, *, paper: bool = False) -> str:
    """As plain rows, or as a grid's rows go on `paper`: there only, and every time with its year."""
    marks = {column.name: "when" if column.kind == "day" else column.kind for column in columns}
    head = "".join(f'<th class="ed-{marks[each.name]}">{html(each.label)}</th>' for each in columns)
    body = "".join(
        "<tr>"
        + "".join(f'<td class="ed-{marks[c.name]}">{_html_cell(c, row, paper=paper)}</td>' for c in columns)
        + "</tr>"
        for row in rows
    )
    label = f' aria-label="{html(name)}"' if name else ""
    table = f'<table class="ed-table"{label}><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
    return f'<div class="{"ed-paper" if paper else "ed-wide"}">{table}</div>'


def _html_cell(column: Column, row: Any, *, paper: bool) -> str:
    words = html(cell(column, row))
    if paper and column.kind in ("when", "due") and isinstance(at := column.of(row), datetime):
        return html(f"{at.astimezone(UTC):%-d %b %Y, %H:%M{':%S' if column.seconds else ''}}")
    if column.kind == "status" and words:
        return f'<span class="ed-pill ed-{states.pill(column.axis, column.of(row)).tone}">{words}</span>'
    if column.kind in ("when", "due") and isinstance(at := column.of(row), datetime):
        return f'<span title="{html(deadlines.exact(at))}">{words}</span>'
    return words
