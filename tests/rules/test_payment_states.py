"""Nine names for where money is: derived from the amounts, and no walk of the money leaves the table of changes."""

from __future__ import annotations

from dataclasses import fields, replace
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import DeskError
from core.money import CurrencyMismatch, Money
from core.rules.payment_states import (
    CHANGES,
    Amounts,
    AmountsDisagree,
    ImpossibleChange,
    State,
    check_change,
    derive,
)

PLACES = ("held", "payable", "refundable", "released", "refunded")


def amounts(**minor: int) -> Amounts:
    parts = {place: Money(minor.get(place, 0), "USD") for place in PLACES}
    return Amounts(funded=Money.total(parts.values(), "USD"), **parts)


@pytest.mark.parametrize(
    ("where", "flags", "state"),
    [
        ({}, {}, State.UNPAID),
        ({}, {"in_flight": True}, State.PENDING_PAYMENT),
        ({}, {"canceled": True}, State.CANCELED),
        ({"held": 100}, {}, State.PAID_HELD),
        ({"held": 100}, {"in_flight": True}, State.PAID_HELD),
        ({"held": 100}, {"chargeback_open": True}, State.CHARGEBACK_REVIEW),
        ({"payable": 100}, {}, State.RELEASED),
        ({"released": 100}, {}, State.RELEASED),
        ({"released": 100}, {"chargeback_open": True}, State.CHARGEBACK_REVIEW),
        ({"held": 60, "released": 40}, {}, State.PARTIALLY_RELEASED),
        ({"payable": 40, "refundable": 60}, {}, State.REFUND_PENDING),
        ({"released": 40, "refundable": 60}, {}, State.REFUND_PENDING),
        ({"released": 40, "refunded": 60}, {}, State.PARTIALLY_RELEASED),
        ({"payable": 40, "refunded": 60}, {}, State.PARTIALLY_RELEASED),
        ({"refundable": 100}, {}, State.REFUND_PENDING),
        ({"refunded": 100}, {}, State.REFUNDED),
        ({"refunded": 99, "refundable": 1}, {}, State.REFUND_PENDING),
        # 11,279.25 paid, 84.00 lost to the bank, nothing released.
        ({"held": 1_119_525, "refunded": 8_400}, {}, State.PAID_HELD),
        ({"held": 60, "refunded": 20, "payable": 20}, {}, State.PARTIALLY_RELEASED),
    ],
)
def test_the_amounts_have_one_name(where: dict[str, int], flags: dict[str, bool], state: State) -> None:
    assert derive(amounts(**where), **flags) is state


@given(st.fixed_dictionaries(dict.fromkeys(PLACES, st.integers(0, 10**9))), st.integers(1, 10**9))
def test_amounts_that_do_not_account_for_all_that_was_funded_are_refused(
    parts: dict[str, int], off: int
) -> None:
    whole = amounts(**parts)
    with pytest.raises(AmountsDisagree):
        replace(whole, funded=whole.funded + Money(off, "USD"))


def test_a_negative_place_is_refused_even_when_the_sum_is_right() -> None:
    with pytest.raises(AmountsDisagree):
        amounts(held=-1, released=101)


def test_amounts_of_two_currencies_are_refused() -> None:
    with pytest.raises(CurrencyMismatch):
        replace(Amounts.none("USD"), held=Money(0, "EUR"))


def test_the_nine_names_are_those_of_the_specification() -> None:
    assert [state.value for state in State] == [
        *("UNPAID", "PENDING_PAYMENT", "PAID_HELD", "PARTIALLY_RELEASED", "RELEASED"),
        *("REFUND_PENDING", "REFUNDED", "CHARGEBACK_REVIEW", "CANCELED"),
    ]
    assert set(CHANGES) == set(State)


@pytest.mark.parametrize(("before", "after"), list(product(State, State)))
def test_a_change_outside_the_table_is_refused(before: State, after: State) -> None:
    if after is before or after in CHANGES[before]:
        check_change(before, after)
        return
    with pytest.raises(ImpossibleChange):
        check_change(before, after)


# What can happen to the money of one order. Each step moves some of one place into another, or sets a flag.
MOVES = {
    "release": ("held", "payable"),
    "refuse": ("held", "refundable"),
    "send": ("payable", "released"),
    "return": ("released", "payable"),
    "refund": ("refundable", "refunded"),
    "refund fails": ("refunded", "refundable"),
}
FLAGS = ("start", "fail", "fund", "cancel", "bank asks", "bank decides", "lost")


