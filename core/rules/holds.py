"""What stops a release: open disputes, holds, a chargeback, a severe content event, an unfinished review.

(payment-escrow-rules, Milestone Rules, Release Rules and Risk Controls.) Asked when a release is decided, inside the
releasing transaction, and again when the money is about to be sent.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from core.rules.blocks import Block, Blocked

__all__ = ["Block", "Facts", "HoldKind", "ReleaseBlocked", "blocking", "require_clear"]


class HoldKind(StrEnum):
    MANUAL = "MANUAL"
    RISK = "RISK"
    REPORT = "REPORT"
    HIGH_VALUE = "HIGH_VALUE"


class ReleaseBlocked(Blocked):
    """This cannot be released now. {reasons}"""


@dataclass(frozen=True)
class Facts:
    """`open_tickets`: ids of those that are not resolved; `manual_holds`: why each active hold is there."""

    open_tickets: tuple[int, ...] = ()
    manual_holds: tuple[str, ...] = ()
    chargeback_open: bool = False
    severe_content_event: bool = False
    open_reviews: tuple[str, ...] = ()


def blocking(facts: Facts) -> tuple[Block, ...]:
    """Every reason, not only the first, so that nobody clears one to meet the next."""
    return tuple(_reasons(facts))


def require_clear(facts: Facts) -> None:
    if blocks := blocking(facts):
        raise ReleaseBlocked(blocks)


def _reasons(facts: Facts) -> Iterator[Block]:
    for ticket in facts.open_tickets:
        yield Block("open_ticket", f"Dispute ticket {ticket} is open.")
    for reason in facts.manual_holds:
        yield Block("hold", f"A hold is in place: {reason.rstrip('.')}.")
    if facts.chargeback_open:
        yield Block("chargeback", "The payer's bank has opened a chargeback.")
    if facts.severe_content_event:
        yield Block("severe_content_event", "A severe content event has been reported and is not settled.")
    for review in facts.open_reviews:
        yield Block("review", f"A manual review is open: {review.rstrip('.')}.")
