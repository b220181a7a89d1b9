"""Deadlines: right to the microsecond, on either side of every edge, and told in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.clock import NaiveTime, SimulatedClock, system_clock, utc
from core.policy import HOME_SERVICES, LEGAL_SERVICES
from core.rules import acceptance, cases, deadlines
from core.rules.acceptance import AcceptanceRule

NOTICE = datetime(2026, 3, 27, 23, 59, 59, 999_999, tzinfo=UTC)
TICK = timedelta(microseconds=1)
DAY = timedelta(days=1)


def test_the_completion_notice_starts_three_clocks_for_home_services() -> None:
    clocks = deadlines.completion(NOTICE, HOME_SERVICES)
    assert clocks.first_reminder_at == NOTICE + timedelta(hours=72)
    assert clocks.dispute_until == NOTICE + 5 * DAY
    assert clocks.auto_approve_at == NOTICE + 7 * DAY


def test_legal_stages_are_released_after_72_hours_and_disputable_until_then() -> None:
    clocks = deadlines.completion(NOTICE, LEGAL_SERVICES)
    assert (clocks.dispute_until, clocks.first_reminder_at) == (None, None)
    assert clocks.auto_approve_at == NOTICE + timedelta(hours=72)


@pytest.mark.parametrize(
    ("rule", "wait"),
    [
        (AcceptanceRule.CLIENT_CONFIRMS, None),
        (AcceptanceRule.SESSION_COMPLETED, None),
        (AcceptanceRule.AUTO_RELEASE, timedelta(hours=72)),
        ("AUTO_RELEASE_10_DAYS", 10 * DAY),
    ],
)
def test_the_acceptance_rule_says_whether_silence_releases(rule: str, wait: timedelta | None) -> None:
    expected = None if wait is None else NOTICE + wait
    assert deadlines.completion(NOTICE, LEGAL_SERVICES, rule).auto_approve_at == expected
    assert acceptance.in_words(rule, LEGAL_SERVICES).endswith(".")


@pytest.mark.parametrize("rule", [AcceptanceRule.AUTO_RELEASE, "AUTO_RELEASE_7_DAYS"])
@pytest.mark.parametrize(
    ("said", "released"),
    [
        (NOTICE - DAY, True),
        (NOTICE, True),
        (NOTICE + TICK, False),
        (NOTICE + 7 * DAY - TICK, False),
        (NOTICE + 7 * DAY, False),
        (NOTICE + 7 * DAY + TICK, True),
    ],
)
def test_a_word_counts_from_after_the_notice_to_the_last_instant(
    rule: str, said: datetime, released: bool
) -> None:
    until = NOTICE + 7 * DAY
    assert acceptance.silent(rule, notice_at=NOTICE, until=until, said=[said]) is released
    assert acceptance.silent(rule, notice_at=NOTICE, until=until, said=[said, NOTICE + DAY]) is False
    assert acceptance.silent(rule, notice_at=NOTICE, until=until, said=[]) is True


def test_where_silence_never_releases_none_is_long_enough_and_a_session_asks_for_no_response() -> None:
    never = {"notice_at": NOTICE, "until": None, "said": []}
    assert acceptance.silent(AcceptanceRule.CLIENT_CONFIRMS, **never) is False
    spoken = {"notice_at": NOTICE, "until": NOTICE + DAY, "said": [NOTICE + TICK]}
    assert acceptance.silent(AcceptanceRule.SESSION_COMPLETED, **spoken) is True


def test_every_work_that_is_submitted_has_a_time_to_answer() -> None:
    by_silence = NOTICE + 3 * DAY
    assert deadlines.answer_at(NOTICE, HOME_SERVICES, by_silence) == by_silence
    assert deadlines.answer_at(NOTICE, HOME_SERVICES, None) == NOTICE + 7 * DAY
    assert deadlines.answer_at(NOTICE, LEGAL_SERVICES, None) == NOTICE + timedelta(hours=72)


@pytest.mark.parametrize(
    "rule", ["", "AUTO_RELEASE_0_DAYS", "AUTO_RELEASE_91_DAYS", "AUTO_RELEASE_1.5_DAYS", "WHENEVER"]
)
def test_an_unknown_acceptance_rule_is_refused(rule: str) -> None:
    with pytest.raises(acceptance.AcceptanceUnknown):
        acceptance.silence(rule, LEGAL_SERVICES)


def test_auto_approval_switched_off_never_falls_due() -> None:
    profile = HOME_SERVICES.revised(auto_approve=False)
    assert deadlines.completion(NOTICE, profile).auto_approve_at is None
    assert deadlines.completion(NOTICE, profile, "AUTO_RELEASE_3_DAYS").auto_approve_at is None


@pytest.mark.parametrize(
    ("deadline", "wait"),
    [
        (deadlines.mediation_at(NOTICE, HOME_SERVICES), 3 * DAY),
        (deadlines.deadlock_at(NOTICE, HOME_SERVICES), 7 * DAY),
        (deadlines.deadlock_at(NOTICE, LEGAL_SERVICES), 7 * DAY),
        (deadlines.consultation_release_at(NOTICE, LEGAL_SERVICES), 1 * DAY),
        (deadlines.execution_at(NOTICE, HOME_SERVICES), 0 * DAY),
        (deadlines.execution_at(NOTICE, LEGAL_SERVICES), 1 * DAY),
        (deadlines.alarm_at(NOTICE, HOME_SERVICES), 75 * DAY),
        (deadlines.completion(NOTICE, HOME_SERVICES).auto_approve_at, 7 * DAY),
        (deadlines.completion(NOTICE, HOME_SERVICES).first_reminder_at, 3 * DAY),
    ],
)
def test_a_timer_is_due_from_its_instant_on_and_not_a_microsecond_before(
    deadline: datetime, wait: timedelta
) -> None:
    assert deadline == NOTICE + wait
    assert not deadlines.due(deadline, NOTICE + wait - TICK)
    assert deadlines.due(deadline, NOTICE + wait)
    assert deadlines.due(deadline, NOTICE + wait + TICK)


def test_what_a_platform_does_not_have_is_never_due() -> None:
    assert deadlines.mediation_at(NOTICE, LEGAL_SERVICES) is None
    assert deadlines.consultation_release_at(NOTICE, HOME_SERVICES) is None
    assert not deadlines.due(None, NOTICE)


def test_reminders_begin_after_72_hours_and_then_come_every_24() -> None:
    first = deadlines.next_reminder(0, NOTICE, HOME_SERVICES)
    assert first == NOTICE + timedelta(hours=72)
    assert deadlines.next_reminder(1, first, HOME_SERVICES) == first + DAY
    assert deadlines.next_reminder(9, first, HOME_SERVICES) == first + DAY
    assert deadlines.next_reminder(0, NOTICE, LEGAL_SERVICES) is None


@pytest.mark.parametrize("off", [-TICK, timedelta(0)])
def test_a_dispute_is_in_time_until_the_last_instant_of_day_five(off: timedelta) -> None:
    cases.check_window(NOTICE, NOTICE + 5 * DAY + off, HOME_SERVICES)
    assert not cases.too_late(NOTICE, NOTICE + 5 * DAY + off, HOME_SERVICES)


def test_a_microsecond_later_a_complaint_asks_for_a_hold_instead() -> None:
    late = NOTICE + 5 * DAY + TICK
    assert cases.too_late(NOTICE, late, HOME_SERVICES)
    with pytest.raises(cases.DisputeWindowClosed, match="ended on 01 April 2026 at 23:59 UTC"):
        cases.check_window(NOTICE, late, HOME_SERVICES)


def test_without_a_window_a_dispute_is_heard_until_release() -> None:
    cases.check_window(NOTICE, NOTICE + 400 * DAY, LEGAL_SERVICES)
    assert not cases.too_late(NOTICE, NOTICE + 400 * DAY, LEGAL_SERVICES)


def test_a_day_is_24_hours_even_when_the_clocks_change() -> None:
    berlin_before = datetime(2026, 3, 28, 12, tzinfo=timezone(timedelta(hours=1)))
    due = deadlines.mediation_at(utc(berlin_before), HOME_SERVICES)
    assert due == datetime(2026, 3, 31, 11, tzinfo=UTC)


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (timedelta(hours=3, minutes=20), "in 3 h 20 min"),
        (timedelta(hours=3, minutes=20, seconds=59), "in 3 h 20 min"),
        (timedelta(days=2, hours=4, minutes=30), "in 2 days 4 h"),
        (timedelta(days=1), "in 1 day"),
        (timedelta(days=1, minutes=5), "in 1 day"),
        (timedelta(minutes=1), "in 1 min"),
        (timedelta(seconds=59), "in less than a minute"),
        (timedelta(0), "now"),
        (-timedelta(seconds=59), "now"),
        (-timedelta(minutes=1), "overdue by 1 min"),
        (-timedelta(days=2), "overdue by 2 days"),
        (-timedelta(hours=26), "overdue by 1 day 2 h"),
    ],
)
def test_a_deadline_is_told_in_words(left: timedelta, words: str) -> None:
    assert deadlines.in_words(NOTICE + left, NOTICE) == words


@given(st.timedeltas(min_value=-timedelta(days=400), max_value=timedelta(days=400)))
def test_words_never_promise_more_time_than_there_is(left: timedelta) -> None:
    words = deadlines.in_words(NOTICE + left, NOTICE)
    assert words.startswith(("in ", "now", "overdue by "))
    assert words.startswith("in ") is (left > timedelta(0))


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(NaiveTime):
        utc(datetime(2026, 1, 1))
    with pytest.raises(NaiveTime):
        SimulatedClock(datetime(2026, 1, 1))


def test_a_simulated_clock_stands_until_it_is_moved() -> None:
    clock = SimulatedClock(NOTICE)
    assert clock() == clock() == NOTICE
    assert clock.advance(TICK) == clock() == NOTICE + TICK
    assert clock.set(NOTICE + DAY) == clock()
    assert system_clock().utcoffset() == timedelta(0)
