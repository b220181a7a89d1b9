"""Dividing by the items of the work: nothing is lost to rounding, and every mistake is said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import DeskError
from core.money import Money
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


@given(st.integers(1, 10**9), st.integers(1, 9_999))
def test_what_is_earned_and_what_is_not_are_the_value(minor: int, part: int) -> None:
    partly = item(minor, Done.PARTLY, part)
    assert partly.earned + partly.missing == partly.value
    assert not partly.earned.is_negative
    assert partly.earned <= partly.value


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
    assert Item.from_dict(each.as_dict(), "USD") == each
    assert items.in_words(each).endswith(f"{each.earned} of {each.value}")
