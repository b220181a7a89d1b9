"""Trying again: ever later, at random, eight times, and never with a key the processor may have forgotten."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from core.policy import GIVE_UP_AFTER, RETRY_LONGEST, TRIES
from core.rules import retries

START = datetime(2026, 5, 4, 12, tzinfo=UTC)


def latest(below: int) -> int:
    return below - 1


def earliest(below: int) -> int:
    return 0


@given(st.integers(1, 100), st.randoms(use_true_random=False))
def test_the_wait_is_between_nothing_and_the_longest_for_its_try(tries: int, random: Random) -> None:
    assert (
        timedelta(0)
        <= retries.delay(tries, random.randrange)
        <= retries.longest_delay(tries)
        <= RETRY_LONGEST
    )


def test_the_jitter_is_full_from_nothing_to_the_longest() -> None:
    for tries in range(1, TRIES + 1):
        assert retries.delay(tries, earliest) == timedelta(0)
        assert retries.delay(tries, latest) == retries.longest_delay(tries)


def test_the_longest_wait_grows_until_it_is_an_hour() -> None:
    longest = [retries.longest_delay(tries) for tries in range(1, TRIES + 1)]
    assert longest[0] == timedelta(seconds=5)
    assert longest == sorted(longest)
    assert longest[-1] == timedelta(hours=1)
    assert sum(longest, timedelta(0)) < GIVE_UP_AFTER


def test_after_eight_tries_a_person_looks_at_it() -> None:
    for below in (earliest, latest):
        assert retries.next_try(TRIES - 1, START, START, below) is not None
        assert retries.next_try(TRIES, START, START, below) is None
    assert not retries.exhausted(TRIES - 1)
    assert retries.exhausted(TRIES)


def test_nothing_is_sent_again_from_the_twenty_third_hour_on() -> None:
    edge, tick = START + timedelta(hours=23), timedelta(microseconds=1)
    assert not retries.given_up(START, edge - tick)
    assert retries.given_up(START, edge)
    assert retries.next_try(1, START, edge - tick, earliest) == edge - tick
    assert retries.next_try(1, START, edge, earliest) is None
