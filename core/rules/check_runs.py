"""Everything that can be proved is proved once a night, and the books every hour: the parts of a run, and when due."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from core.errors import DeskError

NIGHTLY_AT = timedelta(hours=2)
"""After midnight UTC: the day's statement is compared by then, and few people work."""
LATE_AFTER = timedelta(hours=26)
BOOKS_EVERY = timedelta(hours=1)
LEASE = timedelta(minutes=30)
TRIES = 3
LISTED = 20


class CheckPart(StrEnum):
    """What is checked, in this order; each has its own result."""

    BOOKS = "BOOKS"
    RECORD = "RECORD"
    EVIDENCE = "EVIDENCE"
    CASE_FILES = "CASE_FILES"


PART_WORDS: Mapping[CheckPart, str] = {
    CheckPart.BOOKS: "Checks of the books",
    CheckPart.RECORD: "Record against its seals",
    CheckPart.EVIDENCE: "Evidence files",
    CheckPart.CASE_FILES: "Case files of decided cases",
}


class CheckRunUnderWay(DeskError):
    """A worker is at run {run} of every check, or it failed just now. Wait until it has ended: page Checks."""


class CheckRunGivenUp(DeskError):
    """The run was given up after {tries} tries: the worker was stopped or failed each time. Its log says why."""


@dataclass(frozen=True)
class PartResult:
    """`checked` checks, rows, files or case files; `wrong` of them are not as they should be, the `first` in words."""

    part: CheckPart
    checked: int
    wrong: int
    first: tuple[str, ...]
    ended_at: datetime | None
    """None while the part is under way."""
    after: int = 0
    """The last case that was looked at, for whoever goes on from there."""
    rows: Mapping[str, int] = field(default_factory=dict)
    """Of the checks of the books, by name: how many rows fail."""

    def as_json(self) -> Mapping[str, Any]:
        return {
            "checked": self.checked,
            "wrong": self.wrong,
            "first": list(self.first[:LISTED]),
            "ended_at": self.ended_at and self.ended_at.isoformat(),
            "after": self.after,
            "rows": dict(self.rows),
        }


def read_result(part: CheckPart, stored: Mapping[str, Any]) -> PartResult:
    ended = stored["ended_at"]
    return PartResult(
        part,
        stored["checked"],
        stored["wrong"],
        tuple(stored["first"]),
        datetime.fromisoformat(ended) if ended else None,
        stored["after"],
        stored.get("rows", {}),
    )


def ended(stored: Mapping[str, Mapping[str, Any]]) -> list[PartResult]:
    """The parts that have ended, in order."""
    found = [read_result(part, stored[part]) for part in CheckPart if part in stored]
    return [each for each in found if each.ended_at is not None]


def last_night(now: datetime) -> datetime:
    """The latest time up to `now` at which a nightly run was due."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    at = midnight + NIGHTLY_AT
    return at if at <= now else at - timedelta(days=1)
