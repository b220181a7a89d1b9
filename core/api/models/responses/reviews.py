"""Ratings, and the reviews behind them."""

from __future__ import annotations

from typing_extensions import TypedDict  # the description needs this one before Python 3.12

from core.api.models.responses.plain import Moment


class RatingAnswer(TypedDict):
    """`tenths` of a star, from so many reviews that are open by now: 43 is 4.3 of 5."""

    tenths: int
    reviews: int
    at: Moment


class ReviewAnswer(TypedDict):
    """`stars` and `body` are empty until the reviews are opened."""

    author: str
    about: str
    at: Moment
    stars: int | None
    body: str | None


class FinalRatingAnswer(RatingAnswer):
    party: str


class ReviewsAnswer(TypedDict):
    """Opened when both are in, or at `due_at`. `reviews` and `ratings` have at most one of each side."""

    project: int
    asked_at: Moment
    due_at: Moment
    opened_at: Moment | None
    reviews: list[ReviewAnswer]
    ratings: list[FinalRatingAnswer]
