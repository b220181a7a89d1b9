"""What stops a release: open disputes, holds, a chargeback, a severe content event, an unfinished review.

(payment-escrow-rules, Milestone Rules, Release Rules and Risk Controls.) Asked when a release is decided, inside the
releasing transaction, and again when the money is about to be sent.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from core.rules.blocks import Block, Blocked


class HoldKind(StrEnum):
    MANUAL = "MANUAL"
    RISK = "RISK"
    REPORT = "REPORT"
    HIGH_VALUE = "HIGH_VALUE"


class ReleaseBlocked(Blocked):
    """This cannot be released now. {reasons}"""


@dataclass(frozen=True)
class OpenTicket:
    id: int
    status: str


@dataclass(frozen=True)
class ActiveHold:
    id: int
    kind: str
    reason: str


@dataclass(frozen=True)
class Facts:
    """`open_tickets`: those OPEN, UNDER_REVIEW or WAITING_PARTY; `manual_holds`: every hold not yet released."""

    open_tickets: tuple[OpenTicket, ...] = ()
    manual_holds: tuple[ActiveHold, ...] = ()
    chargeback_open: bool = False
    severe_content_event: bool = False
    open_reviews: tuple[str, ...] = ()


def blocking(facts: Facts) -> tuple[Block, ...]:
    """Every reason, not only the first, so that nobody clears one to meet the next."""
    return tuple(_reasons(facts))


def require_clear(facts: Facts) -> None:
    if blocks := blocking(facts):
        raise ReleaseBlocked(blocks)


def without_ticket(facts: Facts, ticket_id: int) -> Facts:
    """The facts as they are once this ticket is resolved: a decision resolves the ticket that it decides."""
    others = tuple(ticket for ticket in facts.open_tickets if ticket.id != ticket_id)
    return Facts(
        others, facts.manual_holds, facts.chargeback_open, facts.severe_content_event, facts.open_reviews
    )


def _reasons(facts: Facts) -> Iterator[Block]:
    for ticket in facts.open_tickets:
        state = ticket.status.replace("_", " ").lower()
        yield Block("open_ticket", f"Dispute ticket {ticket.id} is {state}.")
    for hold in facts.manual_holds:
        yield Block("hold", f"Hold {hold.id} is in place: {hold.reason.rstrip('.')}.")
    if facts.chargeback_open:
        yield Block("chargeback", "The payer's bank has opened a chargeback.")
    if facts.severe_content_event:
        yield Block("severe_content_event", "A severe content event has been reported and is not settled.")
    for review in facts.open_reviews:
        yield Block("review", f"A manual review is open: {review.rstrip('.')}.")
