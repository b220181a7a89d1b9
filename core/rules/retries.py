"""When to try again: exponential backoff with full jitter, 8 tries, and never later than 23 h after the first.

(milestone-payment-flow, Error Handling 1.) The processor forgets idempotency keys after 24 h: what is older goes to
a person instead. Randomness is passed in, so that tests can hold it still.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from core.policy import GIVE_UP_AFTER, RETRY_FACTOR, RETRY_FIRST, RETRY_LONGEST, TRIES

__all__ = ["GIVE_UP_AFTER", "TRIES", "backoff", "exhausted", "given_up", "longest_backoff", "next_try"]


def longest_backoff(tries: int) -> timedelta:
    """The most that is waited after this many tries (1 or more): 5 s, 20 s, 80 s … up to an hour."""
    growth: int = RETRY_FACTOR ** (min(max(tries, 1), TRIES) - 1)
    return min(RETRY_LONGEST, RETRY_FIRST * growth)


def backoff(tries: int, chance: float) -> timedelta:
    """How long to wait after this many tries; `chance` is an even 0 ≤ x < 1, as `random.random()` gives."""
    return longest_backoff(tries) * chance


def exhausted(tries: int) -> bool:
    """After the last try a person looks at it."""
    return tries >= TRIES


def given_up(first_at: datetime, now: datetime) -> bool:
    """Too old to be sent again with the same key."""
    return now - first_at >= GIVE_UP_AFTER


def next_try(tries: int, first_at: datetime, now: datetime, chance: float) -> datetime | None:
    """When to try again after this many tries; None: no more, leave it to a person."""
    at = now + backoff(tries, chance)
    return None if exhausted(tries) or given_up(first_at, at) else at
