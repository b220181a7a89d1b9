"""Work that waits in rows: found when it is due, claimed so that nobody else takes it, and put off when it fails.

A claim of `claim_due` is a lease: it moves the next try ahead and is committed before anything is sent, so no other
worker takes the row meanwhile, and what a dying worker leaves is due again. An outgoing operation's lease is its status
SENDING, which commits that the call may have been made (`core.processes.outgoing.dispatch`). An event of the
provider needs none, because applying it twice changes nothing; nor does a deadline, asked for again under its lock.

Whatever one row raises is that row's own trouble: it is written on the row, and the next row is taken up. Only a
database that is away ends a round.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TypeVar

import structlog
from sqlalchemy import ColumnElement, Select, select, true
from sqlalchemy.orm import Session

from core import audit
from core.db import Record, is_away
from core.desk import Desk
from core.errors import DeskError
from core.records import Notification, OutgoingEvent, WebhookEvent
from core.rules.notifications import LetterStatus
from core.rules.webhooks import EventStatus, WebhookStatus

log = structlog.get_logger(__name__)

CLAIMED_FOR = timedelta(minutes=10)
Leased = TypeVar("Leased", Notification, OutgoingEvent)
Key = TypeVar("Key", int, str)

QUEUED: Mapping[type[Record], LetterStatus | EventStatus] = {
    Notification: LetterStatus.QUEUED,
    OutgoingEvent: EventStatus.QUEUED,
}
FAILED: Mapping[type[Record], LetterStatus | EventStatus | WebhookStatus] = {
    Notification: LetterStatus.FAILED,
    OutgoingEvent: EventStatus.FAILED,
    WebhookEvent: WebhookStatus.FAILED,
}


def each_due(desk: Desk, due: Select[Key], work: Callable[[Desk, Key], None]) -> int:
    """Take up each row that is due, by its key, in a transaction of its own; returns how many there were."""
    with desk.database.glance() as session:
        keys = session.scalars(due).all()
    for key in keys:
        try:
            work(desk, key)
        except Exception as problem:
            passed_over(problem, key)
    return len(keys)


def alone(
    desk: Desk, key: Key, work: Callable[[Desk, Key], None], *, failed: Callable[[Desk, Key, Exception], None]
) -> None:
    """Do `work` for one row; whatever it raises is given to `failed`. Raises only where the database is away."""
    try:
        work(desk, key)
    except Exception as problem:
        if is_away(problem):
            raise
        failed(desk, key, problem)


def why(problem: Exception) -> str:
    """What went wrong, for a person: a refusal in its own words. What nobody foresaw goes to the log whole."""
    if isinstance(problem, DeskError):
        return problem.message
    log.error("unforeseen", exc_info=problem)
    return f"Something went wrong that nobody foresaw ({type(problem).__name__}); the log has the details."


def passed_over(problem: Exception, key: int | str) -> None:
    """What went wrong could not even be written on the row; the other rows still have their turn.

    Raises it again where the database is away.
    """
    if is_away(problem):
        raise problem
    log.error("row.failed", key=key, exc_info=problem)


def claim_due(
    session: Session,
    kind: type[Leased],
    *,
    now: datetime,
    limit: int,
    only: ColumnElement[bool] | None = None,
) -> list[Leased]:
    """The `limit` rows that have waited longest, of `only` these, without those that somebody else is about to
    claim."""
    wanted = (
        select(kind)
        .where(kind.status == QUEUED[kind], kind.next_try_at <= now, true() if only is None else only)
        .order_by(kind.next_try_at, kind.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    due = list(session.scalars(wanted))
    for row in due:
        lease(row, now=now)
    return due


def lease(row: Notification | OutgoingEvent, *, now: datetime) -> None:
    row.next_try_at = now + CLAIMED_FOR


def put_off(
    row: Notification | OutgoingEvent | WebhookEvent, *, until: datetime | None, now: datetime
) -> None:
    """Tried in vain: again at `until`, or given up where there is no next time."""
    if until is None:
        audit.become(row, FAILED[type(row)], now=now)
    else:
        row.next_try_at = until
