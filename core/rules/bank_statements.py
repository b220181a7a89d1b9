"""What a bank statement is: the formats it comes in, where its balances are from, and what lies beside it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

EARLIEST = date(2000, 1, 1)
STRIPE = "stripe"
"""In the place of a bank account's code: Stripe's own reports."""
SHORTEST_ENDING = 8
CODE = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
IDENTIFIER = re.compile(r"[A-Z0-9]{4,40}")


class StatementFormat(StrEnum):
    CAMT053 = "CAMT053"
    MT940 = "MT940"
    OFX = "OFX"
    BAI2 = "BAI2"
    CSV = "CSV"
    """Any bank's, by a saved mapping of its columns."""
    STRIPE_REPORT = "STRIPE_REPORT"
    """Stripe's own lines as a report, in major units; no bank statement comes of it."""

    @property
    def words(self) -> str:
        return _WORDS.get(self, self.value)


_WORDS = {StatementFormat.CAMT053: "CAMT.053", StatementFormat.STRIPE_REPORT: "Stripe report"}


class Balances(StrEnum):
    """Where the opening and closing balances of a statement are from."""

    STATED = "STATED"
    """The bank states both."""
    CLOSING = "CLOSING"
    """The bank states the closing one; the opening one is that less the lines."""
    CARRIED = "CARRIED"
    """The bank states neither: the statement goes on from the one before it."""


@dataclass(frozen=True, slots=True)
class Span:
    """The days that a statement is of, and its balances in minor units."""

    first_on: date
    last_on: date
    opening: int
    closing: int


def days(first: date, last: date) -> str:
    """`28 Nov 2026 to 30 Nov 2026`, and of one day its date alone."""
    return f"{first:%-d %b %Y}" if first == last else f"{first:%-d %b %Y} to {last:%-d %b %Y}"


def plain(identifier: str) -> str:
    """An IBAN or an account number without blanks and marks, in capitals."""
    return re.sub(r"[^A-Z0-9]", "", identifier.upper())


def same_account(stated: str, identifier: str, currency: str) -> bool:
    """Whether what a file states is this account: the same, or the one ends in the other (a number and its IBAN), with
    or without the currency after it."""
    one, other = plain(stated), plain(identifier)
    if one == other or one == other + currency:
        return True
    short, long = sorted((one.removesuffix(currency), other), key=len)
    return len(short) >= SHORTEST_ENDING and long.endswith(short)


def goes_on(before: Span, new: Span) -> bool:
    """Whether the new one begins where the one before ended, so that it repeats none of its lines."""
    return before.last_on <= new.first_on and before.closing == new.opening


def follows_at_once(before: Span, after: Span) -> bool:
    """No day lies between them, and they share none."""
    return after.first_on - before.last_on == timedelta(days=1)


def overlap(one: Span, other: Span) -> bool:
    return one.first_on <= other.last_on and other.first_on <= one.last_on
