"""How the columns of a bank's CSV are read: a mapping, saved by name, and checked before it is saved."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime
from typing import Any

from core.errors import DeskError

DELIMITERS: Mapping[str, str] = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
DATE_FORMATS: Mapping[str, str] = {
    "%Y-%m-%d": "2026-11-30",
    "%d.%m.%Y": "30.11.2026",
    "%d.%m.%y": "30.11.26",
    "%d/%m/%Y": "30/11/2026",
    "%m/%d/%Y": "11/30/2026",
    "%d-%m-%Y": "30-11-2026",
    "%Y/%m/%d": "2026/11/30",
    "%Y%m%d": "20261130",
}
ENCODINGS: Mapping[str, str] = {
    "": "by the file",
    "utf-8": "UTF-8",
    "cp1252": "Western European (Windows-1252)",
    "iso-8859-15": "Western European (ISO 8859-15)",
    "utf-16": "UTF-16",
}
GROUPINGS = ("", ".", ",", "'", " ", "\u2019", "\u00a0", "\u202f")
MOST_COLUMNS, LONGEST = 20, 100


class MappingUnfit(DeskError):
    """The mapping cannot be saved: {what}."""


@dataclass(frozen=True)
class CsvMapping:
    """Columns by the name in their header. Either `amount` alone (signed, or with `direction` and the words of it that
    mean a debit), or `credit` and `debit`. `header_line`: which line holds the names, from 1; what is above it is
    passed over. `balance`: the running balance after each line. `brackets`: (12.00) is minus twelve."""

    booked_on: str
    date_format: str = "%Y-%m-%d"
    value_on: str = ""
    amount: str = ""
    direction: str = ""
    debit_words: tuple[str, ...] = ()
    credit: str = ""
    debit: str = ""
    balance: str = ""
    currency: str = ""
    account: str = ""
    reference: str = ""
    counterparty: str = ""
    texts: tuple[str, ...] = ()
    decimal: str = "."
    grouping: str = ""
    brackets: bool = False
    delimiter: str = ","
    encoding: str = ""
    header_line: int = 1
    newest_first: bool = False

    @classmethod
    def of(cls, definition: Mapping[str, Any]) -> CsvMapping:
        """Raises `MappingUnfit`."""
        known = {each.name for each in fields(cls)}
        if unknown := sorted(set(definition) - known):
            raise MappingUnfit(what=f"it has no field “{unknown[0]}”")
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in definition.items()
        }
        try:
            mapping = cls(**values)
        except TypeError:
            raise MappingUnfit(what="name the column of the booking date (booked_on)") from None
        mapping.check()
        return mapping

    def as_dict(self) -> dict[str, Any]:
        return {
            name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()
        }

    @property
    def columns(self) -> tuple[str, ...]:
        """The names that the header must have."""
        single = (
            self.booked_on, self.value_on, self.amount, self.direction, self.credit, self.debit, self.balance,
            self.currency, self.account, self.reference, self.counterparty,
        )  # fmt: skip
        return tuple(dict.fromkeys(each for each in (*single, *self.texts) if each))

    def check(self) -> None:
        """Raises `MappingUnfit`."""
        if what := next((what for wrong, what in self._faults() if wrong), None):
            raise MappingUnfit(what=what)

    def _faults(self) -> tuple[tuple[bool, str], ...]:
        words = [value for value in self.as_dict().values() if isinstance(value, str)]
        lists = [*self.texts, *self.debit_words]
        typed = all(isinstance(each, str) for each in lists) and type(self.header_line) is int
        typed = typed and type(self.brackets) is bool and type(self.newest_first) is bool
        typed = typed and len(words) == len(fields(self)) - 5
        if not typed:
            return ((True, "a column's name is a text, and the header's line a number"),)
        return (
            (any(len(each) > LONGEST or not each.isprintable() for each in (*words, *lists) if each != "\t"),
             f"names have at most {LONGEST} characters that can be shown"),
            (not self.booked_on.strip(), "name the column of the booking date"),
            (len(self.columns) > MOST_COLUMNS, f"it names more than {MOST_COLUMNS} columns"),
            (bool(self.amount) == bool(self.credit or self.debit),
             "name the column of the amount, or those of credit and debit"),
            (bool(self.credit) != bool(self.debit), "credit and debit are two columns; name both"),
            (bool(self.direction) != bool(self.debit_words),
             "a column that says credit or debit needs the words that mean a debit"),
            (bool(self.direction) and not self.amount, "a column that says credit or debit needs one of the amount"),
            (self.date_format not in DATE_FORMATS, "dates are not written so; choose one of the formats"),
            (self.delimiter not in DELIMITERS, "columns are separated by comma, semicolon, tab or bar"),
            (self.decimal not in (".", ","), "the decimal mark is a point or a comma"),
            (self.grouping not in GROUPINGS or self.grouping == self.decimal,
             "thousands are separated by another mark than decimals, or by none"),
            (not 1 <= self.header_line <= 100, "the names of the columns stand in one of the first 100 lines"),
            (self.encoding not in ENCODINGS or bool(self.encoding and not codecs.lookup(self.encoding)),
             "the encoding is not one that this desk reads"),
        )  # fmt: skip


def day_in(text: str, form: str) -> date:
    """Raises `ValueError` whose message is the end of a sentence."""
    try:
        return datetime.strptime(text.strip(), form).date()  # noqa: DTZ007 (a bank's day has no zone)
    except ValueError:
        raise ValueError(f"“{text.strip()[:40]}” is not a day written like {DATE_FORMATS[form]}") from None
