"""Dividing a milestone by the items of its work: each is done, partly done or not done, and the release is their sum.

The desk's choice, for “partial work completed” of payment-escrow-rules, Refund Rules. The values of the items sum to
what is held for the milestone; what is earned of each and what is not sum to its value, so nothing is lost to rounding.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from core.errors import DeskError
from core.money import WHOLE_BPS, Money, stripe_step
from core.rules import fees

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
        return {"FULLY": "done", "PARTLY": "partly done", "NOT": "not done"}[self.value]


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

    @property
    def earned(self) -> Money:
        """Half-up to an amount that can be moved; the rest of the value is not earned."""
        return fees.portion(self.value, self.share_bps) if self.done is Done.PARTLY else self._whole()

    def _whole(self) -> Money:
        return self.value if self.done is Done.FULLY else Money.zero(self.value.currency)

    @property
    def missing(self) -> Money:
        return self.value - self.earned

    def as_dict(self) -> dict[str, Any]:
        return {
            "title": self.title,
            "value": self.value.minor,
            "done": self.done.value,
            "part_bps": self.share_bps,
            "earned": self.earned.minor,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], currency: str) -> Item:
        done = Done(data["done"])
        part = data["part_bps"] if done is Done.PARTLY else 0
        return cls(data["title"], Money(data["value"], currency), done, part)


def check(items: Sequence[Item], held: Money) -> None:
    """May what is held be divided by these items? Raises what is wrong with the first that is wrong."""
    if len(items) > MOST:
        raise ItemsTooMany(most=MOST)
    for number, item in enumerate(items, 1):
        if not item.title.strip() or len(item.title) > LONGEST:
            raise ItemUntitled(number=number, most=LONGEST)
        if not item.value.is_positive:
            raise ItemWorthNothing(title=item.title)
        if item.done is Done.PARTLY and not 0 < item.part_bps < WHOLE_BPS:
            raise ItemPartUnclear(title=item.title)
    total = Money.total((item.value for item in items), held.currency)
    if total != held:
        gap = f"{held - total} are missing" if total < held else f"{total - held} are too much"
        raise ItemsDoNotSum(total=total, held=held, gap=gap)


def release(items: Sequence[Item], held: Money) -> Money:
    """What the payee has earned: the sum of what is earned of each item. The rest of `held` goes back."""
    check(items, held)
    return Money.total((item.earned for item in items), held.currency)


def proposed(deliverable: str, held: Money) -> tuple[tuple[str, Money], ...]:
    """A first list from what was agreed: a line or a sentence an item, worth the same each, the rest with the last.

    Nobody said what each is worth, so this is only where a mediator begins.
    """
    titles = [title for line in _BREAKS.split(deliverable) if (title := _title(line))][:MOST] or ["The work"]
    step = stripe_step(held.currency)
    if held.minor < len(titles) * step:
        titles = titles[:1]
    return tuple(zip(titles, held.spread([1] * len(titles), step=step), strict=True))


def _title(line: str) -> str:
    title = _LEADING.sub("", line.strip()).strip().rstrip(".").strip()[:LONGEST]
    return title[:1].upper() + title[1:]


def in_words(item: Item) -> str:
    """For letters and the case file: “partly done (40 %): $40.00 of $100.00”."""
    if item.done is Done.PARTLY:
        whole, rest = divmod(item.part_bps, 100)
        share = f"{whole}.{rest:02d}".rstrip("0").rstrip(".")
        return f"partly done ({share} %): {item.earned} of {item.value}"
    return f"{item.done.words}: {item.earned} of {item.value}"
