"""When a letter goes: at once where it is urgent or its deadline near, else together with the others of its reader.

(milestone-payment-flow, Performance Considerations 3.) Which letter is urgent stands beside the templates, in
`core.letters.delivery_rules`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum

from core.errors import DeskError
from core.policy import DEADLINE_NEAR, DIGEST_HOUR, LETTERS_GATHERED_FOR


class LetterStatus(StrEnum):
    QUEUED = "QUEUED"
    SENT = "SENT"
    FAILED = "FAILED"
    MUTED = "MUTED"
    """Its reader wants no letters of this kind; nothing was sent."""


class Frequency(StrEnum):
    """How often a party wants the e-mails that are not urgent. TOGETHER is the default."""

    AT_ONCE = "AT_ONCE"
    TOGETHER = "TOGETHER"
    DAILY = "DAILY"
    WEEKLY = "WEEKLY"

    @property
    def label(self) -> str:
        return _LABELS[self]


_LABELS = {
    Frequency.AT_ONCE: "each at once",
    Frequency.TOGETHER: "batched, within minutes",
    Frequency.DAILY: "once a day",
    Frequency.WEEKLY: "once a week",
}


class NoSuchFrequency(DeskError):
    """“{frequency}” is not one of {known}."""


def frequency(name: str) -> Frequency:
    try:
        return Frequency(name)
    except ValueError:
        raise NoSuchFrequency(frequency=name, known=", ".join(Frequency)) from None


def goes_at(chosen: Frequency, *, urgent: bool, deadlines: Iterable[datetime], now: datetime) -> datetime:
    """`now`, or when it goes with the others: a deadline must then still be at least 24 h away, to the microsecond."""
    if urgent:
        return now
    at = _gathered_until(chosen, now)
    near = any(now <= deadline < at + DEADLINE_NEAR for deadline in deadlines)
    return now if near else at


def _gathered_until(chosen: Frequency, now: datetime) -> datetime:
    match chosen:
        case Frequency.AT_ONCE:
            return now
        case Frequency.TOGETHER:
            return now + LETTERS_GATHERED_FOR
        case Frequency.DAILY:
            return _next_digest(now)
        case Frequency.WEEKLY:
            at = _next_digest(now)
            return at + timedelta(days=-at.weekday() % 7)


def _next_digest(now: datetime) -> datetime:
    """The next 14:00 UTC: morning in America, afternoon in Europe."""
    today = now.replace(hour=DIGEST_HOUR, minute=0, second=0, microsecond=0)
    return today if now < today else today + timedelta(days=1)
