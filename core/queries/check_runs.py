"""Runs of every check: the one that is under way, and the last that ended."""

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


@dataclass(frozen=True)
class CheckRuns:
    """`missed_since`: when a run has been due for so long that one must have been made; None while all is well."""

    under_way: RunOfChecks | None
    last: RunOfChecks | None
    finished: RunOfChecks | None
    missed_since: datetime | None


def standing(session: Session, *, now: datetime) -> CheckRuns:
    """`last` is the last that ended, whether finished or given up; `finished` the last that was finished."""
    under_way = _newest(session, CheckRun.finished_at.is_(None) & CheckRun.failure.is_(None))
    last = _newest(session, CheckRun.finished_at.is_not(None) | CheckRun.failure.is_not(None))
    finished = (
        last if last is None or last.failure is None else _newest(session, CheckRun.finished_at.is_not(None))
    )
    since = finished.started_at if finished else session.scalar(INSTALLED)
    late = since is not None and now - since > LATE_AFTER
    return CheckRuns(under_way, last, finished, since if late else None)


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
