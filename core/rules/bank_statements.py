"""What a bank statement is: the formats it comes in, where its balances are from, and how a line is known again."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from enum import StrEnum


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


def line_key(
    booked_on: date,
    value_on: date | None,
    amount: int,
    reference: str,
    counterparty: str,
    text: str,
    ordinal: int,
) -> str:
    """By what a line of an account is known again in another file; `ordinal` tells equal lines of one day apart."""
    said = [
        booked_on.isoformat(),
        value_on and value_on.isoformat(),
        amount,
        reference,
        counterparty,
        text,
        ordinal,
    ]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()
