"""Disputes: who is heard until when, and how a case moves.

A dispute must be opened within 5 days of the completion notice, inclusive (milestone-payment-flow, Key Business
Rules 3). A later complaint opens no dispute: it asks staff for a hold. An open case blocks the release.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from core.errors import DeskError, Wording
from core.policy import Profile
from core.rules.transitions import MoveEvent, label, move


class CaseStatus(StrEnum):
    OPEN = "OPEN"
    UNDER_REVIEW = "UNDER_REVIEW"
    WAITING_PARTY = "WAITING_PARTY"
    RESOLVED = "RESOLVED"
    WITHDRAWN = "WITHDRAWN"

    @property
    def label(self) -> str:
        return label(self)


OPEN, UNDER_REVIEW, WAITING_PARTY, RESOLVED, WITHDRAWN = CaseStatus

# (payment-escrow-rules, Milestone Rules)
BLOCKING = frozenset({OPEN, UNDER_REVIEW, WAITING_PARTY})


class CaseEvent(MoveEvent):
    REVIEW = "REVIEW", "it cannot be taken into review"
    ASK_PARTY = "ASK_PARTY", "nothing can be requested of a party"
    PARTY_ANSWERS = "PARTY_ANSWERS", "no party can answer it"
    RESOLVE = "RESOLVE", "it cannot be resolved"
    WITHDRAW = "WITHDRAW", "it cannot be withdrawn"


class DisputeReason(StrEnum):
    NOT_STARTED = "NOT_STARTED"
    NO_SHOW = "NO_SHOW"
    INCOMPLETE = "INCOMPLETE"
    DEFECTIVE = "DEFECTIVE"
    NOT_AS_AGREED = "NOT_AS_AGREED"
    DAMAGE = "DAMAGE"
    OTHER = "OTHER"
    # Not for the payer to give: the payee had no answer, or staff opened the case.
    NO_ANSWER = "NO_ANSWER"
    OPENED_BY_STAFF = "OPENED_BY_STAFF"

    @property
    def label(self) -> str:
        return label(self)


class CaseResolution(StrEnum):
    """How a case ended: as it was decided, agreed or withdrawn, by work done again, by the bank, or, of a correction,
    by what was found."""

    FULL_RELEASE = "FULL_RELEASE"
    PARTIAL_RELEASE = "PARTIAL_RELEASE"
    FULL_REFUND = "FULL_REFUND"
    AGREED = "AGREED"
    REWORKED = "REWORKED"
    WITHDRAWN = "WITHDRAWN"
    CHARGEBACK_LOST = "CHARGEBACK_LOST"
    CORRECTED = "CORRECTED"
    UPHELD = "UPHELD"


OF_THE_PAYER = frozenset(DisputeReason) - {DisputeReason.NO_ANSWER, DisputeReason.OPENED_BY_STAFF}

MOVES: Mapping[tuple[CaseStatus, CaseEvent], CaseStatus] = {
    (OPEN, CaseEvent.REVIEW): UNDER_REVIEW,
    (WAITING_PARTY, CaseEvent.REVIEW): UNDER_REVIEW,
    (OPEN, CaseEvent.ASK_PARTY): WAITING_PARTY,
    (UNDER_REVIEW, CaseEvent.ASK_PARTY): WAITING_PARTY,
    (WAITING_PARTY, CaseEvent.PARTY_ANSWERS): UNDER_REVIEW,
    **{(status, CaseEvent.RESOLVE): RESOLVED for status in BLOCKING},
    **{(status, CaseEvent.WITHDRAW): WITHDRAWN for status in BLOCKING},
}


class DisputeWindowClosed(DeskError):
    """The time to dispute ended on {until:%d %B %Y at %H:%M} UTC. Ask staff for a hold instead."""


class ReasonNotYours(DeskError):
    """“{given}” is not a reason for a payer to open a dispute."""


class AnswerNotDue(DeskError):
    """The payer has until {until:%d %B %Y at %H:%M} UTC to answer. A mediator can be asked for after that."""


class NotAllHeld(DeskError):
    """No case can be opened about this milestone now: its money is not, or no longer, held as a whole."""


def after(status: CaseStatus | str, event: CaseEvent) -> CaseStatus:
    return move("case", MOVES, CaseStatus(status), event)


def blocks_release(status: CaseStatus | str) -> bool:
    return CaseStatus(status) in BLOCKING


def check_window(notice_at: datetime, now: datetime, profile: Profile) -> None:
    """In time until the last instant of the window, inclusive. Without a window: until release."""
    if profile.dispute_window is not None and now > notice_at + profile.dispute_window:
        raise DisputeWindowClosed(until=notice_at + profile.dispute_window)


def too_late(notice_at: datetime, now: datetime, profile: Profile) -> bool:
    """Is a complaint now a request for a hold instead of a dispute?"""
    return profile.dispute_window is not None and now > notice_at + profile.dispute_window


def check_reason(reason: DisputeReason) -> None:
    if reason not in OF_THE_PAYER:
        raise ReasonNotYours(given=Wording(reason.label, reason))


def check_unanswered(answer_due_at: datetime | None, now: datetime) -> None:
    """Work that was submitted and is neither approved nor disputed is the payee's to take further, once the time to
    answer is over: from its last instant on. Raises `AnswerNotDue`."""
    if answer_due_at is not None and now < answer_due_at:
        raise AnswerNotDue(until=answer_due_at)


def check_all_held(*, held: int, elsewhere: int) -> None:
    """Staff opens a case while money is held and none of it was given to either side (minor units). What the bank has
    reversed is gone from both. Raises `NotAllHeld`."""
    if held <= 0 or elsewhere:
        raise NotAllHeld()
