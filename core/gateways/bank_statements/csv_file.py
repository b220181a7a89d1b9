"""Any bank's CSV, by a saved mapping. Where it has a running balance, that is checked line by line."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from datetime import date

from core.gateways.bank_statements import texts
from core.gateways.bank_statements.parsed import Begin, End, Event, Events, Line, StatementUnreadable
from core.money import CURRENCIES, Money
from core.rules.bank_amounts import NoAmount, minor_units, shown
from core.rules.csv_mappings import CsvMapping, day_in

LARGEST_FIELD = 20_000


def read(file: str, content: bytes, mapping: CsvMapping, *, name: str, currency: str) -> Events:
    """`name` is the mapping's, `currency` the account's, where no column says it. Raises `StatementUnreadable`."""
    return _Reader(file, mapping, name, currency).events(content)


def header(file: str, content: bytes, *, delimiter: str, encoding: str, header_line: int) -> list[str]:
    """The names of the columns, each once, without those that have none. Raises `StatementUnreadable`."""
    numbered = texts.numbered(file, content, encoding or None)
    line = next((text for number, text in numbered if number == header_line), "")
    try:
        named = next(csv.reader([line], delimiter=delimiter, strict=True), [])
    except csv.Error as problem:
        raise StatementUnreadable(
            file=file,
            place=f"line {header_line}",
            what=f"it is not CSV as the mapping expects it ({problem})",
        ) from None
    return list(dict.fromkeys(name for each in named if (name := each.strip().lstrip("\ufeff"))))


class _Reader:
    def __init__(self, file: str, mapping: CsvMapping, name: str, currency: str) -> None:
        self.file, self.mapping, self.name, self.currency = file, mapping, name, currency
        self.at: dict[str, int] = {}
        self.number = 0
        self.first: tuple[int, int] | None = None
        self.balance: int | None = None
        self.amount_before = 0
        self.account: str | None = None

    def events(self, content: bytes) -> Iterator[Event]:
        rows = self._rows(content)
        began, line, first = False, None, ""
        for row in rows:
            if not any(each.strip() for each in row):
                continue
            self._same_account(row)
            if not began:
                began, first = True, self.place
                yield Begin(self.place, self.account, self.currency)
            line = self._line(row)
            yield line
        if not began:
            raise self._refuse("there is no line below the names of the columns")
        opening, closing = self._ends()
        ends = (self.place, first) if self.mapping.newest_first else (first, self.place)
        yield End(ends[1], opening, closing, opening_place=ends[0])

    @property
    def place(self) -> str:
        return f"line {self.number}"

    def _rows(self, content: bytes) -> Iterator[list[str]]:
        """Those below the header, which must have every column of the mapping."""
        numbered = texts.numbered(self.file, content, self.mapping.encoding or None)

        def lines() -> Iterator[str]:
            for self.number, text in numbered:
                yield text + "\n"

        source = lines()
        for _ in range(self.mapping.header_line - 1):
            next(source, None)
        rows = csv.reader(source, delimiter=self.mapping.delimiter, strict=True)
        csv.field_size_limit(LARGEST_FIELD)
        try:
            header = [each.strip().lstrip("\ufeff") for each in next(rows, [])]
            self._fit(header)
            yield from rows
        except csv.Error as problem:
            raise self._refuse(f"it is not CSV as the mapping expects it ({problem})") from None

    def _fit(self, header: list[str]) -> None:
        for column in self.mapping.columns:
            if column not in header:
                if other := _other_delimiter(header, self.mapping.delimiter):
                    raise self._refuse(
                        f"its columns are separated by “{other}”, and the mapping “{self.name}” says "
                        f"“{shown(self.mapping.delimiter)}”; save a version of the mapping with that delimiter"
                    )
                there = ", ".join(shown(each) for each in header[:12]) or "nothing"
                raise self._refuse(
                    f"the mapping “{self.name}” expects a column “{column}”, and there is {there}; "
                    "save a new version of the mapping if the bank changed its file"
                )
            if header.count(column) > 1:
                raise self._refuse(f"there are two columns “{column}”")
        self.at = {column: header.index(column) for column in self.mapping.columns}

    def _cell(self, row: list[str], column: str) -> str:
        if not column:
            return ""
        if self.at[column] >= len(row):
            raise self._refuse(f"the line ends before the column “{column}”")
        return row[self.at[column]].strip()

    def _same_account(self, row: list[str]) -> None:
        account, currency = self._cell(row, self.mapping.account), self._cell(row, self.mapping.currency)
        if account:
            if self.account not in (None, account):
                raise self._refuse("the file is of more than one account")
            self.account = account
        if currency and currency.upper() != self.currency:
            known = "" if currency.upper() in CURRENCIES else ", which is not a currency this desk handles"
            raise self._refuse(f"a line in {shown(currency)}{known}, and the account is in {self.currency}")

    def _line(self, row: list[str]) -> Line:
        mapping = self.mapping
        amount = self._signed(row)
        line = Line(
            self.place,
            self._day(row, mapping.booked_on),
            self._day(row, mapping.value_on) if self._cell(row, mapping.value_on) else None,
            amount,
            self._cell(row, mapping.reference),
            self._cell(row, mapping.counterparty),
            " ".join(found for each in mapping.texts if (found := self._cell(row, each))),
        )
        if mapping.balance:
            self._carry_on(amount, self._amount(row, mapping.balance))
        return line

    def _carry_on(self, amount: int, balance: int) -> None:
        """The running balance goes on from the line before, or, where the newest come first, to it."""
        if self.balance is not None:
            moved = self.balance - balance if self.mapping.newest_first else balance - self.balance
            expected = self.amount_before if self.mapping.newest_first else amount
            if moved != expected:
                off = Money(moved - expected, self.currency)
                raise self._refuse(f"the running balance does not go on from the line before: off by {off}")
        else:
            self.first = (amount, balance)
        self.balance, self.amount_before = balance, amount

    def _ends(self) -> tuple[int | None, int | None]:
        if self.first is None or self.balance is None:
            return None, None
        if self.mapping.newest_first:
            return self.balance - self.amount_before, self.first[1]
        return self.first[1] - self.first[0], self.balance

    def _signed(self, row: list[str]) -> int:
        mapping = self.mapping
        if not mapping.amount:
            credit, debit = (
                self._amount(row, each) if self._cell(row, each) else 0
                for each in (mapping.credit, mapping.debit)
            )
            if credit and debit:
                raise self._refuse(f"both “{mapping.credit}” and “{mapping.debit}” hold an amount")
            return credit or -abs(debit)
        amount = self._amount(row, mapping.amount)
        if not mapping.direction:
            return amount
        words = {each.casefold() for each in mapping.debit_words}
        is_debit = self._cell(row, mapping.direction).casefold() in words
        return -abs(amount) if is_debit else abs(amount)

    def _amount(self, row: list[str], column: str) -> int:
        text = self._cell(row, column)
        mark = self.mapping
        if text.endswith(("-", "\u2212")) and len(text) > 1:
            text = f"-{text[:-1].rstrip()}"
        if mark.brackets and text.startswith("(") and text.endswith(")"):
            text = f"-{text[1:-1]}"
        try:
            return minor_units(text, self.currency, decimal=mark.decimal, grouping=mark.grouping, signed=True)
        except NoAmount as problem:
            raise self._refuse(f"{problem} (column “{column}”)") from None

    def _day(self, row: list[str], column: str) -> date:
        try:
            return day_in(self._cell(row, column), self.mapping.date_format)
        except ValueError as problem:
            raise self._refuse(f"{problem} (column “{column}”)") from None

    def _refuse(self, what: str) -> StatementUnreadable:
        return StatementUnreadable(file=self.file, place=self.place, what=what)


def _other_delimiter(header: Sequence[str], said: str) -> str | None:
    """What separates the columns of a line that is one column by the mapping, where that is plain."""
    if len(header) != 1:
        return None
    found = [each for each in (";", ",", "\t", "|") if each != said and each in header[0]]
    return ("tab" if found[0] == "\t" else found[0]) if len(found) == 1 else None
