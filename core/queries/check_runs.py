"""Runs of checks: those that are under way, and the last that ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select, text
from sqlalchemy.orm import Session

from core.records import CheckRun, Staff
from core.rules.check_runs import LATE_AFTER, CheckPart, PartResult, ended

INSTALLED = text("select created_at from installation")


@dataclass(frozen=True)
class RunOfChecks:
    """`requested_by` is None for the night's. `results`: what came of each part that has ended."""

    id: int
    requested_by: str | None
    started_at: datetime
    finished_at: datetime | None
    failure: str | None
    part: CheckPart | None
    done: int
    total: int
    results: tuple[PartResult, ...]

    @property
    def wrong(self) -> int:
        return sum(each.wrong for each in self.results)

    def of(self, part: CheckPart) -> PartResult | None:
        """None where the run did not come to it."""
        return next((each for each in self.results if each.part is part), None)


@dataclass(frozen=True)
class CheckRuns:
    """Of runs of every check. `missed_since`: when one has been due for so long that it must have been made; None while
    all is well.

    `books`: the run, of whatever kind, that checked the books last; `books_under_way`: a run of those alone.
    """

    under_way: RunOfChecks | None
    last: RunOfChecks | None
    finished: RunOfChecks | None
    missed_since: datetime | None
    books: RunOfChecks | None
    books_under_way: RunOfChecks | None


def standing(session: Session, *, now: datetime) -> CheckRuns:
    """`last` is the last that ended, whether finished or given up; `finished` the last that was finished."""
    open_, whole = CheckRun.finished_at.is_(None) & CheckRun.failure.is_(None), ~CheckRun.books_only
    under_way = _newest(session, open_ & whole)
    books_under_way = _newest(session, open_ & ~whole)
    books = _newest(session, CheckRun.results.has_key(CheckPart.BOOKS.value))
    last = _newest(session, ~open_ & whole)
    finished = last
    if last is not None and last.failure is not None:
        finished = _newest(session, CheckRun.finished_at.is_not(None) & whole)
    since = finished.started_at if finished else session.scalar(INSTALLED)
    late = since is not None and now - since > LATE_AFTER
    return CheckRuns(under_way, last, finished, since if late else None, books, books_under_way)


def _newest(session: Session, which: ColumnElement[bool]) -> RunOfChecks | None:
    wanted = select(CheckRun, Staff.name).outerjoin(Staff, Staff.id == CheckRun.requested_by).where(which)
    found = session.execute(wanted.order_by(CheckRun.id.desc()).limit(1)).one_or_none()
    if found is None:
        return None
    row, name = found
    return RunOfChecks(
        row.id, name, row.started_at, row.finished_at, row.failure, row.part, row.done, row.total,
        tuple(ended(row.results)),
    )  # fmt: skip
