"""Dividing by the items of the work: nothing is lost to rounding, and every mistake is said."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import DeskError
from core.money import AmountNotStripeExact, Money, stripe_step
from core.rules import items
from core.rules.items import (
    Done,
    Item,
    ItemPartUnclear,
    ItemsDoNotSum,
    ItemsTooMany,
    ItemUntitled,
    ItemWorthNothing,
)


def usd(minor: int) -> Money:
    return Money(minor, "USD")


def item(minor: int, done: Done = Done.NOT, part: int = 0, title: str = "Worktop") -> Item:
    return Item(title, usd(minor), done, part)


def test_the_release_is_the_sum_of_what_is_earned() -> None:
    each = [item(60_000, Done.FULLY), item(30_000, Done.PARTLY, 4_000), item(10_000)]
    assert items.release(each, usd(100_000)) == usd(72_000)


@pytest.mark.parametrize(
    ("count", "worth", "part", "released"),
    [
        (20, usd(5_001), 5_000, usd(50_010)),  # each share is $25.005
        (10, usd(1), 5_000, usd(5)),
        (20, usd(5_001), 2_500, usd(25_005)),
        (3, usd(1), 5_000, usd(2)),  # one and a half cents, once rounded up
        (5, usd(1), 5_000, usd(3)),
        (5, Money(10, "KWD"), 5_000, Money(30, "KWD")),
        (10, Money(1, "JPY"), 5_000, Money(5, "JPY")),
        (7, Money(1_001, "JPY"), 5_000, Money(3_504, "JPY")),
        (20, Money(10, "KWD"), 5_000, Money(100, "KWD")),
        (20, Money(50_010, "KWD"), 5_000, Money(500_100, "KWD")),
    ],
)
def test_many_halves_do_not_lean_to_one_side(count: int, worth: Money, part: int, released: Money) -> None:
    """20 items of $50.01, each half done, are $500.10 and $500.10, and not $500.20 and $500.00."""
    each = [Item("Worktop", worth, Done.PARTLY, part)] * count
    assert items.release(each, worth * count) == released
    assert Money.total(items.earned(each), worth.currency) == released


STATES = st.one_of(
    st.tuples(st.just(Done.PARTLY), st.integers(1, 9_999)),
    st.tuples(st.sampled_from([Done.FULLY, Done.NOT]), st.just(0)),
)


@given(
    st.lists(st.tuples(st.integers(1, 10**7), STATES), min_size=1, max_size=20),
    st.sampled_from(["USD", "JPY", "KWD"]),
)
def test_shares_are_summed_exactly_and_rounded_once(
    drawn: list[tuple[int, tuple[Done, int]]], currency: str
) -> None:
    """What is shown of each item adds up to the release and lies within one step of its exact share."""
    step = stripe_step(currency)
    each = [Item("Tiles", Money(value * step, currency), *state) for value, state in drawn]
    held = Money.total((one.value for one in each), currency)
    exact = sum(Decimal(one.value.minor) * one.share_bps / 10_000 / step for one in each)
    released, parts = items.release(each, held), items.earned(each)
    assert released.minor == int(exact.quantize(Decimal(1), ROUND_HALF_UP)) * step
    assert Money.total(parts, currency) == released
    for one, part in zip(each, parts, strict=True):
        assert abs(Decimal(part.minor) - Decimal(one.value.minor) * one.share_bps / 10_000) < step
        assert not part.is_negative
        assert part <= one.value
        assert one.done is Done.PARTLY or part.minor == (one.value.minor if one.done is Done.FULLY else 0)


def test_an_item_that_cannot_be_moved_to_the_last_digit_is_refused() -> None:
    with pytest.raises(AmountNotStripeExact, match=r"KWD 1\.005"):
        items.release([Item("Tiles", Money(1_005, "KWD"), Done.FULLY)], Money(1_005, "KWD"))


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=20))
def test_all_done_is_all_and_none_done_is_nothing(values: list[int]) -> None:
    held = usd(sum(values))
    assert items.release([item(each, Done.FULLY) for each in values], held) == held
    assert items.release([item(each) for each in values], held).is_zero


@given(st.text(max_size=400), st.integers(1, 10**8), st.sampled_from(["USD", "JPY"]))
def test_a_proposal_always_sums_to_what_is_held(deliverable: str, minor: int, currency: str) -> None:
    proposed = items.proposed(deliverable, Money(minor, currency))
    each = [Item(title, value, Done.NOT) for title, value in proposed]
    items.check(each, Money(minor, currency))


def test_a_dinar_that_must_end_in_zero_is_proposed_so() -> None:
    for _, value in items.proposed("One; two; three", Money(100_000, "KWD"))[:-1]:
        assert value.minor % 10 == 0


def test_the_deliverable_is_taken_apart_line_by_line_and_sentence_by_sentence() -> None:
    wanted = items.proposed("Cabinets hung; worktop fitted. Plumbing connected.\n- Tiles\n2) Lamps", usd(500))
    assert [title for title, _ in wanted] == [
        "Cabinets hung",
        "Worktop fitted",
        "Plumbing connected",
        "Tiles",
        "Lamps",
    ]
    assert [value.minor for _, value in wanted] == [100] * 5


@pytest.mark.parametrize(
    ("each", "error"),
    [
        ([item(100, title=" ")], ItemUntitled),
        ([item(100, title="x" * 161)], ItemUntitled),
        ([item(0)], ItemWorthNothing),
        ([item(100, Done.PARTLY, 0)], ItemPartUnclear),
        ([item(100, Done.PARTLY, 10_000)], ItemPartUnclear),
        ([item(99)], ItemsDoNotSum),
        ([item(101)], ItemsDoNotSum),
        ([item(1)] * 21, ItemsTooMany),
        ([], ItemsDoNotSum),
    ],
)
def test_what_cannot_be_a_division_is_refused(each: list[Item], error: type[DeskError]) -> None:
    with pytest.raises(error):
        items.release(each, usd(100))


def test_it_is_said_how_much_is_missing_or_too_much() -> None:
    with pytest.raises(ItemsDoNotSum, match=r"\$0.40 are missing"):
        items.check([item(60)], usd(100))
    with pytest.raises(ItemsDoNotSum, match=r"\$0.40 are too much"):
        items.check([item(140)], usd(100))


@pytest.mark.parametrize("each", [item(100, Done.FULLY), item(333, Done.PARTLY, 3_333), item(5)])
def test_an_item_comes_back_from_a_plan_as_it_went_in(each: Item) -> None:
    (earned,) = items.earned([each])
    assert items.recorded(items.rows([each]), "USD") == ((each, earned),)
    assert items.in_words(each, earned).endswith(f"{earned} of {each.value}")
