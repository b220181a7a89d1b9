"""A value of the policy as everybody reads it: on the policy page, on a case, in the linter and at the API."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from core.clock import exact_span
from core.money import Money, percent
from core.policy.profile import PerCurrency, Tariff


def in_words(name: str, value: Any, currency: str) -> str:
    """`2.5 %`, `$0.30`, `5 days`, `1.5 %, at least $0.50`, `Yes`, `None`; amounts in `currency`."""
    match value:
        case None:
            return "None"
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
