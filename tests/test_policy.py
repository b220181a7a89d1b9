"""The two profiles say what the specifications say, survive being stored, and a linter keeps them whole."""

from __future__ import annotations

import json
import pickle
from datetime import timedelta

import pytest

from core import policy
from core.money import Money, UnknownCurrency
from core.policy import (
    HOME_SERVICES,
    LEGAL_SERVICES,
    PROFILES,
    Level,
    PerCurrency,
    Profile,
    Tariff,
    WithdrawalMethod,
)
from core.policy.bounds import BOUNDS

both = pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda profile: profile.name)


def codes(profile: Profile, level: Level) -> set[str]:
    return {finding.code for finding in policy.lint(profile) if finding.level is level}


def test_home_services_has_the_numbers_of_its_key_business_rules() -> None:
    home = HOME_SERVICES
    assert home.platform_fee_bps == 250
    assert home.first_reminder_after == timedelta(hours=72)
    assert home.dispute_window == timedelta(days=5)
    assert home.auto_approve_after == timedelta(days=7)
    assert home.mediation_after == timedelta(days=3)
    assert home.processor_fixed.of("USD") == Money(30, "USD")


def test_legal_services_has_the_numbers_of_its_release_rules() -> None:
    legal = LEGAL_SERVICES
    assert legal.platform_fee_bps == 0
    assert legal.auto_approve_after == timedelta(hours=72)
    assert legal.consultation_grace == timedelta(hours=24)
    assert legal.cooling_off == timedelta(hours=24)
    assert legal.dispute_window is None
    assert legal.mediation_after is None


def some(**minor: int) -> PerCurrency:
    """These amounts, and nothing in every other currency."""
    return PerCurrency({**PerCurrency.nothing().minor, **minor})


@both
def test_a_profile_comes_back_from_json_as_it_was(profile: Profile) -> None:
    stored = json.loads(json.dumps(profile.snapshot()))
    assert Profile.from_snapshot(stored) == profile
    assert pickle.loads(pickle.dumps(profile)) == profile
    assert hash(Profile.from_snapshot(stored)) == hash(profile)


@both
def test_a_snapshot_that_is_not_whole_is_refused_not_guessed(profile: Profile) -> None:
    whole = profile.snapshot()
    broken = [
        {name: value for name, value in whole.items() if name != "dispute_window"},
        {**whole, "surprise": 1},
        {**whole, "auto_approve_after": "7 days"},
        {**whole, "auto_approve_after": 1.5},
        {**whole, "platform_fee_bps": 2.5},
        {**whole, "platform_fee_bps": True},
        {**whole, "instant": {"bps": 150}},
        {**whole, "platform": "elsewhere"},
    ]
    for snapshot in broken:
        with pytest.raises(policy.SnapshotUnreadable):
            Profile.from_snapshot(snapshot)


@both
def test_every_number_says_where_it_comes_from(profile: Profile) -> None:
    named = {name for name, label, _, source in profile.lines() if label and source}
    assert named == set(profile.snapshot()) - {"platform", "version"}


@both
def test_the_profiles_in_use_have_no_errors(profile: Profile) -> None:
    assert codes(profile, Level.ERROR) == set()
    policy.accept(profile)


def test_the_linter_warns_that_complaints_between_day_five_and_seven_only_ask_for_a_hold() -> None:
    assert codes(HOME_SERVICES, Level.WARNING) == {"complaint_gap"}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"auto_approve_after": timedelta(days=4)}, "approved_while_disputable"),
        ({"first_reminder_after": timedelta(days=7)}, "reminder_too_late"),
        ({"first_reminder_after": None}, "reminders_half_set"),
        ({"auto_approve": False, "first_reminder_after": None, "reminder_every": None}, "silence_never_ends"),
        ({"mediation_after": timedelta(0)}, "duration_not_positive"),
        ({"deadlock_after": timedelta(days=-1)}, "duration_not_positive"),
        ({"cooling_off": timedelta(microseconds=1)}, "duration_not_whole"),
        ({"platform_fee_bps": 10_000}, "rate_out_of_range"),
        ({"platform_fee_bps": 9_999}, "out_of_bounds"),
        ({"platform_fee_bps": 3_001}, "out_of_bounds"),
        ({"processor_bps": 1_001}, "out_of_bounds"),
        ({"reminder_every": timedelta(minutes=59)}, "out_of_bounds"),
        ({"dispute_window": timedelta(hours=23)}, "out_of_bounds"),
        ({"auto_approve_after": timedelta(days=61)}, "out_of_bounds"),
        ({"deadlock_after": timedelta(hours=1)}, "out_of_bounds"),
        ({"cooling_off": timedelta(days=15)}, "out_of_bounds"),
        ({"contact_window": timedelta(hours=1)}, "out_of_bounds"),
        ({"decisions_a_day": 51}, "out_of_bounds"),
        ({"contact_attempts": 21}, "out_of_bounds"),
        ({"wire": Tariff(2_001)}, "out_of_bounds"),
        ({"second_person_above": some(USD=50_000_001)}, "out_of_bounds"),
        ({"high_value_review": some(USD=4_999)}, "out_of_bounds"),
        ({"processor_bps": -1}, "rate_out_of_range"),
        ({"held_age_alarm": timedelta(days=90)}, "alarm_too_late"),
        ({"processor_fixed": PerCurrency({"USD": 30})}, "currency_missing"),
        ({"decisions_a_day": 0}, "count_not_positive"),
        ({"wire": Tariff(10_000)}, "rate_out_of_range"),
        ({"wire": Tariff(fixed=PerCurrency({"USD": 1}))}, "currency_missing"),
        ({"wire": Tariff(fixed=some(USD=500_000))}, "tariff_swallows"),
        ({"wire": Tariff(minimum=some(KWD=1_505))}, "tariff_step"),
    ],
)
def test_a_profile_that_leaves_a_gap_or_contradicts_itself_is_refused(
    changes: dict[str, object], code: str
) -> None:
    profile = HOME_SERVICES.revised(**changes)
    assert code in codes(profile, Level.ERROR)
    with pytest.raises(policy.PolicyContradicts):
        policy.accept(profile)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"instant": Tariff(1_001)}, "tariff_steep"),
        ({"standard": Tariff(fixed=some(USD=300))}, "standard_costly"),
        ({"platform_fee_bps": 3_000}, "unusual"),
        ({"platform_fee_bps": 1_001}, "unusual"),
        ({"decisions_a_day": 11}, "unusual"),
    ],
)
def test_a_tariff_that_is_odd_is_allowed_with_a_warning(changes: dict[str, object], code: str) -> None:
    profile = HOME_SERVICES.revised(**changes)
    assert codes(profile, Level.ERROR) == set()
    assert code in codes(profile, Level.WARNING)


