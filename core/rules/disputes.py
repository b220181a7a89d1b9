"""Disputes: who is heard until when, and how a ticket moves.

A dispute must be opened within 5 days of the completion notice, inclusive (milestone-payment-flow, Key Business
Rules 3). A later complaint opens no dispute: it asks staff for a hold. An open ticket blocks the release.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from core.errors import DeskError
from core.policy import Profile
from core.rules.moves import label, move


class TicketStatus(StrEnum):
    OPEN = "OPEN"
    UNDER_REVIEW = "UNDER_REVIEW"
    WAITING_PARTY = "WAITING_PARTY"
    RESOLVED = "RESOLVED"
    WITHDRAWN = "WITHDRAWN"

    @property
    def label(self) -> str:
        return label(self)


OPEN, UNDER_REVIEW, WAITING_PARTY, RESOLVED, WITHDRAWN = TicketStatus

# (payment-escrow-rules, Milestone Rules)
BLOCKING = frozenset({OPEN, UNDER_REVIEW, WAITING_PARTY})


class TicketEvent(StrEnum):
    REVIEW = "REVIEW"
    ASK_PARTY = "ASK_PARTY"
    PARTY_ANSWERS = "PARTY_ANSWERS"
    RESOLVE = "RESOLVE"
    WITHDRAW = "WITHDRAW"


class DisputeReason(StrEnum):
    NOT_STARTED = "NOT_STARTED"
    NO_SHOW = "NO_SHOW"
    INCOMPLETE = "INCOMPLETE"
    DEFECTIVE = "DEFECTIVE"
    NOT_AS_AGREED = "NOT_AS_AGREED"
    DAMAGE = "DAMAGE"
    OTHER = "OTHER"

    @property
    def label(self) -> str:
        return label(self)


MOVES: Mapping[tuple[TicketStatus, TicketEvent], TicketStatus] = {
    (OPEN, TicketEvent.REVIEW): UNDER_REVIEW,
    (WAITING_PARTY, TicketEvent.REVIEW): UNDER_REVIEW,
    (OPEN, TicketEvent.ASK_PARTY): WAITING_PARTY,
    (UNDER_REVIEW, TicketEvent.ASK_PARTY): WAITING_PARTY,
    (WAITING_PARTY, TicketEvent.PARTY_ANSWERS): UNDER_REVIEW,
    **{(status, TicketEvent.RESOLVE): RESOLVED for status in BLOCKING},
    **{(status, TicketEvent.WITHDRAW): WITHDRAWN for status in BLOCKING},
}


class DisputeWindowClosed(DeskError):
    """The time to dispute ended on {until:%d %B %Y at %H:%M} UTC. Ask staff for a hold instead."""


def after(status: TicketStatus | str, event: TicketEvent) -> TicketStatus:
    return move("ticket", MOVES, TicketStatus(status), event)


def blocks_release(status: TicketStatus | str) -> bool:
    return TicketStatus(status) in BLOCKING


def check_window(notice_at: datetime, now: datetime, profile: Profile) -> None:
    """In time until the last instant of the window, inclusive. Without a window: until release."""
    if profile.dispute_window is not None and now > notice_at + profile.dispute_window:
        raise DisputeWindowClosed(until=notice_at + profile.dispute_window)


def too_late(notice_at: datetime, now: datetime, profile: Profile) -> bool:
    """Is a complaint now a request for a hold instead of a dispute?"""
    return profile.dispute_window is not None and now > notice_at + profile.dispute_window
