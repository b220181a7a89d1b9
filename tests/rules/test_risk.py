"""What a person must look at before money moves, at each edge; and when the checklist and the reviews let go."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import combinations
from typing import Any

import pytest

from core.money import Money
from core.policy import HOME_SERVICES
from core.rules import legal_checklist, ratings, reports, risk
from core.rules.legal_checklist import Item, PaymentsSwitchedOff, Signed
from core.rules.reports import Known, ReportKind, ReportOutcome, Severity, Source, Weighed
from core.rules.risk import ReviewStillNeeded, RiskFacts

PLAIN = RiskFacts(amount=Money(500_000, "USD"))
NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


def codes(facts: RiskFacts) -> list[str]:
    return [block.code for block in risk.reviews(facts, HOME_SERVICES)]


def test_nothing_odd_needs_no_review() -> None:
    assert codes(PLAIN) == []


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"amount": Money(500_001, "USD")}, ["high_value"]),
        ({"amount": Money(500_001, "USD"), "value_reviewed": True}, []),
        ({"contact_attempts": 1}, []),
        ({"contact_attempts": 2}, ["off_platform_contact"]),
        ({"threat_reports": 1}, ["threat_report"]),
        ({"severe_reports": 1}, ["severe_report"]),
        ({"practice_mismatch": True}, ["practice_mismatch"]),
    ],
)
def test_each_cause_opens_a_review_from_its_edge_on(changed: dict[str, object], expected: list[str]) -> None:
    assert codes(replace(PLAIN, **changed)) == expected


def test_a_review_ends_when_every_report_is_settled_and_only_looked_at_is_what_was_upheld() -> None:
    looked_at = replace(
        PLAIN, amount=Money(900_000, "USD"), contact_attempts=4, threat_reports=1, severe_reports=1
    )
    risk.require_settled(looked_at, HOME_SERVICES)
    for cause, code in (
        ({"open_reports": (7,)}, "open_report"),
        ({"practice_mismatch": True}, "practice_mismatch"),
    ):
        with pytest.raises(ReviewStillNeeded) as refused:
            risk.require_settled(replace(looked_at, **cause), HOME_SERVICES)
        assert [block.code for block in refused.value.blocks] == [code]


WINDOW = timedelta(days=30)
OUTCOMES = [None, *ReportOutcome]


def weighed(*known: Known) -> Weighed:
    return reports.weigh(known, now=NOW, window=WINDOW)


def known(kind: ReportKind = ReportKind.OFF_PLATFORM_CONTACT, **facts: Any) -> Known:
    given = {"id": 1, "source": Source.PERSON, "severity": Severity.MEDIUM, "at": NOW, **facts}
    return Known(kind=kind, **given)


@pytest.mark.parametrize("kind", ReportKind)
@pytest.mark.parametrize("source", Source)
@pytest.mark.parametrize("severity", Severity)
@pytest.mark.parametrize("outcome", OUTCOMES)
@pytest.mark.parametrize("looked_at", [False, True])
def test_a_report_weighs_by_its_kind_and_outcome_and_only_a_severe_content_event_is_severe_at_once(
    kind: ReportKind, source: Source, severity: Severity, outcome: ReportOutcome | None, looked_at: bool
) -> None:
    one = known(kind, source=source, severity=severity, outcome=outcome, looked_at=looked_at)
    new = outcome is None or (outcome is ReportOutcome.UPHELD and not looked_at)
    assert weighed(one) == Weighed(
        contact_attempts=int(new and kind is ReportKind.OFF_PLATFORM_CONTACT),
        threats=int(new and kind in (ReportKind.HARASSMENT, ReportKind.THREAT)),
        severe_upheld=int(new and outcome is ReportOutcome.UPHELD and severity is Severity.SEVERE),
        open=(1,) if outcome is None else (),
    )
    severe = (source, severity, outcome) == (Source.CONTENT_RULE, Severity.SEVERE, None)
    assert reports.severe_event([one]) is severe


@pytest.mark.parametrize(
    ("age", "counted"),
    [(timedelta(0), 2), (WINDOW - timedelta(microseconds=1), 2), (WINDOW, 1), (timedelta(days=90), 1)],
)
def test_attempts_count_together_within_the_window_only(age: timedelta, counted: int) -> None:
    before = known(id=2, at=NOW - age, outcome=ReportOutcome.UPHELD)
    assert weighed(before, known()).contact_attempts == counted


def test_what_was_looked_at_counts_again_only_with_a_new_attempt() -> None:
    seen = [known(id=each, outcome=ReportOutcome.UPHELD, looked_at=True) for each in (1, 2, 3)]
    assert weighed(*seen).contact_attempts == 0
    assert weighed(*seen, known(id=4)).contact_attempts == 4


def test_no_reports_weigh_nothing() -> None:
    assert weighed() == Weighed()


TODAY = date(2026, 3, 2)


def signatures(items: Iterable[Item], **more: Any) -> list[Signed]:
    return [Signed(number, item, **more) for number, item in enumerate(items)]


@pytest.mark.parametrize("signed", [set(each) for size in range(4) for each in combinations(Item, size)])
def test_whatever_is_not_signed_is_named_and_keeps_payments_off(signed: set[Item]) -> None:
    unsigned = [item.value.lower() for item in Item if item not in signed]
    assert [block.code for block in legal_checklist.missing(signatures(signed), today=TODAY)] == unsigned
    with pytest.raises(PaymentsSwitchedOff):
        legal_checklist.require_signed(signatures(signed), today=TODAY)


def test_all_four_switch_payments_on_to_their_last_day() -> None:
    legal_checklist.require_signed(signatures(Item, valid_until=TODAY), today=TODAY)
    after = legal_checklist.missing(signatures(Item, valid_until=TODAY), today=TODAY + timedelta(days=1))
    assert [block.sentence.partition(":")[0] for block in after] == ["Lapsed"] * 4


@pytest.mark.parametrize(
    ("given", "late", "opened"),
    [
        (0, timedelta(microseconds=-1), False),
        (1, timedelta(microseconds=-1), False),
        (2, timedelta(days=-14), True),
        (0, timedelta(0), True),
        (1, timedelta(microseconds=1), True),
    ],
)
def test_reviews_open_with_the_second_or_when_14_days_are_over(
    given: int, late: timedelta, opened: bool
) -> None:
    due = ratings.due_at(NOW)
    assert due - NOW == timedelta(days=14)
    assert ratings.opens(given=given, due=due, now=due + late) is opened


def test_a_final_rating_says_how_many_reviews_it_stands_on() -> None:
    assert ratings.rating([4, 5]) == 45
    assert [ratings.rating([4, 4, 4, last]) for last in (1, 3, 5)] == [33, 38, 43]  # 32.5, 37.5 and 42.5
    assert ratings.rating([1, 1, 1, 2]) == 13  # 12.5
    assert (ratings.words(45, 2), ratings.words(50, 1)) == (
        "4.5 of 5, from 2 reviews",
        "5.0 of 5, from 1 review",
    )
