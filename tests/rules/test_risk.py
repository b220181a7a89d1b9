"""What a person must look at before money moves, at each edge; and when the checklist and the reviews let go."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import combinations

import pytest

from core.money import Money
from core.policy import HOME_SERVICES
from core.rules import legal_checklist, ratings, reports, risk
from core.rules.legal_checklist import Item, PaymentsSwitchedOff
from core.rules.reports import ReportKind, Severity, Source, Weighed
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
        ({"practice_mismatch": True}, ["practice_mismatch"]),
    ],
)
def test_each_cause_opens_a_review_from_its_edge_on(changed: dict[str, object], expected: list[str]) -> None:
    assert codes(replace(PLAIN, **changed)) == expected


def test_a_review_ends_when_only_the_value_is_left_to_look_at() -> None:
    risk.require_settled(replace(PLAIN, amount=Money(900_000, "USD")), HOME_SERVICES)
    for cause in ({"contact_attempts": 2}, {"threat_reports": 1}, {"practice_mismatch": True}):
        with pytest.raises(ReviewStillNeeded):
            risk.require_settled(replace(PLAIN, **cause), HOME_SERVICES)


@pytest.mark.parametrize("kind", ReportKind)
@pytest.mark.parametrize("source", Source)
@pytest.mark.parametrize("severity", Severity)
def test_a_report_weighs_by_its_kind_and_only_a_severe_content_event_is_severe(
    kind: ReportKind, source: Source, severity: Severity
) -> None:
    weighed = reports.weigh([(kind, source, severity)])
    assert weighed == Weighed(
        contact_attempts=int(kind is ReportKind.OFF_PLATFORM_CONTACT),
        threats=int(kind in (ReportKind.HARASSMENT, ReportKind.THREAT)),
        severe_content_event=(source, severity) == (Source.CONTENT_RULE, Severity.SEVERE),
    )


def test_no_reports_weigh_nothing() -> None:
    assert reports.weigh([]) == Weighed()


@pytest.mark.parametrize("signed", [set(each) for size in range(4) for each in combinations(Item, size)])
def test_whatever_is_not_signed_is_named_and_keeps_payments_off(signed: set[Item]) -> None:
    unsigned = [item.value.lower() for item in Item if item not in signed]
    assert [block.code for block in legal_checklist.missing(signed)] == unsigned
    with pytest.raises(PaymentsSwitchedOff):
        legal_checklist.require_signed(signed)


def test_all_four_switch_payments_on() -> None:
    legal_checklist.require_signed([item.value for item in Item])
    assert legal_checklist.missing(Item) == ()


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
