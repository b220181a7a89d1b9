"""A rule's value as an administrator types it: `5 days`, `2.5 %`, `none`, `yes`, `3`, `5000.00` in one currency, words.

A withdrawal tariff is typed as its parts: `1.5 %, at least 0.50, plus 0.25`; what is left out is nothing, and `free` is
all of it left out.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from core.errors import DeskError
from core.money import Money
from core.policy import PerCurrency, Tariff
from core.rules import outside_words

UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400, "week": 604_800}
SPAN = re.compile(r"(\d{1,6}) ?(second|minute|hour|day|week)s?")
TARIFF_PART = re.compile(
    r"(?P<rate>[0-9.]{1,5} ?%)|at least (?P<minimum>[0-9.]{1,12})|plus (?P<fixed>[0-9.]{1,12})"
)
PERCENT = re.compile(r"(\d{1,2})(?:\.(\d{1,2}))? ?%")


class ValueUnreadable(DeskError):
    """“{typed}” cannot be read here. Write it like this: {like}."""


def read(name: str, before: Any, typed: str, currency: str) -> Any:
    """The value of the same kind as `before`. Amounts change in `currency` and stay in every other.

    The rate of a tariff is the same in all of them.
    """
    words = typed.strip().lower()
    match before:
        case bool():
            return _one_of({"yes": True, "no": False}, words, typed)
        case timedelta() | None:
            return _span(words, typed, may_be_none=before is None or name in MAY_BE_NONE)
        case Tariff():
            return _tariff(before, words, typed, currency)
        case PerCurrency():
            return PerCurrency({**before.minor, currency: Money.parse(typed.strip(), currency).minor})
        case int() if name.endswith("_bps"):
            return _percent(words, typed)
        case str():
            return "" if words == "none" else outside_words.line(typed, field="value")
        case int() if words.isascii() and words.isdigit() and len(words) < 6:
            return int(words)
        case int():
            raise ValueUnreadable(typed=typed, like="3")
    raise ValueUnreadable(typed=typed, like="a time, a rate, an amount or a number")


MAY_BE_NONE = frozenset(
    {"first_reminder_after", "reminder_every", "dispute_window", "consultation_grace", "mediation_after"}
)


def _one_of(known: dict[str, bool], words: str, typed: str) -> bool:
    if words not in known:
        raise ValueUnreadable(typed=typed, like="yes or no")
    return known[words]


def _span(words: str, typed: str, *, may_be_none: bool) -> timedelta | None:
    if words == "none" and may_be_none:
        return None
    if words in ("none", "0"):
        return timedelta(0)
    if (found := SPAN.fullmatch(words)) is None:
        raise ValueUnreadable(typed=typed, like="72 hours, or 5 days")
    return timedelta(seconds=int(found[1]) * UNITS[found[2]])


def _tariff(before: Tariff, words: str, typed: str, currency: str) -> Tariff:
    """`1.5 %, at least 0.50, plus 0.25`, each part at most once; `free`."""
    parts: dict[str, str] = {}
    for part in [] if words == "free" else words.split(","):
        found = TARIFF_PART.fullmatch(part.strip())
        if found is None or str(found.lastgroup) in parts:
            raise ValueUnreadable(typed=typed, like="1.5 %, at least 0.50, plus 0.25; or: free")
        parts[str(found.lastgroup)] = str(found[str(found.lastgroup)])
    return Tariff(
        _percent(parts["rate"], typed) if "rate" in parts else 0,
        _in_one(before.minimum, parts.get("minimum", "0"), currency),
        _in_one(before.fixed, parts.get("fixed", "0"), currency),
    )


def _in_one(before: PerCurrency, amount: str, currency: str) -> PerCurrency:
    return PerCurrency({**before.minor, currency: Money.parse(amount, currency).minor})


def _percent(words: str, typed: str) -> int:
    """Hundredths of a percent, exactly."""
    if (found := PERCENT.fullmatch(words)) is None:
        raise ValueUnreadable(typed=typed, like="2.5 %")
    return int(found[1]) * 100 + int((found[2] or "0").ljust(2, "0"))
