"""`escrow-desk statement-of`: what a payer, a payee or a marketplace has had in a month or a year, from opening to
closing balance."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from core.cli import operator
from core.cli.operator import As
from core.cli.output import Json, opened, print_whole, require_new, say, tell, write_new
from core.cli.period import day_of
from core.cli.report import Format, OutMissing
from core.errors import DeskError
from core.money import Money
from core.rules.permissions import Permission, require

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from core.queries.party_statements import PartyStatement
    from core.queries.yearly_statements import Year
    from core.report_files import Sheet

    Found = Sequence[PartyStatement] | Sequence[Year]


class MonthOrYear(DeskError):
    """Give --month or --year, and not both; a marketplace has statements of a year."""


def statement_of(
    party: Annotated[
        str,
        typer.Argument(
            help="A party's number, or the marketplace's id of it; or home_services, legal_services.",
            metavar="PARTY",
        ),
    ],
    month: Annotated[str | None, typer.Option(help="2026-11. Of a party.")] = None,
    year: Annotated[int | None, typer.Option(help="2026: month by month.", min=2000, max=2999)] = None,
    format: Annotated[Format, typer.Option(help="In the terminal, or the file of --out.")] = Format.TABLE,
    out: Annotated[Path | None, typer.Option(help="The file to write; one that is there stays.")] = None,
    as_: As = None,
    as_json: Json = False,
) -> None:
    """A statement of a month, movement by movement, or of a year, month by month: opening and closing balance, in each
    currency."""
    from core import table_files

    if format is not Format.TABLE and out is None:
        raise OutMissing(format=format)
    if out is not None:
        require_new(out)
    read = _reader(party, month, year)
    with opened() as desk:
        actor = operator.actor(desk, as_)
        require(actor, Permission.READ_LEDGER if format is Format.TABLE else Permission.EXPORT_LEDGER)
        today = desk.clock().date()
        with desk.database.reading() as session:
            whose, found = read(session, today)
        if out is not None:
            content = io.BytesIO()
            wanted = table_files.Document(
                "statement-of",
                format.value,
                {"party" if isinstance(whose, int) else "marketplace": whose, "month": month, "year": year},
                Permission.EXPORT_LEDGER,
            )
            table_files.document(
                desk.database, actor, wanted, lambda session: _file(read(session, today)[1], format),
                now=desk.clock(), out=content,
            )  # fmt: skip
            write_new(out, content.getvalue())
    data = {"party": whose, "file": str(out) if out else None, "statements": [_data(each) for each in found]}
    say(data, as_json=as_json, words=tell(f"{out} is written.") if out else lambda: _print(found))


def _reader(
    party: str, month: str | None, year: int | None
) -> Callable[[Session, date], tuple[int | str, Found]]:
    """What reads it as of a day. Raises `MonthOrYear`."""
    from core.policy import Platform
    from core.queries import party_statements, yearly_statements
    from core.queries.movements import Period
    from core.rules.periods import PeriodKind, span

    marketplace = next((each for each in Platform if each == party), None)
    if (month is None) == (year is None) or (marketplace and year is None):
        raise MonthOrYear()
    if year is not None and marketplace is not None:
        return lambda session, today: (
            party,
            yearly_statements.of_marketplace(session, marketplace, year, today=today),
        )
    if year is not None:

        def of_year(session: Session, today: date) -> tuple[int | str, Found]:
            number = party_statements.party_of(session, party)
            return number, yearly_statements.of_party(session, number, year, today=today)

        return of_year
    whole = span(PeriodKind.MONTH, day_of(str(month)))

    def of_month(session: Session, today: date) -> tuple[int | str, Found]:
        number = party_statements.party_of(session, party)
        return number, party_statements.statements(session, number, Period(whole.first, whole.last))

    return of_month


def _sheet(each: PartyStatement | Year) -> Sheet:
    from core.queries import party_statements, yearly_statements
    from core.queries.yearly_statements import Year

    return yearly_statements.sheet(each) if isinstance(each, Year) else party_statements.sheet(each)


def _file(found: Found, format: Format) -> bytes:
    from core import report_files, table_files

    sheets = [_sheet(each) for each in found]
    if format is Format.XLSX:
        return report_files.xlsx(sheets)
    if format is Format.PDF:
        return report_files.pdf(sheets)
    content = io.BytesIO()
    table_files.pour(report_files.csv_titles(sheets), report_files.csv_rows(sheets), content)
    return content.getvalue()


def _data(each: PartyStatement | Year) -> dict[str, Any]:
    from core.queries.yearly_statements import Year

    if isinstance(each, Year):
        return _months(each)
    return {
        "currency": each.currency,
        "first": each.period.first,
        "last": each.period.last,
        "opening": each.opening,
        "closing": each.closing,
        "movements": [
            {
                "journal": one.journal_id,
                "at": one.posted_at,
                "what": one.what,
                "milestone": one.milestone_id,
                "amount": one.amount,
                "balance": one.balance,
            }
            for one in each.movements
        ],
    }


def _months(each: Year) -> dict[str, Any]:
    return {
        "currency": each.currency,
        "year": each.year,
        "months": [
            {
                "month": f"{one.id:%Y-%m}",
                "opening": one.opening,
                **{flow.name.lower(): one.flow(flow) for flow in each.columns},
                "closing": one.closing,
            }
            for one in each.months
        ],
        "totals": {flow.name.lower(): each.total(flow) for flow in each.columns},
    }


def _print(found: Found) -> None:
    if not found:
        tell("Nothing moved in that time, and nothing stood before it.")()
    for sheet in map(_sheet, found):
        table = Table(*sheet.columns, title=Text(sheet.title), box=None)
        for row in sheet.rows:
            table.add_row(*(Text(_cell(each)) for each in row.cells))
        print_whole(table)


def _cell(value: Any) -> str:
    if isinstance(value, Money):
        return value.text()
    return f"{value:%Y-%m-%d}" if isinstance(value, date) else "" if value is None else str(value)
