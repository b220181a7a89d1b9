"""When to try again: exponential backoff with full jitter, 8 tries, and never later than 23 h after the first.

(milestone-payment-flow, Error Handling 1.) The processor forgets idempotency keys after 24 h: what is older goes to
a person instead. Randomness is passed in, so that tests can hold it still.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from core.policy import GIVE_UP_AFTER, RETRY_FACTOR, RETRY_FIRST, RETRY_LONGEST, TRIES

Below = Callable[[int], int]
_TICK = timedelta(milliseconds=1)


def longest_delay(tries: int) -> timedelta:
    """The most that is waited after this many tries (1 or more): 5 s, 20 s, 80 s … up to an hour."""
    growth: int = RETRY_FACTOR ** (min(max(tries, 1), TRIES) - 1)
    return min(RETRY_LONGEST, RETRY_FIRST * growth)


def delay(tries: int, below: Below) -> timedelta:
    """Between nothing and the longest, evenly: `below(n)` gives 0 … n-1, as `random.randrange` does."""
    return below(longest_delay(tries) // _TICK + 1) * _TICK


def next_try(tries: int, first_at: datetime, now: datetime, below: Below) -> datetime | None:
    """When to try again after `tries` tries; None: give up, and let a person look at it."""
    at = now + delay(tries, below)
    return None if exhausted(tries) or given_up(first_at, at) else at


def exhausted(tries: int) -> bool:
    """After the last try a person looks at it."""
    return tries >= TRIES


def given_up(first_at: datetime, now: datetime) -> bool:
    """Too old to send again with the same key."""
    return now - first_at >= GIVE_UP_AFTER
