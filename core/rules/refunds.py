"""How a refund moves. A refund that succeeded can still fail days later: then the debt to the payer is open again."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from core.rules.transitions import MoveEvent, label, move


class ReturnWay(StrEnum):
    """How a refund that came back is sent from our bank."""

    BANK_TRANSFER = "BANK_TRANSFER"
    CHECK = "CHECK"

    @property
    def label(self) -> str:
        return label(self)


WAYS: Mapping[str, str] = {way: way.label for way in ReturnWay}


class RefundStatus(StrEnum):
    QUEUED = "QUEUED"
    PENDING = "PENDING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELED = "CANCELED"
    CHARGED_BACK = "CHARGED_BACK"
    """The payer's bank took it first."""
    RETURNED = "RETURNED"
    """It came back to us, and was then sent from our bank."""

    @property
    def label(self) -> str:
        return label(self)


class RefundEvent(MoveEvent):
    SEND = "SEND", "it cannot be sent"
    SUCCEED = "SUCCEED", "it cannot succeed"
    FAIL = "FAIL", "it cannot fail"
    CANCEL = "CANCEL", "it cannot be canceled"
    RETRY = "RETRY", "it cannot be retried"
    CHARGE_BACK = "CHARGE_BACK", "it cannot be charged back"
    RETURN = "RETURN", "it cannot be recorded as returned"


QUEUED, PENDING, SUCCEEDED, FAILED, CANCELED, CHARGED_BACK, RETURNED = RefundStatus

MOVES: Mapping[tuple[RefundStatus, RefundEvent], RefundStatus] = {
    (QUEUED, RefundEvent.SEND): PENDING,
    (QUEUED, RefundEvent.SUCCEED): SUCCEEDED,
    (PENDING, RefundEvent.SUCCEED): SUCCEEDED,
    (QUEUED, RefundEvent.FAIL): FAILED,
    (PENDING, RefundEvent.FAIL): FAILED,
    (SUCCEEDED, RefundEvent.FAIL): FAILED,
    # Sent from our bank, and it came back, or never left.
    (RETURNED, RefundEvent.FAIL): FAILED,
    (QUEUED, RefundEvent.CANCEL): CANCELED,
    (PENDING, RefundEvent.CANCEL): CANCELED,
    (FAILED, RefundEvent.RETRY): QUEUED,
    (CANCELED, RefundEvent.RETRY): QUEUED,
    (QUEUED, RefundEvent.CHARGE_BACK): CHARGED_BACK,
    (FAILED, RefundEvent.CHARGE_BACK): CHARGED_BACK,
    (CANCELED, RefundEvent.CHARGE_BACK): CHARGED_BACK,
    # Never sent: it was made by hand at the provider meanwhile.
    (QUEUED, RefundEvent.RETURN): RETURNED,
    (FAILED, RefundEvent.RETURN): RETURNED,
    (CANCELED, RefundEvent.RETURN): RETURNED,
}


def after(status: RefundStatus | str, event: RefundEvent) -> RefundStatus:
    return move("refund", MOVES, RefundStatus(status), event)
