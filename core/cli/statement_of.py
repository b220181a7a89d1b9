"""`escrow-desk statement-of`: what a payer or a payee has had in a month, from opening to closing balance."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from core.cli import operator
from core.cli.operator import As
from core.cli.output import Json, console, opened, require_new, say, tell, write_new
from core.cli.period import day_of
from core.cli.report import Format, OutMissing
from core.rules.permissions import Permission, require

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from core.queries.party_statements import PartyStatement


def statement_of(
    party: Annotated[str, typer.Argument(help="Its number, or the marketplace's id of it.", metavar="PARTY")],
    month: Annotated[str, typer.Option(help="2026-11.")],
    format: Annotated[Format, typer.Option(help="In the terminal, or the file of --out.")] = Format.TABLE,
    out: Annotated[Path | None, typer.Option(help="The file to write; one that is there stays.")] = None,
    as_: As = None,
    as_json: Json = False,
) -> None:
    """A party's statement of a month: opening balance, movements, closing balance, in each currency."""
    from core import table_files
    from core.queries import party_statements
    from core.queries.movements import Period
    from core.rules.periods import PeriodKind, span

    if format is not Format.TABLE and out is None:
        raise OutMissing(format=format)
    if out is not None:
        require_new(out)
    whole = span(PeriodKind.MONTH, day_of(month))
    period = Period(whole.first, whole.last)
    with opened() as desk:
        actor = operator.actor(desk, as_)
        require(actor, Permission.READ_LEDGER if format is Format.TABLE else Permission.EXPORT_LEDGER)
        with desk.database.reading() as session:
            number = party_statements.party_of(session, party)
            found = party_statements.statements(session, number, period)
        if out is not None:
            content = io.BytesIO()
            wanted = table_files.Document(
                "statement-of", format.value, {"party": number, "month": month}, Permission.EXPORT_LEDGER
            )
            table_files.document(
                desk.database, actor, wanted, lambda session: _file(session, number, period, format),
                now=desk.clock(), out=content,
            )  # fmt: skip
            write_new(out, content.getvalue())
    data = {"party": number, "file": str(out) if out else None, "statements": [_data(each) for each in found]}
    say(data, as_json=as_json, words=tell(f"{out} is written.") if out else lambda: _print(found))


def _file(session: Session, number: int, period: Any, format: Format) -> bytes:
    from core import report_files, table_files
    from core.queries import party_statements

    sheets = [party_statements.sheet(each) for each in party_statements.statements(session, number, period)]
    if format is Format.XLSX:
        return report_files.xlsx(sheets)
    if format is Format.PDF:
        return report_files.pdf(sheets)
    content = io.BytesIO()
    table_files.pour(report_files.csv_titles(sheets), report_files.csv_rows(sheets), content)
    return content.getvalue()


def _data(each: PartyStatement) -> dict[str, Any]:
    return {
        "currency": each.currency,
        "first": each.period.first,
        "last": each.period.last,
        "opening": each.opening.minor,
        "closing": each.closing.minor,
        "movements": [
            {
                "journal": one.journal_id,
                "at": one.posted_at,
                "what": one.what,
                "milestone": one.milestone_id,
                "amount": one.amount.minor,
                "balance": one.balance.minor,
            }
            for one in each.movements
        ],
    }


def _print(found: list[PartyStatement]) -> None:
    if not found:
        tell("Nothing moved in that month, and nothing stood before it.")()
    for each in found:
        table = Table(
            "Day", "Journal", "What", "Amount", "Balance", title=f"{each.name}, {each.currency}", box=None
        )
        table.add_row("", "", Text("Opening balance"), "", Text(each.opening.text()))
        for one in each.movements:
            cells = (
                f"{one.posted_at:%Y-%m-%d}",
                f"J-{one.journal_id}",
                one.what,
                one.amount.text(),
                one.balance.text(),
            )
            table.add_row(*(Text(cell) for cell in cells))
        table.add_row("", "", Text("Closing balance"), "", Text(each.closing.text()))
        console.print(table)
