"""Reviews of a finished project: 1 to 5 stars and words, hidden until both are in or the time is up; then the ratings.

(milestone-payment-flow, Project Progression 3 and Final Project Completion.)
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from core.errors import DeskError
from core.money import half_up
from core.policy import REVIEWS_HIDDEN_FOR

LEAST, MOST = 1, 5
LONGEST = 4_000


class StarsOutOfRange(DeskError):
    """Give {least} to {most} stars; {stars} is neither."""


class ReviewTooLong(DeskError):
    """A review has at most {most} characters; this one has {length}."""


class ReviewsClosed(DeskError, tells=("project",)):
    """The reviews of this project were opened already: nobody can add one now."""


def check(stars: int, body: str) -> None:
    """Whole stars; words may be left out."""
    if type(stars) is not int or not LEAST <= stars <= MOST:
        raise StarsOutOfRange(least=LEAST, most=MOST, stars=stars)
    if len(body) > LONGEST:
        raise ReviewTooLong(most=LONGEST, length=len(body))


def due_at(asked_at: datetime) -> datetime:
    return asked_at + REVIEWS_HIDDEN_FOR


def opens(*, given: int, due: datetime, now: datetime) -> bool:
    """Both are in, or the time is up (at the instant itself it is)."""
    return given >= 2 or now >= due


def rating(stars: Sequence[int]) -> int | None:
    """The mean in tenths of a star, half up: [5, 4, 4] is 43; None without any."""
    return half_up(10 * sum(stars), len(stars)) if stars else None


def words(tenths: int, reviews: int) -> str:
    """43 of 3 reviews: `4.3 of 5, from 3 reviews`."""
    return f"{tenths // 10}.{tenths % 10} of 5, from {reviews} review{'' if reviews == 1 else 's'}"
