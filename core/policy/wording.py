"""A value of the policy as everybody reads it: on the policy page, on a case, in the linter and at the API."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from core.money import Money, percent
from core.policy.profile import PerCurrency, Tariff


def exact_span(length: timedelta) -> str:
    """`5 days`, `72 hours`, `90 minutes`: nothing is left over, and three days and less are told in hours."""
    seconds = length // timedelta(seconds=1)
    units = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))
    few = seconds <= 72 * 3_600
    size, unit = next(each for each in units if seconds % each[0] == 0 and not (few and each[1] == "day"))
    count = seconds // size
    return f"{count:,} {unit}{'' if count == 1 else 's'}"


def in_words(name: str, value: Any, currency: str) -> str:
    """`2.5 %`, `$0.30`, `5 days`, `1.5 %, at least $0.50`, `Yes`, `None`; amounts in `currency`."""
    match value:
        case None:
            return "None"
        case "":
            return "Not set"
        case bool():
            return "Yes" if value else "No"
        case timedelta():
            return exact_span(value) if value else "None"
        case PerCurrency():
            return value.of(currency).text()
        case Tariff():
            return _tariff(value, currency)
        case int() if name.endswith("_bps"):
            return percent(value)
    return f"{value:,}" if isinstance(value, int) else str(value)


def _tariff(tariff: Tariff, currency: str) -> str:
    minimum, fixed = tariff.minimum.of(currency), tariff.fixed.of(currency)
    parts = [percent(tariff.bps)] if tariff.bps else []
    parts += [f"at least {minimum.text()}"] if minimum.minor else []
    parts += [("plus " if parts else "") + fixed.text()] if fixed.minor else []
    return ", ".join(parts) or f"Free ({Money.zero(currency).text()})"
