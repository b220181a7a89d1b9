"""Periods of the books: a day, a month or a fiscal year, closed when it is over, in their order, and reopened by two.

What is closed does not change: the database sees to it (`ledger_lock`). What comes to light later is posted on the
first open day and says for which day it is (docs/decisions/0024).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from core.errors import DeskError
from core.policy.limits import DAY_CLOSED_WITHIN

DAY = timedelta(days=1)


class PeriodKind(StrEnum):
    DAY = "DAY"
    MONTH = "MONTH"
    YEAR = "YEAR"
    """A fiscal year; closing it moves its result into retained earnings."""


class PeriodStatus(StrEnum):
    CLOSED = "CLOSED"
    REOPENED = "REOPENED"
    """Two people have opened it again; its summary stays as it was signed."""


class PeriodNotReady(DeskError):
    """{period} cannot be closed yet. {missing}"""


class PeriodClosed(DeskError):
    """{period} is closed. Choose an open day, or have the period reopened by two people."""


class PeriodNotClosed(DeskError):
    """{period} is not closed, so there is nothing to reopen."""


def closed_since_asked(closed: str) -> str:
    """Why a request to reopen an earlier period can no longer be approved: the second person would agree to more."""
    return f"{closed} closed after it was asked for, and would be open again too."


def reopened_with(earlier: Span, reason: str) -> str:
    """Why a period was reopened of which nobody asked it: it was closed after one that was."""
    return f"Closed after {earlier.words}, which was reopened: {reason}"


class LedgerBusy(DeskError):
    """Something is being posted for longer than the desk waits. Nothing was closed; try again in a moment."""


@dataclass(frozen=True)
class Span:
    """A day, a month or a fiscal year, both ends included, in UTC."""

    kind: PeriodKind
    first: date
    last: date

    @property
    def ends(self) -> datetime:
        """The first moment after it."""
        return datetime.combine(self.last + DAY, time(), UTC)

    @property
    def words(self) -> str:
        match self.kind:
            case PeriodKind.DAY:
                return f"{self.first:%-d %b %Y}"
            case PeriodKind.MONTH:
                return f"{self.first:%B %Y}"
        ends = f"/{self.last:%y}" if self.last.year > self.first.year else ""
        return f"FY {self.first.year}{ends}"

    @property
    def in_file_names(self) -> str:
        """`day-2026-10-01`, `month-2026-10`, `year-2026`, or `year-2026-27` where it ends in another."""
        match self.kind:
            case PeriodKind.DAY:
                return f"day-{self.first.isoformat()}"
            case PeriodKind.MONTH:
                return f"month-{self.first:%Y-%m}"
        return f"year-{self.words.removeprefix('FY ').replace('/', '-')}"


def span(kind: PeriodKind, day: date, *, year_begins: int = 1) -> Span:
    """The day, or the month or fiscal year that it lies in. `year_begins`: the fiscal year's first month."""
    match kind:
        case PeriodKind.DAY:
            return Span(kind, day, day)
        case PeriodKind.MONTH:
            first = day.replace(day=1)
            return Span(kind, first, (first + 31 * DAY).replace(day=1) - DAY)
    first = year_start(day, year_begins)
    return Span(kind, first, first.replace(year=first.year + 1) - DAY)


def year_start(day: date, year_begins: int) -> date:
    """The first day of the fiscal year that the day lies in."""
    return date(day.year - (day.month < year_begins), year_begins, 1)


def closed_by(due: Span) -> datetime:
    """Until when it is to be closed (internal policy)."""
    return due.ends + DAY_CLOSED_WITHIN


@dataclass(frozen=True)
class Item:
    """One line of the checklist. `explainable`: it may be closed with an explanation that is signed with it. `again`:
    it was found so by an earlier run, and is asked again when the period is closed."""

    name: str
    law: str
    found: str
    met: bool
    explainable: bool = False
    again: bool = False


def missing(items: Sequence[Item], *, explanation: str) -> list[Item]:
    """What stops the close: what is not met, and not explained either."""
    return [each for each in items if not each.met and not (each.explainable and explanation)]


def require_ready(wanted: Span, items: Sequence[Item], *, explanation: str) -> None:
    """Raises `PeriodNotReady`, which names everything that is missing."""
    if short := missing(items, explanation=explanation):
        found = [each.found for each in short]
        if all(each.explainable for each in short):
            found.append("Say why it is closed all the same, or clear it first.")
        raise PeriodNotReady(period=wanted.words, missing=" ".join(found))
