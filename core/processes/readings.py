"""Each hour of reading that is over becomes one entry of the log, colleague by colleague."""

from __future__ import annotations

from functools import partial

import structlog

from core.actions.privacy import readings
from core.db import is_away
from core.desk import Desk

log = structlog.get_logger(__name__)


def sweep(desk: Desk) -> int:
    """How many entries were written. One that cannot be written stands in nobody's way and is tried again."""
    now, done = desk.clock(), 0
    with desk.database.reading() as session:
        waiting = readings.over(session, now=now)
    for staff_id, hour in waiting:
        try:
            done += desk.database.run(partial(readings.enter, now=now, staff_id=staff_id, hour=hour))
        except Exception as problem:
            if is_away(problem):
                raise
            log.exception("reading.not_entered", staff=staff_id, hour=hour.isoformat())
    return done
