"""Spans of time as a person or a program writes them: `72h`, `90m`, `3d 12h`, `1w`."""

from __future__ import annotations

import re
from datetime import timedelta

from core.errors import DeskError

UNITS = {"w": timedelta(weeks=1), "d": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1)}
_PART = re.compile(r"([0-9]{1,6})\s*([wdhm])", re.ASCII)
_WHOLE = re.compile(rf"\s*(?:{_PART.pattern}\s*)+", re.ASCII)


class SpanUnreadable(DeskError):
    """“{given}” is no span of time. Write weeks, days, hours or minutes, each once, as in 72h, 90m or 3d 12h."""


class SpanUnfit(DeskError):
    """The clock moves forward by at least a minute and at most {most} days at a time."""


def span(given: str, *, most: timedelta) -> timedelta:
    """`3d 12h` as a timedelta. Raises `SpanUnreadable`, `SpanUnfit`."""
    parts = _PART.findall(given) if len(given) <= 60 and _WHOLE.fullmatch(given) else []
    if not parts or len({unit for _, unit in parts}) < len(parts):
        raise SpanUnreadable(given=given[:60])
    found = sum((int(number) * UNITS[unit] for number, unit in parts), timedelta())
    if not timedelta(minutes=1) <= found <= most:
        raise SpanUnfit(most=most.days)
    return found
