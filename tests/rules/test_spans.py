"""Spans of time as a person writes them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.rules.spans import SpanUnfit, SpanUnreadable, span

YEAR = timedelta(days=366)


@pytest.mark.parametrize(
    ("given", "means"),
    [
        ("72h", timedelta(hours=72)),
        ("90m", timedelta(minutes=90)),
        ("3d 12h", timedelta(days=3, hours=12)),
        (" 1w2d ", timedelta(days=9)),
        ("12h 3d", timedelta(days=3, hours=12)),
    ],
)
def test_these_are_spans(given: str, means: timedelta) -> None:
    assert span(given, most=YEAR) == means


@pytest.mark.parametrize(
    "given", ["", "h", "1", "1x", "1h1h", "3d 12h 1d", "-1h", "1h,2d", "1" * 7 + "h", "1h " * 30]
)
def test_these_are_none(given: str) -> None:
    with pytest.raises(SpanUnreadable):
        span(given, most=YEAR)


@pytest.mark.parametrize("given", ["0m", "0d 0h", "367d"])
def test_a_clock_moves_forward_and_not_further_than_it_may(given: str) -> None:
    with pytest.raises(SpanUnfit):
        span(given, most=YEAR)
