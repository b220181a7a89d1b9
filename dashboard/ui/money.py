"""Money on screen: always text, made from whole minor units, so that no float ever touches it."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.money import Money, shown_order
from dashboard.ui.safe import html
from dashboard.ui.status import Tone


def text(amount: Money | None) -> str:
    """`$1,043.56`; an em dash for an amount that does not exist."""
    return "—" if amount is None else amount.text()


def signed(amount: Money) -> str:
    """`+$5.00`, `−$5.00`: for changes, where the sign is the news."""
    return f"+{amount.text()}" if amount.minor > 0 else amount.text()


def tone(amount: Money) -> Tone:
    """Red below zero, else grey: most amounts say nothing good or bad."""
    return "bad" if amount.minor < 0 else "quiet"


def sums(amounts: Sequence[Money]) -> str:
    """Totals per currency in one line, in the order of currencies: `$1,200.00 · €80.00`."""
    totals: dict[str, Money] = {}
    for amount in amounts:
        totals[amount.currency] = totals.get(amount.currency, Money.zero(amount.currency)) + amount
    return (
        " · ".join(total.text() for _, total in sorted(totals.items(), key=lambda each: shown_order(each[0])))
        or "—"
    )


def split(parts: Sequence[tuple[str, Money, Tone]], *, caption: str = "") -> None:
    """How a sum is divided: one bar, its parts to scale, with label and amount under each.

    Parts of zero keep their label and lose their bar. The parts share a currency and are not negative.
    """
    whole = sum(amount.minor for _, amount, _ in parts)
    bars = "".join(
        f'<i class="ed-{tone}" style="flex:{amount.minor}"></i>'
        for _, amount, tone in parts
        if whole and amount.minor
    )
    keys = "".join(
        f'<div><i class="ed-{tone}"></i><span>{html(label)}</span><b>{html(amount.text())}</b></div>'
        for label, amount, tone in parts
    )
    foot = f'<p class="ed-foot">{html(caption)}</p>' if caption else ""
    st.html(
        f'<div class="ed-split"><div class="ed-bar">{bars}</div><div class="ed-keys">{keys}</div>{foot}</div>'
    )
