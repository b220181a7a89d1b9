"""When a letter goes: urgent at once, a near deadline at once, the rest with the others of its reader."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from core.policy import DEADLINE_NEAR, LETTERS_GATHERED_FOR
from core.rules.notifications import Frequency, NoSuchFrequency, frequency, goes_at

NOW = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)  # a Wednesday
TICK = timedelta(microseconds=1)
TODAY = NOW.replace(hour=14, minute=0)
AT = {
    Frequency.AT_ONCE: NOW,
    Frequency.TOGETHER: NOW + LETTERS_GATHERED_FOR,
    Frequency.DAILY: TODAY,
    Frequency.WEEKLY: TODAY + timedelta(days=5),
}


@pytest.mark.parametrize("chosen", Frequency)
def test_what_is_not_urgent_goes_when_its_reader_wants_it(chosen: Frequency) -> None:
    assert goes_at(chosen, urgent=False, deadlines=(), now=NOW) == AT[chosen]


@pytest.mark.parametrize("chosen", Frequency)
def test_what_is_urgent_goes_at_once_whatever_its_reader_wants(chosen: Frequency) -> None:
    assert goes_at(chosen, urgent=True, deadlines=(), now=NOW) == NOW


@pytest.mark.parametrize("chosen", [each for each in Frequency if each is not Frequency.AT_ONCE])
def test_a_deadline_less_than_24_hours_after_the_mail_makes_it_urgent(chosen: Frequency) -> None:
    last = AT[chosen] + DEADLINE_NEAR
    assert goes_at(chosen, urgent=False, deadlines=(last,), now=NOW) == AT[chosen]
    assert goes_at(chosen, urgent=False, deadlines=(last - TICK,), now=NOW) == NOW
    assert goes_at(chosen, urgent=False, deadlines=(last + TICK, last - TICK), now=NOW) == NOW


def test_a_deadline_that_has_passed_hurries_nobody() -> None:
    gone = NOW - TICK
    assert goes_at(Frequency.DAILY, urgent=False, deadlines=(gone,), now=NOW) == TODAY


def test_who_misses_the_daily_mail_by_nothing_gets_the_next() -> None:
    def daily(now: datetime) -> datetime:
        return goes_at(Frequency.DAILY, urgent=False, deadlines=(), now=now)

    assert daily(TODAY - TICK) == TODAY
    assert daily(TODAY) == TODAY + timedelta(days=1)


def test_the_weekly_mail_goes_on_mondays() -> None:
    monday = TODAY + timedelta(days=5)
    for day in range(14):
        at = goes_at(Frequency.WEEKLY, urgent=False, deadlines=(), now=NOW + timedelta(days=day))
        assert (at.weekday(), at.hour) == (0, 14)
        assert timedelta(0) < at - (NOW + timedelta(days=day)) <= timedelta(days=7)
    assert goes_at(Frequency.WEEKLY, urgent=False, deadlines=(), now=monday) == monday + timedelta(days=7)


def test_a_frequency_that_nobody_knows_is_refused() -> None:
    assert frequency("DAILY") is Frequency.DAILY
    with pytest.raises(NoSuchFrequency, match="HOURLY"):
        frequency("HOURLY")
