"""What the sandbox charges and how long things take. Every number can be changed by `POST /_sandbox/terms`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

HOUR = 3600
DAY = 24 * HOUR


@dataclass(frozen=True)
class Terms:
    """`fee_bps` of a charge, half-up, plus `fee_fixed` minor units of its currency. Times are seconds.

    `refund_fee`: `kept` (a refund has fee 0) or `returned` (a negative fee, in proportion). `line_later`: charges have
    no balance transaction until `line_after` has passed, as with asynchronous capture.
    """

    fee_bps: int = 290
    fee_fixed: dict[str, int] = field(default_factory=dict)
    fee_fixed_default: int = 30
    refund_fee: str = "kept"
    dispute_fee: dict[str, int] = field(default_factory=dict)
    dispute_fee_default: int = 1500
    dispute_fee_returned: bool = True
    dispute_days: int = 9
    settle_after: int = 2 * DAY
    line_later: bool = False
    line_after: int = 2
    payout_sent_after: int = HOUR
    payout_paid_after: int = 2 * DAY
    payout_returned_after: int = DAY
    instant_paid_after: int = 30 * 60
    instant_fee_bps: int = 0
    refund_settled_after: int = HOUR
    verified_after: int = 60
    link_expires_after: int = 5 * 60
    debit_after: int = 4 * DAY
    prune_after: int = DAY

    def fee(self, amount: int, currency: str) -> int:
        """What processing a charge costs, in minor units."""
        return half_up(amount * self.fee_bps, 10_000) + self.fee_fixed.get(currency, self.fee_fixed_default)

    def fee_of_dispute(self, currency: str) -> int:
        return self.dispute_fee.get(currency, self.dispute_fee_default)

    @classmethod
    def of(cls, stored: dict[str, Any] | None) -> Terms:
        return cls(**(stored or {}))


def half_up(numerator: int, denominator: int) -> int:
    """Of two whole numbers that are not negative."""
    return (2 * numerator + denominator) // (2 * denominator)
