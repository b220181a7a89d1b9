"""A run of every check, or of those of the books: asked for by a person, or begun by the clock."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit
from core.audit.actions import AuditAction
from core.db import one_at_a_time
from core.records import CheckRun
from core.rules.check_runs import CheckRunGivenUp, ended
from core.rules.permissions import SYSTEM, Actor, Permission, require

UNDER_WAY = (CheckRun.finished_at.is_(None), CheckRun.failure.is_(None))


def request(session: Session, actor: Actor, *, books_only: bool = False, now: datetime) -> int:
    """Returns the run's number; the one that is under way, where one is. A worker makes it. Raises `NotPermitted`."""
    require(actor, Permission.RUN_CHECKS)
    return begin(session, actor, books_only=books_only, now=now)


def begin(session: Session, actor: Actor = SYSTEM, *, books_only: bool, now: datetime) -> int:
    one_at_a_time(session, "a run of checks")
    under_way = session.scalar(select(CheckRun.id).where(*UNDER_WAY, CheckRun.books_only == books_only))
    if under_way is not None:
        return under_way
    row = CheckRun(
        books_only=books_only,
        requested_by=actor.id if actor.kind == "staff" else None,
        started_at=now,
        next_try_at=now,
        results={},
    )
    session.add(row)
    session.flush()
    if actor is not SYSTEM:
        _record(session, actor, AuditAction.CHECK_RUN_REQUEST, row, now=now)
    return row.id


def finish(session: Session, row: CheckRun, *, now: datetime) -> None:
    """The log keeps what came of it, in numbers. Nothing, where a worker that took it over has ended it."""
    if row.finished_at is not None or row.failure is not None:
        return
    row.finished_at, row.part = now, None
    _record(session, SYSTEM, AuditAction.CHECK_RUN_FINISH, row, now=now)


def give_up(session: Session, row: CheckRun, *, now: datetime) -> None:
    row.failure = CheckRunGivenUp(tries=row.tries).message
    _record(session, SYSTEM, AuditAction.CHECK_RUN_FINISH, row, now=now)


def _record(session: Session, actor: Actor, action: AuditAction, row: CheckRun, *, now: datetime) -> None:
    found = {each.part.lower(): {"checked": each.checked, "wrong": each.wrong} for each in ended(row.results)}
    audit.record(
        session,
        actor,
        action.by(actor.kind),
        object_kind="check_run",
        object_id=row.id,
        now=now,
        after={"run": row.id, **found, **({"failure": row.failure} if row.failure else {})},
    )
