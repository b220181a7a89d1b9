"""Dividing what is held: the parts always sum to the whole, and every impossible division is refused."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from core.money import (
    CURRENCIES,
    AmountNotStripeExact,
    AmountOutOfRange,
    CurrencyMismatch,
    Money,
    stripe_step,
)
from core.rules import fees, grounds, splits
from core.rules.grounds import DecisionOutcome, Ground

ABSORBED = {Ground.SERVICE_NOT_STARTED, Ground.PROVIDER_NO_SHOW, Ground.DUPLICATE_PAYMENT}


def usd(minor: int) -> Money:
    return Money(minor, "USD")


@st.composite
def held(draw: st.DrawFn) -> Money:
    currency = draw(st.sampled_from(sorted(CURRENCIES)))
    return Money(draw(st.integers(2, 10**9)) * stripe_step(currency), currency)


def whole(split: splits.Split, amount: Money, fee: Money) -> None:
    assert split.release + split.refund == amount
    assert split.fee_kept + split.fee_returned == fee
    parts = (
        split.release,
        split.refund,
        split.fee_kept,
        split.fee_returned,
        split.concession,
        split.total_refund,
    )
    assert not any(part.is_negative or part.minor % stripe_step(amount.currency) for part in parts)


@given(held(), st.integers(1, 9_999), st.integers(0, 3_000))
def test_a_partial_release_never_loses_or_makes_a_minor_unit(amount: Money, percent: int, rate: int) -> None:
    fee, release = fees.portion(amount, rate), splits.by_percent(amount, percent)
    assume(Money.zero(amount.currency) < release < amount)
    split = splits.partial(amount, fee, release, rate)
    whole(split, amount, fee)
    assert split.fee_kept == fees.portion(release, rate)
    assert split.concession.is_zero


@pytest.mark.parametrize(
    ("amount", "percent", "release"),
    [
        (Money(5_001, "USD"), 5_000, 2_501),
        (Money(5_003, "USD"), 5_000, 2_502),
        (Money(50, "USD"), 100, 1),
        (Money(150, "USD"), 100, 2),
        (Money(250, "USD"), 100, 3),
        (Money(249, "USD"), 100, 2),
        (Money(5_001, "JPY"), 5_000, 2_501),
        (Money(250, "JPY"), 100, 3),
        (Money(50_010, "KWD"), 5_000, 25_010),
        (Money(50_030, "KWD"), 5_000, 25_020),
        (Money(2_500, "KWD"), 100, 30),
    ],
)
def test_a_share_that_ends_in_a_half_goes_to_the_payee(amount: Money, percent: int, release: int) -> None:
    assert splits.by_percent(amount, percent).minor == release


@pytest.mark.parametrize(
    ("release", "kept"),
    [(20, 1), (60, 2), (100, 3), (99, 2), (140, 4), (180, 5)],  # 2.5 %: 0.5, 1.5, 2.5, 2.475, 3.5, 4.5
)
def test_a_fee_kept_that_ends_in_a_half_is_rounded_up(release: int, kept: int) -> None:
    for currency, step in (("USD", 1), ("JPY", 1), ("KWD", 10)):
        amount, fee = Money(10_000 * step, currency), Money(250 * step, currency)
        split = splits.partial(amount, fee, Money(release * step, currency), 250)
        assert (split.fee_kept.minor, split.fee_returned.minor) == (kept * step, (250 - kept) * step)


@given(held())
def test_a_full_release_keeps_the_fee_and_refunds_nothing(amount: Money) -> None:
    fee = fees.portion(amount, 250)
    split = splits.full_release(amount, fee)
    whole(split, amount, fee)
    assert (split.release, split.fee_kept, split.total_refund.is_zero) == (amount, fee, True)


@pytest.mark.parametrize("ground", Ground)
def test_the_platform_pays_the_processor_fee_back_only_on_grounds_that_are_its_to_bear(
    ground: Ground,
) -> None:
    split = splits.full_refund(usd(100_000), usd(2_500), ground, usd(3_092))
    whole(split, usd(100_000), usd(2_500))
    absorbed = 3_092 if ground in ABSORBED else 0
    assert split.concession == usd(absorbed)
    assert split.total_refund == usd(102_500 + absorbed)
    assert grounds.platform_absorbs(ground) is (ground in ABSORBED)


def test_forty_percent_of_a_thousand_dollars_keeps_ten_dollars_of_the_fee() -> None:
    split = splits.partial(usd(100_000), usd(2_500), usd(40_000), 250)
    assert (split.fee_kept, split.fee_returned, split.total_refund) == (usd(1_000), usd(1_500), usd(61_500))


@pytest.mark.parametrize(
    ("release", "error"),
    [
        (0, splits.PartialIsNothing),
        (-1, splits.PartialIsNothing),
        (100, splits.PartialIsFull),
        (101, splits.MoreThanHeld),
    ],
)
def test_a_partial_release_of_nothing_of_all_or_of_more_is_refused(
    release: int, error: type[Exception]
) -> None:
    with pytest.raises(error):
        splits.partial(usd(100), usd(2), usd(release), 250)


def test_one_minor_unit_on_either_side_is_still_a_partial_release() -> None:
    for release in (1, 99):
        whole(splits.partial(usd(100), usd(2), usd(release), 250), usd(100), usd(2))


def test_a_release_in_another_currency_is_refused() -> None:
    with pytest.raises(CurrencyMismatch):
        splits.partial(usd(100), usd(2), Money(50, "EUR"), 250)
    with pytest.raises(CurrencyMismatch):
        splits.full_release(usd(100), Money(2, "EUR"))
    with pytest.raises(CurrencyMismatch):
        splits.full_refund(usd(100), usd(2), Ground.PROVIDER_NO_SHOW, Money(3, "EUR"))


def test_nothing_held_cannot_be_divided() -> None:
    for attempt in (
        lambda: splits.full_release(usd(0), usd(0)),
        lambda: splits.partial(usd(0), usd(0), usd(0), 250),
        lambda: splits.full_refund(usd(0), usd(0), Ground.AGREED_CANCELLATION, usd(0)),
    ):
        with pytest.raises(splits.NothingHeld):
            attempt()


def test_a_release_that_stripe_cannot_send_is_refused() -> None:
    with pytest.raises(AmountNotStripeExact):
        splits.partial(Money(100_000, "KWD"), Money(2_500, "KWD"), Money(40_005, "KWD"), 250)


@pytest.mark.parametrize("percent", [-1, 10_001])
def test_a_percentage_is_between_nothing_and_all(percent: int) -> None:
    assert splits.by_percent(usd(333), 5_000) == usd(167)
    with pytest.raises(AmountOutOfRange):
        splits.by_percent(usd(100), percent)


@pytest.mark.parametrize("outcome", DecisionOutcome)
@pytest.mark.parametrize("ground", Ground)
def test_a_ground_carries_only_its_own_outcomes(ground: Ground, outcome: DecisionOutcome) -> None:
    if outcome in grounds.outcomes(ground):
        grounds.check(ground, outcome, delivered=False)
        assert ground in grounds.for_outcome(outcome)
        return
    assert ground not in grounds.for_outcome(outcome)
    with pytest.raises(grounds.GroundDoesNotFit):
        grounds.check(ground, outcome, override=True)


def test_every_outcome_has_a_ground_and_every_ground_an_outcome() -> None:
    assert all(grounds.for_outcome(outcome) for outcome in DecisionOutcome)
    assert [ground for ground in Ground if not grounds.outcomes(ground)] == [Ground.AGREED_SPLIT]


def test_no_mediator_decides_on_the_ground_that_the_parties_agreed() -> None:
    for outcome in DecisionOutcome:
        with pytest.raises(grounds.GroundDoesNotFit):
            grounds.check(Ground.AGREED_SPLIT, outcome, override=True)


def test_dissatisfaction_with_delivered_work_refunds_only_by_an_override() -> None:
    ground, refund = Ground.OUTCOME_DISSATISFACTION, DecisionOutcome.FULL_REFUND
    with pytest.raises(grounds.OutcomeNotGuaranteed):
        grounds.check(ground, refund, delivered=True)
    grounds.check(ground, refund, delivered=True, override=True)
    assert grounds.needs_second_person(ground)


def test_a_refund_cites_all_four_references() -> None:
    four = [reference.value for reference in grounds.FOUR_REFERENCES]
    assert four == ["ENGAGEMENT_SCOPE", "MESSAGE_HISTORY", "MILESTONE_EVIDENCE", "RESOLUTION_NOTES"]
    assert grounds.missing_references(four) == ()
    for left_out in grounds.FOUR_REFERENCES:
        cited = [kind for kind in four if kind != left_out.value]
        assert grounds.missing_references(cited) == (left_out,)
        with pytest.raises(grounds.ReferencesMissing):
            grounds.require_references(cited)
