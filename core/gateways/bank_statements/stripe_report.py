"""Stripe's itemized reports as CSV: balance change from activity, and payout reconciliation. In major units."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from core.gateways.bank_statements import texts
from core.gateways.bank_statements.parsed import StatementUnreadable
from core.money import CURRENCIES
from core.rules.bank_amounts import NoAmount, minor_units, shown

ID = "balance_transaction_id"
NEEDED = (ID, "currency", "gross", "fee", "net", "reporting_category")
CREATED = ("created_utc", "created")
SOURCE = ("source_id",)


@dataclass(frozen=True, slots=True)
class ReportLine:
    """One balance transaction; amount less fee is net, all in minor units."""

    place: str
    id: str
    currency: str
    amount: int
    fee: int
    net: int
    category: str
    source: str
    created: datetime


def read(file: str, content: bytes) -> Iterator[ReportLine]:
    """Raises `StatementUnreadable`."""
    rows = csv.DictReader((f"{text}\n" for _, text in texts.numbered(file, content)), strict=True)
    try:
        header = [each.strip().lstrip("\ufeff") for each in rows.fieldnames or []]
        rows.fieldnames = header
        for column in (*NEEDED, *(() if set(CREATED) & set(header) else CREATED[:1])):
            if column not in header:
                raise StatementUnreadable(
                    file=file, place="line 1", what=f"Stripe's report has no column {column}"
                )
        for row in rows:
            yield _line(
                file,
                f"line {rows.line_num}",
                {name: (value or "").strip() for name, value in row.items() if name},
            )
    except csv.Error as problem:
        raise StatementUnreadable(
            file=file, place=f"line {rows.line_num}", what=f"it is not CSV ({problem})"
        ) from None


def _line(file: str, place: str, row: dict[str, str]) -> ReportLine:
    currency = row["currency"].upper()
    if currency not in CURRENCIES:
        what = f"“{shown(currency)}” is not a currency this desk handles"
        raise StatementUnreadable(file=file, place=place, what=what)
    if not row[ID]:
        raise StatementUnreadable(file=file, place=place, what=f"there is no {ID}")
    try:
        gross, fee, net = (minor_units(row[name], currency, signed=True) for name in ("gross", "fee", "net"))
        told = next(row[name] for name in CREATED if row.get(name))
        created = datetime.fromisoformat(told).replace(tzinfo=UTC)
    except NoAmount as problem:
        raise StatementUnreadable(file=file, place=place, what=str(problem)) from None
    except (StopIteration, ValueError):
        raise StatementUnreadable(file=file, place=place, what="the time of the line is no time") from None
    if net != gross - fee:
        raise StatementUnreadable(file=file, place=place, what="gross less fee is not net")
    source = next((row[name] for name in SOURCE if row.get(name)), "")
    return ReportLine(place, row[ID], currency, gross, fee, net, row["reporting_category"], source, created)
