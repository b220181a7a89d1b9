"""BAI2, the cash management format of American and Canadian banks: 01 file, 02 group, 03 account, 16 line, 88 goes on.

Amounts are in minor units. The control totals and the counts of records are checked. Codes 010 and 015 are the opening
and the closing ledger balance; 100 to 399 are credits, 400 to 699 debits.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from core.gateways.bank_statements import texts
from core.gateways.bank_statements.parsed import (
    Begin,
    End,
    Event,
    Events,
    Line,
    StatementUnreadable,
    calendar_day,
)
from core.money import MAX_MINOR
from core.rules.bank_amounts import shown

OPENING, CLOSING = "010", "015"
DEFAULT = "USD"
FUNDS = {"V": 2, "S": 3}


@dataclass
class Record:
    """A record with what its continuations add; `physical` counts the lines of the file that it takes."""

    number: int
    fields: list[str]
    physical: int = 1

    @property
    def code(self) -> str:
        return self.fields[0]


@dataclass
class Account:
    began: bool
    currency: str
    total: int = 0
    records: int = 0
    balances: dict[str, int] = field(default_factory=dict)
    place: str = ""


def read(file: str, content: bytes) -> Events:
    """Raises `StatementUnreadable`."""
    return _Reader(file).events(_records(file, content))


def _records(file: str, content: bytes) -> Iterator[Record]:
    record: Record | None = None
    for number, line in texts.numbered(file, content):
        if not line.strip():
            continue
        fields = line.rstrip().removesuffix("/").split(",")
        if fields[0] == "88" and record is not None:
            record.fields += fields[1:]
            record.physical += 1
            continue
        if record is not None:
            yield record
        record = Record(number, fields)
    if record is not None:
        yield record


class _Reader:
    def __init__(self, file: str) -> None:
        self.file = file
        self.group_currency = DEFAULT
        self.day = date.min
        self.account: Account | None = None
        self.group_total = self.file_total = self.group_records = self.file_records = 0
        self.closed = False

    def events(self, records: Iterator[Record]) -> Iterator[Event]:
        last = None
        for record in records:
            last = record
            self.group_records += record.physical
            self.file_records += record.physical
            match record.code:
                case "02":
                    self.group_total, self.group_records = 0, record.physical
                    self.day = self._day(record, _at(record, 4))
                    self.group_currency = _at(record, 6) or DEFAULT
                case "03":
                    yield self._begin(record)
                case "16":
                    yield self._line(record)
                case "49":
                    yield self._end(record)
                case "98":
                    self._check(record, self.group_total, self.group_records, "group")
                    self.file_total += self.group_total
                case "99":
                    self._check(record, self.file_total, self.file_records, "file")
                    self.closed = True
                case "01":
                    pass
                case _:
                    raise self._refuse(record, f"“{shown(record.code)}” is not a kind of record")
        if last is None or not self.closed:
            number = last.number if last else 1
            raise self._refuse(last or Record(number, [""]), "the file ends before its last record (99)")

    def _begin(self, record: Record) -> Begin:
        if self.account is not None:
            raise self._refuse(record, "the account before it has no last record (49)")
        if self.day == date.min:
            raise self._refuse(record, "an account outside a group (02)")
        account = self.account = Account(True, _at(record, 2) or self.group_currency, records=record.physical)
        account.place = f"line {record.number}"
        rest = record.fields[3:]
        while rest:
            code, amount, rest = (
                rest[0],
                rest[1] if len(rest) > 1 else "",
                self._after_funds(record, rest[3:]),
            )
            if code and amount:
                account.balances[code] = self._amount(record, amount)
                account.total += account.balances[code]
        return Begin(
            f"line {record.number}", _at(record, 1) or None, account.currency, f"{self.day:%Y-%m-%d}"
        )

    def _line(self, record: Record) -> Line:
        account = self._open(record)
        account.records += record.physical
        amount = self._amount(record, _at(record, 2))
        account.total += amount
        bank, customer, *words = [*self._after_funds(record, record.fields[3:]), "", ""]
        value = None
        if _at(record, 3) == "V" and _at(record, 4):
            value = self._day(record, _at(record, 4))
        code = _at(record, 1)
        if not (code.isdigit() and len(code) == 3 and 100 <= int(code) <= 699):
            raise self._refuse(record, f"“{shown(code)}” is neither the code of a credit nor of a debit")
        signed = amount if int(code) < 400 else -amount
        text = ",".join(words).strip(" ,/")
        references = [each.strip() for each in (bank, customer) if each.strip()]
        more = " ".join(each for each in (text, *references[1:]) if each)
        reference = references[0] if references else ""
        return Line(f"line {record.number}", self.day, value, signed, reference, "", f"{code} {more}".strip())

    def _end(self, record: Record) -> End:
        account = self._open(record)
        self._check(record, account.total, account.records + record.physical, "account")
        self.group_total += account.total
        self.account = None
        place = f"line {record.number}"
        opening, closing = account.balances.get(OPENING), account.balances.get(CLOSING)
        return End(place, opening, closing, last_on=self.day, opening_place=account.place)

    def _open(self, record: Record) -> Account:
        if self.account is None:
            raise self._refuse(record, "a record outside an account (03)")
        return self.account

    def _check(self, record: Record, total: int, count: int, of: str) -> None:
        """The control total of an account, a group or the file, and how many records it has."""
        stated = self._amount(record, _at(record, 1))
        if stated != total:
            off = f"the control total of the {of} is {stated} and its amounts are {total}: off by {stated - total}"
            raise self._refuse(record, off)
        number = _at(record, 2 if of == "account" else 3)
        if number.isdigit() and int(number) != count:
            raise self._refuse(record, f"the {of} says that it has {int(number)} records, and has {count}")

    def _after_funds(self, record: Record, rest: list[str]) -> list[str]:
        """What follows a funds type and what belongs to it. `rest` begins at the type."""
        kind = rest[0] if rest else ""
        if kind == "D":
            pairs = rest[1] if len(rest) > 1 else ""
            if not pairs.isdigit() or len(pairs) > 3:
                raise self._refuse(record, f"“{shown(pairs)}” is not a number of days")
            return rest[2 + 2 * int(pairs) :]
        return rest[1 + FUNDS.get(kind, 0) :]

    def _amount(self, record: Record, text: str) -> int:
        digits = text.strip().lstrip("+-")
        if not (digits.isascii() and digits.isdigit() and len(digits) < 40 and int(digits) <= MAX_MINOR):
            raise self._refuse(record, f"“{shown(text)}” is not an amount in minor units")
        return -int(digits) if text.strip().startswith("-") else int(digits)

    def _day(self, record: Record, text: str) -> date:
        if not (len(text) == 6 and text.isascii() and text.isdigit()):
            raise self._refuse(record, f"“{shown(text)}” is not a day (YYMMDD)")
        try:
            return calendar_day(2000 + int(text[:2]), int(text[2:4]), int(text[4:]))
        except ValueError as problem:
            raise self._refuse(record, str(problem)) from None

    def _refuse(self, record: Record, what: str) -> StatementUnreadable:
        return StatementUnreadable(file=self.file, place=f"line {record.number}", what=what)


def _at(record: Record, place: int) -> str:
    return record.fields[place].strip() if len(record.fields) > place else ""
