"""Milestones of a new project: they sum to the total, whatever its type and size, and a bad division is refused."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.money import CURRENCIES, Money, stripe_step
from core.policy import HOME_SERVICES, PROFILES, Platform
from core.rules import fees, schedule
from core.rules.acceptance import AcceptanceRule
from core.rules.schedule import FeeMode, PlannedMilestone
from core.rules.templates import TEMPLATES, ProjectType, Size

HOME, LEGAL = Platform.HOME_SERVICES, Platform.LEGAL_SERVICES
TOTAL = Money(100_000, "USD")


@given(st.sampled_from(ProjectType), st.sampled_from(sorted(CURRENCIES)), st.integers(1, 10**8))
def test_default_milestones_sum_to_the_total_and_each_can_be_paid(
    kind: ProjectType, currency: str, units: int
) -> None:
    total = Money(units * stripe_step(currency), currency)
    planned = schedule.defaults(kind.platform, kind, total)
    assert Money.total((milestone.amount for milestone in planned), currency) == total
    schedule.check_adjustment(planned, total=total, platform=kind.platform)
    quotes = [fees.quote(milestone.amount, PROFILES[kind.platform]) for milestone in planned]
    assert Money.total((quote.milestone for quote in quotes), currency) == total


@pytest.mark.parametrize(("kind", "size"), list(product(ProjectType, Size)))
def test_every_type_has_milestones_for_every_size(kind: ProjectType, size: Size) -> None:
    stages = TEMPLATES[kind][size]
    assert stages
    assert all(stage.title and stage.deliverable and stage.weight > 0 for stage in stages)
    assert len({stage.title for stage in stages}) == len(stages)


def test_a_larger_project_has_more_milestones() -> None:
    counts = [
        len(schedule.defaults(HOME, ProjectType.KITCHEN, Money(minor, "USD")))
        for minor in (10**5, 10**6, 10**7)
    ]
    assert counts == [1, 3, 4]


@pytest.mark.parametrize(
    ("minor", "size"),
    [(249_999, Size.SMALL), (250_000, Size.MEDIUM), (1_499_999, Size.MEDIUM), (1_500_000, Size.LARGE)],
)
def test_the_size_follows_from_the_total_to_the_cent(minor: int, size: Size) -> None:
    assert schedule.size_of(Money(minor, "USD")) is size


def test_a_type_of_the_other_platform_is_not_offered() -> None:
    for kind in ProjectType:
        other = LEGAL if kind.platform is HOME else HOME
        with pytest.raises(schedule.TypeNotOffered):
            schedule.defaults(other, kind, TOTAL)
    with pytest.raises(schedule.TypeNotOffered):
        schedule.defaults(HOME, "CASTLE", TOTAL)


@pytest.mark.parametrize("minor", [0, -1])
def test_a_project_for_nothing_has_no_milestones(minor: int) -> None:
    with pytest.raises(schedule.TotalNotPositive):
        schedule.defaults(HOME, ProjectType.KITCHEN, Money(minor, "USD"))


def test_a_consultation_is_one_milestone_that_a_session_completes() -> None:
    (only,) = schedule.defaults(LEGAL, ProjectType.CONSULTATION, TOTAL)
    assert only.acceptance_rule == AcceptanceRule.SESSION_COMPLETED


@pytest.mark.parametrize("mode", FeeMode)
def test_hourly_billing_and_trust_accounts_are_refused_with_the_reason(mode: FeeMode) -> None:
    if mode in (FeeMode.CONSULTATION_FIXED, FeeMode.STAGED):
        assert schedule.accept_fee_mode(mode.value) is mode
        return
    with pytest.raises(schedule.FeeModeNotSupported, match=r"no amount|legal review"):
        schedule.accept_fee_mode(mode)


def test_a_fee_mode_that_nobody_knows_is_refused() -> None:
    with pytest.raises(schedule.FeeModeNotSupported):
        schedule.accept_fee_mode("CONTINGENT")


GOOD = (
    PlannedMilestone(title="One", deliverable="First half.", amount=Money(60_000, "USD")),
    PlannedMilestone(title="Two", deliverable="Second half.", amount=Money(40_000, "USD")),
)


def faults(platform: Platform, *planned: PlannedMilestone, statuses: tuple[str, ...] = ()) -> list[str]:
    try:
        schedule.check_adjustment(planned, total=TOTAL, platform=platform, statuses=statuses)
    except schedule.ScheduleRefused as refused:
        return [block.code for block in refused.blocks]
    return []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"title": "  "}, "title"),
        ({"deliverable": ""}, "deliverable"),
        ({"amount": Money(0, "USD")}, "amount"),
        ({"amount": Money(59_999, "USD")}, "sum"),
        ({"amount": Money(60_001, "USD")}, "sum"),
        ({"amount": Money(60_000, "EUR")}, "currency"),
        ({"acceptance_rule": "WHENEVER"}, "acceptance_rule"),
    ],
)
def test_a_division_that_does_not_hold_together_is_refused(change: dict[str, object], code: str) -> None:
    assert faults(LEGAL, *GOOD) == []
    assert code in faults(LEGAL, replace(GOOD[0], **change), GOOD[1])


def test_home_services_need_no_deliverable() -> None:
    assert faults(HOME, replace(GOOD[0], deliverable=""), GOOD[1]) == []


def test_there_is_at_least_one_milestone() -> None:
    assert faults(HOME) == ["none"]


def test_milestones_that_are_paid_for_stay_as_they_are() -> None:
    assert faults(HOME, *GOOD, statuses=("PLANNED", "AWAITING_FUNDING")) == []
    assert faults(HOME, *GOOD, statuses=("FUNDED", "PLANNED")) == ["paid"]


def test_everything_that_is_wrong_is_said_at_once() -> None:
    bad = replace(GOOD[0], title="", deliverable="", amount=Money(-1, "USD"))
    assert set(faults(LEGAL, bad, GOOD[1])) == {"title", "deliverable", "amount", "sum"}


def test_dinars_are_divided_in_steps_that_can_be_charged() -> None:
    bad = PlannedMilestone(title="One", deliverable="All.", amount=Money(100_005, "KWD"))
    with pytest.raises(schedule.ScheduleRefused, match="must end in 0"):
        schedule.check_adjustment([bad], total=Money(100_005, "KWD"), platform=HOME)


def test_the_payment_schedule_adds_up_milestone_by_milestone() -> None:
    first, second = (fees.quote(milestone.amount, HOME_SERVICES) for milestone in GOOD)
    assert first.milestone + second.milestone == Money.total((each.amount for each in GOOD), "USD")
    for each in (first, second):
        assert each.total == each.milestone + each.platform_fee + each.processing_fee