class Order:
    """A toy order that only does what the desk can do, to see which states follow each other."""

    def __init__(self) -> None:
        self.minor = dict.fromkeys(PLACES, 0)
        self.in_flight = self.chargeback_open = self.canceled = False

    @property
    def state(self) -> State:
        return derive(
            amounts(**self.minor),
            in_flight=self.in_flight,
            chargeback_open=self.chargeback_open,
            canceled=self.canceled,
        )

    def step(self, name: str, share: int) -> None:
        funded = sum(self.minor.values())
        if name in MOVES and not self.chargeback_open:
            self.move(*MOVES[name], share)
        elif name in ("start", "fail") and not funded and not self.canceled:
            self.in_flight = name == "start"
        elif name == "fund" and not funded and not self.canceled:
            self.minor["held"], self.in_flight = 100, False
        elif name == "cancel" and not funded:
            self.canceled, self.in_flight = True, False
        elif name == "bank asks" and funded:
            self.chargeback_open = True
        elif name == "bank decides":
            self.chargeback_open = False
        elif name == "lost" and self.chargeback_open:
            self.minor["refunded"] += self.minor["held"]
            self.minor["held"], self.chargeback_open = 0, False

    def move(self, source: str, target: str, share: int) -> None:
        # A decision divides everything held at once; a refund moves all that is due.
        moved = self.minor[source] if source != "held" else min(self.minor[source], share)
        self.minor[source] -= moved
        self.minor[target] += moved
        if (source == "held" and target == "payable" and 0 < share < 100) or (
            source == "held" and target == "refundable"
        ):
            self.minor["refundable"] += self.minor["held"]
            self.minor["held"] = 0


@given(st.lists(st.tuples(st.sampled_from([*MOVES, *FLAGS]), st.integers(1, 100)), max_size=40))
def test_whatever_happens_to_an_order_its_state_changes_only_as_the_table_allows(
    steps: list[tuple[str, int]],
) -> None:
    order, seen = Order(), [State.UNPAID]
    for name, share in steps:
        order.step(name, share)
        seen.append(order.state)
    for before, after in pairwise(seen):
        check_change(before, after)


@given(
    st.fixed_dictionaries(dict.fromkeys(PLACES, st.integers(0, 100))),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
def test_every_amount_has_a_name_and_the_name_says_what_is_left(
    parts: dict[str, int], in_flight: bool, chargeback_open: bool, canceled: bool
) -> None:
    whole = amounts(**parts)
    state = derive(whole, in_flight=in_flight, chargeback_open=chargeback_open, canceled=canceled)
    if state is State.PAID_HELD:
        assert whole.held.is_positive
        assert (whole.payable + whole.released).is_zero
    if state is State.PARTIALLY_RELEASED:
        assert (whole.payable + whole.released).is_positive
    if state in (State.RELEASED, State.REFUNDED):
        assert whole.held.is_zero
        assert whole.refundable.is_zero
    if state in (State.UNPAID, State.PENDING_PAYMENT):
        assert whole.funded.is_zero


PAGE = Path(__file__).resolve().parents[2] / "docs" / "payment-states.md"
AMOUNTS = {"none": (0,), "some": (1, 7), "any": (0, 1, 7)}
NAMED_FLAGS = {"canceled": "canceled", "chargeback open": "chargeback_open", "charge on its way": "in_flight"}


def _lines() -> list[list[str]]:
    rows = [
        line.strip("|\n").split("|")
        for line in PAGE.read_text(encoding="utf-8").splitlines()
        if line[:2] == "| "
    ]
    return [[cell.strip() for cell in row] for row in rows][1:]


def _says(parts: dict[str, int], flags: dict[str, bool]) -> State:
    """The name on the page: that of the first line that fits."""
    for *cells, flag, name in _lines():
        if all(parts[place] in AMOUNTS[cell] for place, cell in zip(PLACES, cells, strict=True)) and (
            not flag or flags[NAMED_FLAGS[flag]]
        ):
            return State(name)
    raise AssertionError(f"no line for {parts} {flags}")


def test_the_page_names_every_mix_as_the_desk_does() -> None:
    assert {line[-1] for line in _lines()} == set(State)
    for values in product((0, 1, 7), repeat=len(PLACES)):
        parts = dict(zip(PLACES, values, strict=True))
        for on in (set(), *({flag} for flag in NAMED_FLAGS.values())):
            flags = {flag: flag in on for flag in NAMED_FLAGS.values()}
            assert _says(parts, flags) is derive(amounts(**parts), **flags), (parts, on)


def test_amounts_have_exactly_the_five_places_and_the_sum() -> None:
    assert {item.name for item in fields(Amounts)} == {"funded", *PLACES}


def test_every_refusal_here_is_an_error_of_the_desk() -> None:
    kinds: list[Any] = [AmountsDisagree, ImpossibleChange]
    assert all(issubclass(kind, DeskError) for kind in kinds)
