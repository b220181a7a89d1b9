"""`escrow-desk report`: trial balance, balance sheet and income statement, in the terminal or as a file."""

from __future__ import annotations

import io
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from core.cli import operator
from core.cli.operator import As
from core.cli.output import Json, console, opened, print_whole, require_new, say, tell, write_new
from core.cli.period import day_of
from core.errors import DeskError
from core.rules.permissions import Permission, require

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from core.queries.financial_reports import FinancialReport


class Format(StrEnum):
    TABLE = "table"
    CSV = "csv"
    XLSX = "xlsx"
    PDF = "pdf"


class OutMissing(DeskError):
    """Name the file to write with --out: a report as {format} is a file."""


def add_to(app: typer.Typer) -> None:
    app.command()(report)


def _kind(given: str) -> Any:
    from core.queries.financial_reports import FinancialReportKind

    if given not in list(FinancialReportKind):
        raise typer.BadParameter("it is trial-balance, balance-sheet or income")
    return FinancialReportKind(given)


def report(
    kind: Annotated[
        Any, typer.Argument(help="Which.", parser=_kind, metavar="trial-balance|balance-sheet|income")
    ],
    at: Annotated[str, typer.Option(help="At the end of this day, UTC: 2026-11-30. Without it, today.")] = "",
    since: Annotated[
        str, typer.Option("--from", help="The first day of the period. Without it, the fiscal year's first.")
    ] = "",
    zeros: Annotated[bool, typer.Option("--zeros", help="Lines with nothing on them too.")] = False,
    before_closing: Annotated[
        bool, typer.Option("--before-closing", help="Without what closes a fiscal year in the period.")
    ] = False,
    format: Annotated[Format, typer.Option(help="In the terminal, or the file of --out.")] = Format.TABLE,
    out: Annotated[Path | None, typer.Option(help="The file to write; one that is there stays.")] = None,
    as_: As = None,
    as_json: Json = False,
) -> None:
    """Trial balance, balance sheet or income statement, in every currency; exit code 1 if one does not balance."""
    from core import table_files
    from core.queries import financial_reports
    from core.queries.movements import Period, year_to

    if format is not Format.TABLE and out is None:
        raise OutMissing(format=format)
    if out is not None:
        require_new(out)
    with opened() as desk:
        actor, last = operator.actor(desk, as_), day_of(at) if at else desk.clock().date()
        require(actor, Permission.READ_LEDGER if format is Format.TABLE else Permission.EXPORT_LEDGER)
        begins = desk.settings.fiscal_year_begins
        period = Period(day_of(since), last) if since else year_to(last, begins)

        def read(session: Session) -> list[FinancialReport]:
            return financial_reports.reports(
                session, kind, period, movements=bool(since), zeros=zeros, before_closing=before_closing
            )

        with desk.database.reading() as session:
            found = read(session)
        if out is not None:
            content = io.BytesIO()
            filter = {"from": period.first, "to": period.last, "zero-balances": zeros}
            wanted = table_files.Document(kind.value, format.value, filter, Permission.EXPORT_LEDGER)
            table_files.document(
                desk.database,
                actor,
                wanted,
                lambda session: _file(read(session), format),
                now=desk.clock(),
                out=content,
            )
            write_new(out, content.getvalue())
    data = {"file": str(out) if out else None, "reports": [_data(each) for each in found]}
    say(data, as_json=as_json, words=tell(f"{out} is written.") if out else lambda: _print(found))
    raise typer.Exit(0 if all(each.difference.is_zero for each in found) else 1)


def _file(found: list[FinancialReport], format: Format) -> bytes:
    from core import report_files, table_files
    from core.queries import financial_reports

    sheets = [financial_reports.sheet(each) for each in found]
    if format is Format.XLSX:
        return report_files.xlsx(sheets)
    if format is Format.PDF:
        return report_files.pdf(sheets)
    content = io.BytesIO()
    table_files.pour(report_files.csv_titles(sheets), report_files.csv_rows(sheets), content)
    return content.getvalue()


def _data(report: FinancialReport) -> dict[str, Any]:
    return {
        "report": report.kind,
        "currency": report.currency,
        "book": report.book,
        "first": report.period.first,
        "last": report.period.last,
        "columns": report.columns,
        "difference": report.difference,
        "rows": [
            {
                "level": row.level,
                "number": row.number,
                "name": row.name,
                "title": row.title,
                "amounts": row.amounts,
            }
            for row in report.rows
        ],
    }


def _print(found: list[FinancialReport]) -> None:
    if not found:
        tell("Nothing was posted by then.")()
    for each in found:
        memo = ", the payees' own money" if each.memo else ""
        table = Table(
            title=f"{each.kind.heading}, {each.currency}{memo}. {each.said}", box=None, title_justify="left"
        )
        table.add_column("No.")
        table.add_column("Account")
        for column in each.columns:
            table.add_column(column, justify="right")
        for row in each.rows:
            amounts = ["" if amount is None else amount.text() for amount in row.amounts]
            bold = "" if row.level == "line" else "bold"
            cells = (str(row.number or ""), row.title, *amounts)
            table.add_row(*(Text(one, style=bold) for one in cells))
        print_whole(table)
        console.print()
