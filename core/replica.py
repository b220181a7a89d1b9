"""Long reads are served by a streaming replica, where there is one that has everything that is committed.

Nobody sees an older desk than the primary's: before each read the replica is asked whether it has replayed what the
primary has written by now, and waited for a moment. If it has not, cannot be reached or gives the read up, the primary
serves it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import structlog
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from core.db import Database

log = structlog.get_logger(__name__)
Result = TypeVar("Result")
PATIENCE, PAUSE = 3.0, 0.05  # seconds

# A commit is on disk before anybody hears of it (synchronous_commit, on unless somebody turned it off). What is
# on disk may end within a record, which no replica can replay before the rest comes, and on a quiet primary none does:
# the number of a transaction makes the end of this read a record, and the server writes it out within a moment.
WRITTEN = text("select pg_current_wal_flush_lsn()::text from pg_current_xact_id()")
BEHIND = text(
    "select greatest(pg_wal_lsn_diff(cast(:written as pg_lsn), pg_last_wal_replay_lsn()), 0)::bigint"
)
REPLAYED = text("select pg_is_in_recovery() and pg_last_wal_replay_lsn() >= cast(:written as pg_lsn)")


@dataclass(frozen=True)
class HeavyReads:
    """`primary` is the login for reading; `replica` the same on a standby server, or None."""

    primary: Database
    replica: Database | None = None

    def run(self, question: Callable[[Session], Result]) -> Result:
        """Ask the replica, else the primary. `question` may be asked twice, so whatever it writes it begins anew."""
        if self.replica is not None:
            try:
                if self.caught_up():
                    with self.replica.reading() as session:
                        return question(session)
            except DBAPIError as problem:
                log.warning("replica.gave_up", reason=str(problem.orig))
        with self.primary.reading() as session:
            return question(session)

    def caught_up(self) -> bool:
        """Whether the replica has, within a moment, what the primary has written by now. Raises `DBAPIError`."""
        assert self.replica is not None
        with self.primary.reading() as session:
            written = session.scalar(WRITTEN)
        until = time.monotonic() + PATIENCE
        with self.replica.reading() as session:
            while not session.scalar(REPLAYED, {"written": written}):
                session.rollback()
                if time.monotonic() > until:
                    log.warning("replica.behind", written=written)
                    return False
                time.sleep(PAUSE)
        return True


def behind(primary: Database, replica: Database) -> int:
    """How many bytes of the primary's log the replica has not replayed. Raises `DBAPIError`."""
    with primary.reading() as session:
        written = session.scalar(WRITTEN)
    with replica.reading() as session:
        return int(session.scalar(BEHIND, {"written": written}) or 0)
