"""What every reader gives: statement by statement, first `Begin`, then each `Line`, then `End`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

from core.errors import DeskError
from core.rules import file_names

LONGEST_REFERENCE, LONGEST_NAME, LONGEST_TEXT = 140, 200, 2_000


class StatementUnreadable(DeskError):
    """{file}, {place}: {what}. Nothing was imported."""


class FileNotRecognised(DeskError):
    """{file} was not imported: {what}."""


@dataclass(frozen=True, slots=True)
class Begin:
    """`place`: where it stands in the file. `account`: as the bank writes it, None where the file does not say."""

    place: str
    account: str | None
    currency: str
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """`amount` in minor units, above zero when money came in. `odd`: sentences about what is not as it should be."""

    place: str
    booked_on: date
    value_on: date | None
    amount: int
    reference: str
    counterparty: str
    text: str
    odd: tuple[str, ...] = ()

    def tidy(self) -> Line:
        """The same with its words on one line each, without what cannot be shown, and not too long."""
        odd = self.odd
        if len(self.text) > LONGEST_TEXT:
            odd += (f"The text is longer than {LONGEST_TEXT:,} characters; the file has all of it.",)
        return replace(
            self,
            reference=_words(self.reference, LONGEST_REFERENCE),
            counterparty=_words(self.counterparty, LONGEST_NAME),
            text=_words(self.text, LONGEST_TEXT),
            odd=odd,
        )


@dataclass(frozen=True, slots=True)
class End:
    """None: the file does not say. `last_on` is the day of the closing balance, `first_on` to `until_on` what the file
    calls its period. `left_out`: how many entries are not booked yet, which are no lines. `opening_place`: where the
    opening balance stands, if elsewhere."""

    place: str
    opening: int | None
    closing: int | None
    first_on: date | None = None
    last_on: date | None = None
    until_on: date | None = None
    left_out: int = 0
    opening_place: str = ""


Event = Begin | Line | End
Events = Iterator[Event]


def calendar_day(year: int, month: int, day: int) -> date:
    """Raises `ValueError` whose message is the end of a sentence."""
    try:
        return date(year, month, day)
    except ValueError:
        named = MONTHS[month - 1] if 1 <= month <= len(MONTHS) else f"month {month}"
        raise ValueError(f"{day} {named} {year} does not exist") from None


MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def _words(text: str, longest: int) -> str:
    if text.isascii() and text.isprintable():
        return " ".join(text.split())[:longest]
    return file_names.words(text, longest=longest)
