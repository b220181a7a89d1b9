"""Timers: every deadline is stored, and what is due is done in the order in which it fell due.

A worker that was down for a week catches up in that order, one transaction per deadline. Under the lock each is asked
for once more, by the same query that found it, so a deadline that was met, moved or taken meanwhile does nothing.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Any

import structlog
from sqlalchemy import BigInteger, DateTime, Select, String, bindparam, literal, select, tuple_, union_all
from sqlalchemy.orm import Session

from core.db import is_away
from core.desk import Desk
from core.errors import DeskError
from core.processes import returned_proposals
from core.processes.deadline_queries import Due
from core.processes.deadlines import DEADLINES

log = structlog.get_logger(__name__)

BATCH = 100
CANDIDATES = 500
ANY_TIME = datetime(2000, 1, 1, tzinfo=UTC)
MOMENT = DateTime(timezone=True)
NOW = bindparam("now", type_=MOMENT)  # every statement here is made once, and asked with the time it is
Key = tuple[datetime, str, int]


def run_due(desk: Desk) -> int:
    """Do everything whose time has come, oldest first; returns how many deadlines were handled.

    What one deadline makes due at once is done too. What cannot be done now (a hold, a refusal) stands in nobody's way.
    Before anything else, what waits for a second person and can no longer be confirmed goes back to its maker.
    """
    done, seen = returned_proposals.return_stale(desk), set[Key]()
    while acted := _pass(desk, seen):
        done += acted
    return done


def _pass(desk: Desk, seen: set[Key]) -> int:
    """Once through all that is due and not yet seen, batch after batch."""
    done, last = 0, None
    while batch := _due(desk, after=last):
        for key in batch:
            if key not in seen:
                seen.add(key)
                done += _handle(desk, key)
        last = batch[-1]
    return done


def _handle(desk: Desk, key: Key) -> bool:
    at, kind, number = key

    def act(session: Session) -> bool:
        now, deadline = desk.clock(), DEADLINES[kind]
        deadline.lock(session, number)
        return _still_due(session, kind, number, now) and deadline.act(session, number, now)

    try:
        acted = desk.database.run(act)
    except DeskError as refusal:
        log.warning("timer.refused", kind=kind, id=number, due=at.isoformat(), reason=refusal.message)
        return False
    except (
        Exception
    ) as problem:  # one that breaks is looked at by a person, and the others still have their time
        if is_away(problem):
            raise
        log.exception("timer.failed", kind=kind, id=number, due=at.isoformat())
        return False
    log.info("timer.fired", kind=kind, id=number, due=at.isoformat(), acted=acted)
    return acted


def _due(desk: Desk, *, after: Key | None) -> list[Key]:
    asked: dict[str, Any] = {"now": desk.clock()}
    if after is not None:
        asked |= dict(zip(("at", "kind", "id"), after, strict=True))
    with desk.database.glance() as session:
        return [(row.at, row.kind, row.id) for row in session.execute(_batch(after is not None), asked)]


@cache
def _batch(later: bool) -> Select[Any]:
    """The first batch of all that is due at `now`, or the next after a place that was read."""
    each = union_all(*(_timer(kind, deadline.due(NOW)) for kind, deadline in DEADLINES.items())).subquery()
    place = tuple_(each.c.at, each.c.kind, each.c.id)
    wanted = select(each.c.at, each.c.kind, each.c.id).order_by(place).limit(BATCH)
    if not later:
        return wanted
    read = (bindparam("at", type_=MOMENT), bindparam("kind", type_=String), bindparam("id", type_=BigInteger))
    return wanted.where(place > tuple_(*read))


def coming(session: Session, *, after: datetime, until: datetime, limit: int = 1) -> list[Key]:
    """What falls due after `after` and up to `until` as things stand now, the next first.

    Every stored moment is a candidate; it counts if its deadline would be due when that moment has come.
    """
    rows = session.execute(_stored(), {"after": after, "until": until})
    found: list[Key] = []
    for at, kind, number in rows:
        if len(found) < limit and _still_due(session, kind, number, at):
            found.append((at, kind, number))
    return found


@cache
def _stored() -> Select[Any]:
    """Every moment between `after` and `until` that is stored for a deadline, whatever has become of what it is
    about."""
    each = union_all(*(_moments(kind, each.due(ANY_TIME)) for kind, each in DEADLINES.items())).subquery()
    after, until = bindparam("after", type_=MOMENT), bindparam("until", type_=MOMENT)
    wanted = select(each.c.at, each.c.kind, each.c.id).where(each.c.at > after, each.c.at <= until)
    return wanted.order_by(each.c.at, each.c.kind, each.c.id).limit(CANDIDATES)


def _moments(kind: str, source: Due) -> Any:
    columns = source.selected_columns
    return select(literal(kind).label("kind"), columns["id"], columns["at"]).select_from(
        *source.get_final_froms()
    )


def _still_due(session: Session, kind: str, number: int, now: datetime) -> bool:
    return session.execute(_one_of(kind), {"now": now, "id": number}).first() is not None


@cache
def _one_of(kind: str) -> Select[Any]:
    """One deadline of this kind, if it is due at `now`."""
    due = DEADLINES[kind].due(NOW).subquery()
    return select(due.c.id).where(due.c.id == bindparam("id", type_=BigInteger))


def _timer(kind: str, source: Due) -> Any:
    due = source.subquery()
    return select(literal(kind).label("kind"), due.c.id, due.c.at)