def test_switching_auto_approval_off_is_allowed_with_a_warning() -> None:
    profile = HOME_SERVICES.revised(auto_approve=False)
    assert codes(profile, Level.ERROR) == set()
    assert "silence_waits" in codes(profile, Level.WARNING)


def test_a_window_and_a_silence_of_the_same_length_leave_no_gap() -> None:
    profile = HOME_SERVICES.revised(dispute_window=timedelta(days=7))
    assert "complaint_gap" not in codes(profile, Level.WARNING)
    assert codes(profile, Level.ERROR) == set()


def test_a_change_is_a_new_version_and_leaves_the_old_one_alone() -> None:
    changed = HOME_SERVICES.revised(platform_fee_bps=300)
    assert (changed.version, changed.platform_fee_bps) == (2, 300)
    assert (HOME_SERVICES.version, HOME_SERVICES.platform_fee_bps) == (1, 250)
    with pytest.raises(AttributeError):
        HOME_SERVICES.platform_fee_bps = 0  # type: ignore[misc]
    with pytest.raises(TypeError):
        HOME_SERVICES.processor_fixed.minor["USD"] = 0  # type: ignore[index]


def test_every_withdrawal_method_has_a_tariff() -> None:
    assert {method: HOME_SERVICES.tariff(method).bps for method in WithdrawalMethod} == {
        WithdrawalMethod.STANDARD: 0,
        WithdrawalMethod.INSTANT: 150,
        WithdrawalMethod.CHECK: 0,
        WithdrawalMethod.WIRE: 0,
    }


def test_an_amount_is_not_guessed_for_a_currency_that_has_none() -> None:
    with pytest.raises(UnknownCurrency):
        PerCurrency({"USD": 1}).of("EUR")


def test_every_number_of_a_profile_has_bounds_with_their_reason_and_lies_within() -> None:
    for profile in (HOME_SERVICES, LEGAL_SERVICES):
        for name, _, value, _ in profile.lines():
            bounded = name in BOUNDS or isinstance(value, PerCurrency | Tariff | bool | str)
            assert bounded, name
    for name, each in BOUNDS.items():
        assert each.possible[0] <= each.usual[0] < each.usual[1] <= each.possible[1], name
        assert each.why
    for profile in (HOME_SERVICES, LEGAL_SERVICES):
        assert "unusual" not in codes(profile, Level.WARNING)


def test_reminders_can_be_switched_off_and_on() -> None:
    off = HOME_SERVICES.revised(reminders=False)
    assert codes(off, Level.ERROR) == set()
    assert "silence_unwarned" in codes(off, Level.WARNING)
    assert "reminders_half_set" in codes(LEGAL_SERVICES.revised(reminders=True), Level.ERROR)
    on = LEGAL_SERVICES.revised(
        reminders=True, first_reminder_after=timedelta(hours=24), reminder_every=timedelta(hours=24)
    )
    assert codes(on, Level.ERROR) == set()


@pytest.mark.parametrize("profile", [HOME_SERVICES, LEGAL_SERVICES])
def test_a_snapshot_from_before_the_switch_reminds_as_it_did(profile: Profile) -> None:
    old = {
        name: each for name, each in profile.snapshot().items() if name not in ("reminders", "contact_window")
    }
    assert Profile.from_snapshot(old) == profile
