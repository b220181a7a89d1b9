"""How a withdrawal moves: a transfer to the payee's account at the processor, then a payout to their bank.

A failed payout goes to administrative review, where another method can be offered (milestone-payment-flow, Error
Handling 2). Banks return money days after it was paid: PAID is not final.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from core.errors import DeskError
from core.policy import OFFERED, WithdrawalMethod
from core.rules.transitions import MoveEvent, label, move


class MethodNotSent(DeskError):
    """Stripe pays out to a bank account only, standard or instant, so nothing can be sent by {method}. Choose one of
    these two."""


def require_sent(method: WithdrawalMethod) -> None:
    """Nothing is offered or chosen that nobody carries out. Raises `MethodNotSent`."""
    if method not in OFFERED:
        raise MethodNotSent(method=method.value)


class PayoutStatus(StrEnum):
    REQUESTED = "REQUESTED"
    SENDING = "SENDING"
    TRANSFERRED = "TRANSFERRED"
    IN_TRANSIT = "IN_TRANSIT"
    PAID = "PAID"
    FAILED = "FAILED"
    ADMINISTRATIVE_REVIEW = "ADMINISTRATIVE_REVIEW"
    CANCELED = "CANCELED"

    @property
    def label(self) -> str:
        return label(self)


class PayoutEvent(MoveEvent):
    SEND = "SEND", "it cannot be sent"
    BLOCK = "BLOCK", "it cannot be blocked"
    TRANSFER = "TRANSFER", "it cannot be transferred"
    PAY_OUT = "PAY_OUT", "it cannot be paid out"
    PAY = "PAY", "it cannot be recorded as paid"
    FAIL = "FAIL", "it cannot fail"
    REVIEW = "REVIEW", "it cannot be moved to administrative review"
    RETRY = "RETRY", "it cannot be retried"
    CANCEL = "CANCEL", "it cannot be canceled"


REQUESTED, SENDING, TRANSFERRED, IN_TRANSIT, PAID, FAILED, ADMINISTRATIVE_REVIEW, CANCELED = PayoutStatus

MOVES: Mapping[tuple[PayoutStatus, PayoutEvent], PayoutStatus] = {
    (REQUESTED, PayoutEvent.SEND): SENDING,
    (SENDING, PayoutEvent.TRANSFER): TRANSFERRED,
    (TRANSFERRED, PayoutEvent.PAY_OUT): IN_TRANSIT,
    (IN_TRANSIT, PayoutEvent.PAY): PAID,
    # A hold or a dispute came between the request and the dispatch.
    (SENDING, PayoutEvent.BLOCK): REQUESTED,
    # News of the processor arrive in any order.
    (TRANSFERRED, PayoutEvent.PAY): PAID,
    (SENDING, PayoutEvent.FAIL): FAILED,
    (TRANSFERRED, PayoutEvent.FAIL): FAILED,
    (IN_TRANSIT, PayoutEvent.FAIL): FAILED,
    (PAID, PayoutEvent.FAIL): FAILED,
    (SENDING, PayoutEvent.REVIEW): ADMINISTRATIVE_REVIEW,
    (FAILED, PayoutEvent.REVIEW): ADMINISTRATIVE_REVIEW,
    # From review: send again, or, when the transfer had arrived, only pay out again by another method.
    (ADMINISTRATIVE_REVIEW, PayoutEvent.RETRY): REQUESTED,
    (ADMINISTRATIVE_REVIEW, PayoutEvent.TRANSFER): TRANSFERRED,
    (ADMINISTRATIVE_REVIEW, PayoutEvent.PAY): PAID,
    (ADMINISTRATIVE_REVIEW, PayoutEvent.CANCEL): CANCELED,
    (REQUESTED, PayoutEvent.CANCEL): CANCELED,
    # The transfer was reversed after a lost chargeback, before the payout.
    (TRANSFERRED, PayoutEvent.CANCEL): CANCELED,
}


class PayoutOfferStatus(StrEnum):
    """Other methods, offered to a payee whose payout failed."""

    OPEN = "OPEN"
    CHOSEN = "CHOSEN"
    OVERTAKEN = "OVERTAKEN"
    """The payout left review before the payee chose."""
    WITHDRAWN = "WITHDRAWN"


class NotPaid(StrEnum):
    """How a payout came to need a person: `CAME_BACK` from the payee's bank, `REFUSED` before anything was sent, or
    `UNKNOWN`, where it may have been sent."""

    CAME_BACK = "CAME_BACK"
    REFUSED = "REFUSED"
    UNKNOWN = "UNKNOWN"


def after(status: PayoutStatus | str, event: PayoutEvent) -> PayoutStatus:
    return move("payout", MOVES, PayoutStatus(status), event)
