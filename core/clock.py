"""Where time comes from: the one module that reads the clock. Everything else takes `now` as an argument, in UTC."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from core.errors import DeskError

Clock = Callable[[], datetime]


class NaiveTime(DeskError):
    """{value} has no time zone. Times are kept in UTC."""


def system_clock() -> datetime:
    return datetime.now(UTC)


class MovedClock:
    """This computer's clock and how far a demo is ahead of it."""

    def __init__(self, ahead: Callable[[], timedelta], wall: Clock = system_clock) -> None:
        self.ahead, self.wall = ahead, wall

    def __call__(self) -> datetime:
        return self.wall() + self.ahead()


def wall_time(clock: Clock) -> datetime:
    """The time that other computers have too. What they sign and what is signed for them is as old as this clock says,
    also where a demo's time was moved."""
    return clock.wall() if isinstance(clock, MovedClock) else clock()


def utc(moment: datetime) -> datetime:
    """The same moment in UTC; a time without a zone is refused, because guessing it moves deadlines."""
    if moment.utcoffset() is None:
        raise NaiveTime(value=moment.isoformat())
    return moment.astimezone(UTC)


class SimulatedClock:
    """A clock that stands until it is moved: the demo and the tests live whole months on it."""

    def __init__(self, start: datetime) -> None:
        self._now = utc(start)

    def __call__(self) -> datetime:
        return self._now

    def advance(self, by: timedelta) -> datetime:
        self._now += by
        return self._now

    def set(self, moment: datetime) -> datetime:
        self._now = utc(moment)
        return self._now
