"""When a declined card is tried again by itself, and when not (milestone-payment-flow, Error Handling 1).

A debit that its bank returned is never: each return costs the payer a fee, and may end their agreement to debits.

Only for what time may heal. A card that is lost, stolen, expired or wanted by its bank, a payment that the payer must
confirm, and every word that is not known here, wait for the payer.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from core.policy import CARD_RETRIES, CARD_RETRY_FACTOR, CARD_RETRY_FIRST

# The processor's own words.
SOFT = frozenset(
    {
        "approve_with_id",
        "card_velocity_exceeded",
        "do_not_honor",
        "generic_decline",
        "insufficient_funds",
        "issuer_not_available",
        "processing_error",
        "reenter_transaction",
        "try_again_later",
        "withdrawal_count_limit_exceeded",
    }
)


def delay(retries: int) -> timedelta:
    """How long after a decline, when `retries` automatic tries were made before it: 2 h, 6 h, 18 h, 54 h."""
    growth: int = CARD_RETRY_FACTOR**retries
    return CARD_RETRY_FIRST * growth


def next_retry(code: str | None, retries: int, now: datetime, *, by_card: bool = True) -> datetime | None:
    """When to try again; None: only the payer can."""
    if not by_card:
        return None
    return now + delay(retries) if code in SOFT and retries < CARD_RETRIES else None
