"""The ledger as a file: every posting once, in three forms that say the same, harmless in a spreadsheet, recorded."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import openpyxl
import pyarrow.parquet as pq
import pytest
from sqlalchemy import text

from core import ledger_export
from core.db import Database
from core.ledger import journal_store
from core.ledger.accounts import BANK, CHART, STRIPE_BALANCE
from core.ledger.journals import Journal, credit, debit
from core.ledger_export import COLUMNS, AccountNotInChart, LedgerFilter, LedgerFormat, PeriodUpsideDown
from core.money import CURRENCIES, Money
from core.replica import HeavyReads
from core.rules.permissions import NotPermitted
from core.table_files import BOM
from tests import builders
from tests.builders import NOW, Town
from tests.database import Urls

NAMES = [each.name for each in COLUMNS]
Row = dict[str, Any]


@dataclass
class Books:
    """A town with a decision that was carried out, yen, dinars and memos that begin like formulas."""

    town: Town
    auditor: Database
    replica: Database | None = None

    def export(
        self, format: LedgerFormat, *, as_: str = "fay", **wanted: Any
    ) -> tuple[bytes, ledger_export.Exported]:
        out = io.BytesIO()
        done = ledger_export.export_ledger(
            HeavyReads(self.auditor, self.replica),
            LedgerFilter(**wanted),
            format,
            out,
            desk=self.town.database,
            actor=self.town.as_staff(as_),
            now=self.town.now,
        )
        return out.getvalue(), done

    def rows(self, **wanted: Any) -> list[Row]:
        return read_parquet(self.export(LedgerFormat.PARQUET, **wanted)[0])

    def post(self, key: str, amount: Money, memo: str, at: datetime) -> None:
        postings = (debit(STRIPE_BALANCE, amount), credit(BANK, amount))
        self.town.database.run(
            lambda session: journal_store.post(
                session, Journal(key, "topped_up", postings, memo=memo, cause={}), now=at
            )
        )


@pytest.fixture
def books(database: Database, urls: Urls) -> Iterator[Books]:
    town = builders.a_town(database)
    told = builders.in_mediation(town)
    builders.decided(town, told, builders.a_draft(told, release=Money(20_000, "USD")))
    builders.carry_out(town)
    books = Books(town, Database(urls.auditor_url))
    for number, memo in enumerate(("=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", 'two\nlines, "quoted"')):
        books.post(f"odd.{number}", Money(1_234, ("JPY", "KWD", "USD", "EUR", "USD")[number]), memo, NOW)
    yield books
    books.auditor.dispose()


def read_csv(content: bytes) -> list[Row]:
    assert content.startswith(BOM)
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def read_xlsx(content: bytes) -> list[Row]:
    sheet = openpyxl.load_workbook(io.BytesIO(content), read_only=True).worksheets[0]
    head, *rows = sheet.iter_rows(values_only=True)
    return [dict(zip(map(str, head), row, strict=True)) for row in rows]


def read_parquet(content: bytes) -> list[Row]:
    rows: list[Row] = pq.read_table(io.BytesIO(content)).to_pylist()
    return rows


READ: dict[LedgerFormat, Callable[[bytes], list[Row]]] = {
    LedgerFormat.CSV: read_csv,
    LedgerFormat.XLSX: read_xlsx,
    LedgerFormat.PARQUET: read_parquet,
}


@pytest.mark.parametrize("format", LedgerFormat)
def test_every_posting_stands_in_the_file_once_with_every_column(books: Books, format: LedgerFormat) -> None:
    content, done = books.export(format)
    rows = READ[format](content)
    with books.town.database.reading() as session:
        wanted = session.scalar(text("select count(*) from postings"))
    assert (len(rows), done.rows) == (wanted, wanted)
    assert list(rows[0]) == NAMES
    assert hashlib.sha256(content).hexdigest() == done.sha256
    assert len({(row["journal"], row["posting"]) for row in rows}) == wanted


def test_the_three_forms_say_the_same(books: Books) -> None:
    def said(row: Row, name: str) -> object:
        value = row[name]
        if value in (None, ""):
            return None
        if name in ("debit", "credit"):
            return Decimal(str(value)).normalize()
        return (
            f"{value:%Y-%m-%dT%H:%M:%S}"
            if isinstance(value, datetime)
            else str(value).rstrip("Z").lstrip("'")
        )

    forms = [READ[format](books.export(format)[0]) for format in LedgerFormat]
    for rows in zip(*forms, strict=True):
        for name in NAMES:
            assert len({said(row, name) for row in rows}) == 1, (name, [row[name] for row in rows])


def test_each_journal_balances_in_major_units_too(books: Books) -> None:
    sums: dict[int, Decimal] = {}
    for row in books.rows():
        sums.setdefault(row["journal"], Decimal(0))
        sums[row["journal"]] += (row["debit"] or 0) - (row["credit"] or 0)
    assert set(sums.values()) == {Decimal(0)}


def test_amounts_have_the_digits_of_their_currency(books: Books) -> None:
    rows = {
        row["currency"]: row
        for row in read_csv(books.export(LedgerFormat.CSV)[0])
        if row["kind"] == "topped_up"
    }
    assert (rows["JPY"]["credit"], rows["KWD"]["credit"], rows["EUR"]["credit"]) == ("1234", "1.234", "12.34")
    assert {row["minor_units"] for row in rows.values()} == {"-1234"}


def test_no_cell_begins_a_formula(books: Books) -> None:
    memos = [
        row["memo"]
        for row in read_csv(books.export(LedgerFormat.CSV)[0])
        if row["reference"].startswith("odd")
    ]
    assert {memo[0] for memo in memos} == {"'", "t"}
    book = openpyxl.load_workbook(io.BytesIO(books.export(LedgerFormat.XLSX)[0]))
    assert {cell.data_type for row in book.worksheets[0].iter_rows() for cell in row} <= {"s", "n", "d"}


def test_a_period_holds_both_its_days_and_an_account_all_of_its_sub_accounts(books: Books) -> None:
    day = date(2026, 4, 1)
    for number, moment in enumerate((time(0), time(23, 59, 59, 999_999))):
        books.post(f"edge.{number}", Money(100, "USD"), "", datetime.combine(day, moment, UTC))
    books.post("edge.after", Money(100, "USD"), "", datetime.combine(day + timedelta(days=1), time(), UTC))
    assert {row["reference"] for row in books.rows(since=day, until=day)} == {"edge.0", "edge.1"}
    assert {row["account"].partition(":")[0] for row in books.rows(line="held")} == {"held"}
    assert {row["currency"] for row in books.rows(currency="KWD")} == {"KWD"}


def test_a_line_is_named_by_its_name_or_its_number() -> None:
    line = CHART["held"]
    assert ledger_export.line_named("held") == ledger_export.line_named(str(line.gl_number)) == "held"
    with pytest.raises(AccountNotInChart):
        ledger_export.line_named("helt")
    with pytest.raises(PeriodUpsideDown):
        LedgerFilter(since=date(2026, 3, 2), until=date(2026, 3, 1))


@pytest.mark.parametrize("format", LedgerFormat)
def test_an_export_of_nothing_is_a_file_with_its_header(books: Books, format: LedgerFormat) -> None:
    content, done = books.export(format, since=date(2100, 1, 1))
    assert (READ[format](content), done.rows) == ([], 0)


def test_an_export_is_recorded_before_and_after_with_its_fingerprint(books: Books) -> None:
    _, done = books.export(LedgerFormat.CSV, currency="USD")
    with books.town.database.reading() as session:
        rows = session.execute(
            text("select action, after from audit_entries where object_kind = 'export' order by id")
        ).all()
    assert [row.action for row in rows] == ["ledger:export:start", "ledger:export:finish"]
    assert rows[-1].after == {
        "format": "csv", "filter": {"currency": "USD"}, "rows": done.rows, "sha256": done.sha256,
    }  # fmt: skip


def test_only_who_may_export_the_ledger_gets_a_byte(books: Books) -> None:
    for who in ("mia", "ada"):
        with pytest.raises(NotPermitted):
            books.export(LedgerFormat.CSV, as_=who)


def test_an_amount_has_the_decimals_of_its_currency_in_a_workbook(books: Books) -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(books.export(LedgerFormat.XLSX)[0])).worksheets[0]
    at = {name: place for place, name in enumerate(NAMES)}
    shown = {
        (row[at["currency"]].value, row[at[side]].number_format)
        for row in sheet.iter_rows(min_row=2)
        for side in ("debit", "credit")
        if row[at[side]].value is not None
    }
    decimals = {currency: len(look.partition(".")[2]) for currency, look in shown}
    assert len(shown) == len(decimals) > 1
    assert decimals == {currency: CURRENCIES[currency].digits for currency in decimals}
    assert {0, 2, 3} <= {CURRENCIES[currency].digits for currency in decimals}


def test_a_workbook_goes_on_in_another_sheet(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_export, "SHEET", 10)
    content, done = books.export(LedgerFormat.XLSX)
    book = openpyxl.load_workbook(io.BytesIO(content))
    assert [sheet.max_row for sheet in book.worksheets][:2] == [11, 11]
    assert sum(sheet.max_row - 1 for sheet in book.worksheets) == done.rows
    assert {tuple(cell.value for cell in sheet[1]) for sheet in book.worksheets} == {tuple(NAMES)}


@pytest.mark.parametrize("wanted", [
    {}, {"since": NOW.date()}, {"until": NOW.date() - timedelta(days=1)}, {"line": "stripe_balance"},
    {"currency": "USD"}, {"since": NOW.date(), "until": NOW.date(), "line": BANK, "currency": "EUR"},
], ids=str)  # fmt: skip
def test_how_many_there_will_be_is_known_before_the_first(
    books: Books, owner: Database, wanted: dict[str, Any]
) -> None:
    """Whether they are rolled up, are not yet, or a part of them is."""

    def told() -> tuple[int, int]:
        totals: list[int] = []
        with books.auditor.reading() as session:
            rows = ledger_export.write(
                session,
                LedgerFilter(**wanted),
                LedgerFormat.CSV,
                io.BytesIO(),
                lambda _, total: totals.append(total),
            )
        (total,) = set(totals)
        return total, rows

    before = told()
    assert before[0] == before[1]
    builders.roll_up(owner)
    assert told() == before
    books.post("after", Money(5, "USD"), "", NOW)
    total, rows = told()
    assert total == rows >= before[1]
