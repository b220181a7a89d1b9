"""Dividing a milestone by the items of its work: each is done, partly done or not done, and the release is their sum.

Internal policy, for “partial work completed” of payment-escrow-rules, Refund Rules. The values of the items sum to
what is held for the milestone. Exact shares are summed and rounded half-up once; what is shown as earned of each item
is at most one step away from its exact share and adds up to that sum, so many halves do not lean to one side.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from core.errors import DeskError
from core.money import WHOLE_BPS, Money, apportion, half_up, percent, stripe_exact, stripe_step
from core.rules.visible_text import says_something

MOST = 20
LONGEST = 160
_BREAKS = re.compile(r"[\n;•]|(?<=[.!?])\s+(?=[A-Z0-9])")
_LEADING = re.compile(r"^(?:[-*–·]|\(?\d{1,2}[.)])\s*")


class Done(StrEnum):
    FULLY = "FULLY"
    PARTLY = "PARTLY"
    NOT = "NOT"

    @property
    def words(self) -> str:
        return {Done.FULLY: "done", Done.PARTLY: "partly done", Done.NOT: "not done"}[self]


class ItemUntitled(DeskError):
    """Item {number} has no name. Say what it is, in at most {most} characters."""


class ItemWorthNothing(DeskError):
    """“{title}” has no value. Write what it is worth, or remove it."""


class ItemPartUnclear(DeskError):
    """“{title}” is partly done: say how much of it, more than 0 % and less than 100 %."""


class ItemsTooMany(DeskError):
    """A division has at most {most} items."""


class ItemsDoNotSum(DeskError):
    """The items are worth {total} together, and {held} are held: {gap}."""


@dataclass(frozen=True)
class Item:
    """One piece of the agreed work. `part_bps`: how much of it is done, in hundredths of a percent."""

    title: str
    value: Money
    done: Done
    part_bps: int = 0

    @property
    def share_bps(self) -> int:
        return {Done.FULLY: WHOLE_BPS, Done.PARTLY: self.part_bps, Done.NOT: 0}[self.done]

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], currency: str) -> Item:
        done = Done(data["done"])
        part = data["part_bps"] if done is Done.PARTLY else 0
        return cls(data["title"], Money(data["value"], currency), done, part)


def earned(items: Sequence[Item]) -> tuple[Money, ...]:
    """What is earned of each item. Their sum is the exact sum of the shares, rounded half-up once to a step that can be
    moved. Done is its whole value, not done is nothing."""
    exact = [item.value.minor // stripe_step(item.value.currency) * item.share_bps for item in items]
    parts = apportion(exact, WHOLE_BPS, half_up(sum(exact), WHOLE_BPS))
    return tuple(
        Money(part * stripe_step(item.value.currency), item.value.currency)
        for item, part in zip(items, parts, strict=True)
    )


def rows(items: Sequence[Item]) -> list[dict[str, Any]]:
    """As a plan keeps them: each with what is earned of it."""
    return [
        {
            "title": item.title,
            "value": item.value.minor,
            "done": item.done.value,
            "part_bps": item.share_bps,
            "earned": part.minor,
        }
        for item, part in zip(items, earned(items), strict=True)
    ]


def recorded(rows: Iterable[Mapping[str, Any]], currency: str) -> tuple[tuple[Item, Money], ...]:
    """The items of a recorded plan, and what was earned of each by the rule of its day."""
    return tuple((Item.from_dict(row, currency), Money(row["earned"], currency)) for row in rows)


def check(items: Sequence[Item], held: Money) -> None:
    """May what is held be divided by these items? Raises what is wrong with the first that is wrong."""
    if len(items) > MOST:
        raise ItemsTooMany(most=MOST)
    for number, item in enumerate(items, 1):
        if not says_something(item.title) or len(item.title) > LONGEST:
            raise ItemUntitled(number=number, most=LONGEST)
        if not item.value.is_positive:
            raise ItemWorthNothing(title=item.title)
        stripe_exact(item.value)
        if item.done is Done.PARTLY and not 0 < item.part_bps < WHOLE_BPS:
            raise ItemPartUnclear(title=item.title)
    total = Money.total((item.value for item in items), held.currency)
    if total != held:
        gap = f"{held - total} are missing" if total < held else f"{total - held} are too much"
        raise ItemsDoNotSum(total=total, held=held, gap=gap)


def release(items: Sequence[Item], held: Money) -> Money:
    """What the payee has earned: the exact shares summed and rounded once. The rest of `held` goes back."""
    check(items, held)
    return Money.total(earned(items), held.currency)


def proposed(deliverable: str, held: Money) -> tuple[tuple[str, Money], ...]:
    """A first list from what was agreed: a line or a sentence an item, worth the same each to within one step.

    Nobody said what each is worth, so this is only where a mediator begins.
    """
    titles = [title for line in _BREAKS.split(deliverable) if says_something(title := _title(line))][
        :MOST
    ] or ["The work"]
    step = stripe_step(held.currency)
    if held.minor < len(titles) * step:
        titles = titles[:1]
    return tuple(zip(titles, held.spread([1] * len(titles), step=step), strict=True))


def _title(line: str) -> str:
    title = _LEADING.sub("", line.strip()).strip().rstrip(".").strip()[:LONGEST]
    return title[:1].upper() + title[1:]


def in_words(item: Item, earned: Money) -> str:
    """For letters and the case file: “partly done (40 %): $40.00 of $100.00”."""
    if item.done is Done.PARTLY:
        return f"partly done ({percent(item.part_bps)}): {earned} of {item.value}"
    return f"{item.done.words}: {earned} of {item.value}"
