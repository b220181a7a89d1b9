"""Client funds are covered: what Stripe itself holds is at least what is owed to others, in each currency.

The ledger cannot say so, because it would repeat itself: only Stripe's own balance counts, and only as of when it was
read. A look that is too old, or that failed, is no cover (payment-escrow-rules, Core Objectives 1; internal policy).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.money import Money
from core.policy.limits import CLIENT_FUNDS_STALE_AFTER
from core.rules.refusal_reasons import Block


class Cover(StrEnum):
    COVERED = "COVERED"
    SHORT = "SHORT"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, kw_only=True)
class Look:
    """One look at Stripe. `on_its_way` was asked for and not answered yet, so it may have left already. `available` of
    what is at Stripe can be sent now; None where only the whole was read."""

    at: datetime
    at_stripe: Money
    owed: Money
    on_its_way: Money
    available: Money | None = None

    @property
    def short(self) -> Money:
        """What is missing for certain; zero where nothing is."""
        missing = self.owed - self.on_its_way - self.at_stripe
        return missing if missing.is_positive else Money.zero(missing.currency)


def cover(look: Look | None, *, now: datetime) -> Cover:
    """What can be said now. A shortage that was seen stays one until a look sees otherwise, however old it is."""
    if look is None:
        return Cover.UNKNOWN
    if look.short.is_positive:
        return Cover.SHORT
    return Cover.UNKNOWN if now - look.at > CLIENT_FUNDS_STALE_AFTER else Cover.COVERED


def stopped(currency: str) -> Block:
    """Why a transfer to a payee waits."""
    return Block(
        "client_funds_short",
        f"Payouts in {currency} have stopped: Stripe held less than is owed to others, and nobody has looked yet.",
    )


def stops(short: Money, *, accepted: Money) -> bool:
    """Whether payouts stop: more is missing than what a person has looked at and let pass."""
    return short > accepted
