"""A financial report as a file: a sheet of XLSX, pages of A4 as PDF, or rows for CSV.

A report is given as a `Sheet`, so that all three say the same. In a spreadsheet amounts are numbers in major units with
the digits of their currency, and no text is taken for a formula.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import xlsxwriter
from reportlab.lib.pagesizes import A4, landscape
from reportlab.platypus import Flowable, PageBreak, Paragraph, SimpleDocTemplate, Spacer, Table

from core.money import CURRENCIES, Money
from core.paper import BOLD, DIM, INK, PLAIN, safe, style

TITLE = style("report-title", 15, 20, bold=True)
NOTE = style("report-note", 8, 11, textColor=DIM)
CELL = style("report-cell", 8, 10)
BOLD_CELL = style("report-bold-cell", 8, 10, bold=True)
SHEET_NAME = 31  # characters that a spreadsheet allows
WIDE = 4  # columns of amounts that an upright page holds
Cell = str | int | Money | date | datetime | None


class Level(StrEnum):
    HEADING = "heading"
    LINE = "line"
    SUBTOTAL = "subtotal"
    TOTAL = "total"


@dataclass(frozen=True)
class SheetRow:
    """`level` says how it is set: a heading, a line, a subtotal or a total."""

    level: Level
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Sheet:
    """`name` is the tab's; `said` stands under the title. Columns from `figures` on hold amounts."""

    name: str
    title: str
    said: str
    columns: tuple[str, ...]
    figures: int
    rows: tuple[SheetRow, ...]


def csv_titles(sheets: Sequence[Sheet]) -> list[str]:
    """The titles of what `csv_rows` gives."""
    return ["Report", "Level", *(sheets[0].columns if sheets else ()), "Currency"]


def csv_rows(sheets: Iterable[Sheet]) -> Iterator[Sequence[object]]:
    """Each row with its sheet's title before it and the currency of its amounts; headings are left out."""
    for each in sheets:
        for row in each.rows:
            if row.level is not Level.HEADING:
                yield [each.title, row.level.value, *(_plain(cell) for cell in row.cells), _currency(row)]


def _plain(cell: Cell) -> object:
    if isinstance(cell, Money):
        return Decimal(cell.major())
    return cell.isoformat() if isinstance(cell, date) and not isinstance(cell, datetime) else cell


def _currency(row: SheetRow) -> str:
    return next((cell.currency for cell in row.cells if isinstance(cell, Money)), "")


def xlsx(sheets: Sequence[Sheet]) -> bytes:
    """A workbook with a tab for each sheet, ready to print on A4."""
    out = io.BytesIO()
    options = {"strings_to_formulas": False, "strings_to_urls": False, "in_memory": True}
    with xlsxwriter.Workbook(out, options) as book:
        book.set_properties({"author": "Escrow Desk", "created": datetime(2000, 1, 1)})  # noqa: DTZ001 (a fixed one)
        for each in sheets:
            _tab(book, each)
    return out.getvalue()


def _tab(book: Any, sheet: Sheet) -> None:
    tab = book.add_worksheet(sheet.name[:SHEET_NAME])
    tab.set_paper(9)
    tab.fit_to_pages(1, 0)
    tab.repeat_rows(2)
    tab.set_column(0, 0, 9)
    tab.set_column(1, 1, 44)
    tab.set_column(2, len(sheet.columns), 19)
    tab.write_string(0, 0, f"{sheet.title}. {sheet.said}", book.add_format({"bold": True}))
    tab.write_row(2, 0, sheet.columns, book.add_format({"bold": True, "bottom": 1, "text_wrap": True}))
    tab.freeze_panes(3, 0)
    for at, row in enumerate(sheet.rows, start=3):
        for place, cell in enumerate(row.cells):
            _write(book, tab, at, place, cell, row.level)


def _write(book: Any, tab: Any, at: int, place: int, cell: Cell, level: Level) -> None:
    look: dict[str, Any] = {"bold": level is not Level.LINE}
    if level is Level.TOTAL:
        look["top"] = 1
    if isinstance(cell, Money):
        look["num_format"] = CURRENCIES[cell.currency].number_format
        tab.write_number(at, place, Decimal(cell.major()), book.add_format(look))
    elif isinstance(cell, int):
        tab.write_number(at, place, cell, book.add_format(look))
    elif isinstance(cell, datetime):
        look["num_format"] = "yyyy-mm-dd hh:mm"
        tab.write_datetime(at, place, cell.astimezone(UTC).replace(tzinfo=None), book.add_format(look))
    elif isinstance(cell, date):
        look["num_format"] = "yyyy-mm-dd"
        tab.write_datetime(at, place, cell, book.add_format(look))
    elif cell is not None:
        tab.write_string(at, place, cell, book.add_format(look))


def pdf(sheets: Sequence[Sheet], *, foot: Sequence[str] = ()) -> bytes:
    """Pages of A4, upright or across as the columns need; `foot` stands under the last. It bears no time of its own, so
    the same facts are the same bytes."""
    out = io.BytesIO()
    wide = any(len(each.columns) - each.figures > WIDE for each in sheets)
    size = landscape(A4) if wide else A4
    title = sheets[0].title if sheets else "Report"
    document = SimpleDocTemplate(
        out, pagesize=size, title=title, author="Escrow Desk", invariant=1,
        leftMargin=40, rightMargin=40, topMargin=40, bottomMargin=40,
    )  # fmt: skip
    room = size[0] - 80
    flow: list[Flowable] = []
    for each in sheets:
        if flow:
            flow.append(PageBreak())
        flow += _flow(each, room)
    flow += [Spacer(1, 10), *(Paragraph(safe(line), NOTE) for line in foot)]
    document.build(flow)
    return out.getvalue()


def _flow(sheet: Sheet, room: float) -> Iterator[Flowable]:
    yield Paragraph(safe(sheet.title), TITLE)
    yield Paragraph(safe(sheet.said), NOTE)
    yield Spacer(1, 8)
    amounts = len(sheet.columns) - sheet.figures
    money = min(105.0, (room - 190) / max(amounts, 1))
    texts = [38.0, *([(room - 38 - money * amounts) / max(sheet.figures - 1, 1)] * (sheet.figures - 1))]
    look: list[Any] = [
        ("ALIGN", (sheet.figures, 0), (-1, -1), "RIGHT"),
        ("FONT", (0, 0), (-1, -1), PLAIN, 8),
        ("FONTNAME", (0, 0), (-1, 0), BOLD),
        ("LINEBELOW", (0, 0), (-1, 0), 0.5, INK),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("TOPPADDING", (0, 0), (-1, -1), 2),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
    ]
    for at, row in enumerate(sheet.rows, start=1):
        if row.level is not Level.LINE:
            look.append(("FONTNAME", (0, at), (-1, at), BOLD))
        if row.level is Level.TOTAL:
            look.append(("LINEABOVE", (sheet.figures, at), (-1, at), 0.5, INK))
    rows = [[_set(row, place, sheet.figures) for place in range(len(sheet.columns))] for row in sheet.rows]
    yield Table(
        [list(sheet.columns), *rows], colWidths=[*texts, *([money] * amounts)], style=look, repeatRows=1
    )


def _set(row: SheetRow, place: int, figures: int) -> object:
    cell = row.cells[place]
    if isinstance(cell, Money):
        return cell.text()
    if isinstance(cell, datetime):
        return f"{cell.astimezone(UTC):%Y-%m-%d %H:%M}"
    if isinstance(cell, str) and 0 < place < figures:
        return Paragraph(safe(cell), CELL if row.level is Level.LINE else BOLD_CELL)
    return "" if cell is None else str(cell)
