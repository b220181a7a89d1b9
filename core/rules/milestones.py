"""The workflow of a milestone, from plan to completion, and the only moves it may make.

(milestone-payment-flow, Milestone Payment Sequence.) Where the money is, is another axis: `payment_states`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from core.rules.transitions import MoveEvent, label, move


class Status(StrEnum):
    PLANNED = "PLANNED"
    AWAITING_FUNDING = "AWAITING_FUNDING"
    FUNDED = "FUNDED"
    PENDING_VERIFICATION = "PENDING_VERIFICATION"
    DISPUTED = "DISPUTED"
    IN_MEDIATION = "IN_MEDIATION"
    VERIFIED = "VERIFIED"
    COMPLETED = "COMPLETED"
    REFUNDED = "REFUNDED"
    CANCELED = "CANCELED"

    @property
    def label(self) -> str:
        return label(self)


class Event(MoveEvent):
    ACTIVATE = "ACTIVATE", "it cannot be opened for funding"
    FUND = "FUND", "it cannot be funded"
    SUBMIT = "SUBMIT", "it cannot be marked as complete"
    APPROVE = "APPROVE", "it cannot be approved"
    DISPUTE = "DISPUTE", "it cannot be disputed"
    OPEN_CASE = "OPEN_CASE", "no case can be opened about it"
    RESUBMIT = "RESUBMIT", "it cannot be resubmitted"
    WITHDRAW = "WITHDRAW", "a dispute about it cannot be withdrawn"
    RESUME = "RESUME", "a dispute about it cannot be withdrawn"
    MEDIATE = "MEDIATE", "mediation cannot be requested"
    DECIDE_RELEASE = "DECIDE_RELEASE", "a decision cannot release its money"
    DECIDE_REFUND = "DECIDE_REFUND", "a decision cannot refund its money"
    AGREE_RELEASE = "AGREE_RELEASE", "the parties cannot agree to release its money"
    AGREE_REFUND = "AGREE_REFUND", "the parties cannot agree to refund its money"
    LOSE_CHARGEBACK = "LOSE_CHARGEBACK", "a lost chargeback cannot refund it"
    COMPLETE = "COMPLETE", "it cannot be completed"
    CANCEL = "CANCEL", "it cannot be canceled"


class Outcome(StrEnum):
    """How a completed milestone ended: all of it released, or split between release and refund."""

    RELEASED = "RELEASED"
    SPLIT = "SPLIT"


MOVES: Mapping[tuple[Status, Event], Status] = {
    (Status.PLANNED, Event.ACTIVATE): Status.AWAITING_FUNDING,
    (Status.AWAITING_FUNDING, Event.FUND): Status.FUNDED,
    (Status.FUNDED, Event.SUBMIT): Status.PENDING_VERIFICATION,
    (Status.PENDING_VERIFICATION, Event.APPROVE): Status.VERIFIED,
    (Status.VERIFIED, Event.COMPLETE): Status.COMPLETED,
    # A no-show never submits: without a dispute from FUNDED the payer could not get the money back.
    (Status.FUNDED, Event.DISPUTE): Status.DISPUTED,
    (Status.PENDING_VERIFICATION, Event.DISPUTE): Status.DISPUTED,
    # Staff opens a case as long as all of the money is still held, even when it was approved (a late complaint).
    (Status.FUNDED, Event.OPEN_CASE): Status.DISPUTED,
    (Status.PENDING_VERIFICATION, Event.OPEN_CASE): Status.DISPUTED,
    (Status.VERIFIED, Event.OPEN_CASE): Status.DISPUTED,
    (Status.DISPUTED, Event.RESUBMIT): Status.PENDING_VERIFICATION,
    # The complaint is withdrawn: back to where it began, with work submitted or not yet.
    (Status.DISPUTED, Event.WITHDRAW): Status.PENDING_VERIFICATION,
    (Status.DISPUTED, Event.RESUME): Status.FUNDED,
    (Status.DISPUTED, Event.MEDIATE): Status.IN_MEDIATION,
    (Status.IN_MEDIATION, Event.DECIDE_RELEASE): Status.VERIFIED,
    (Status.IN_MEDIATION, Event.DECIDE_REFUND): Status.REFUNDED,
    # The parties agree on a division themselves, with a mediator or before there is one.
    (Status.DISPUTED, Event.AGREE_RELEASE): Status.VERIFIED,
    (Status.DISPUTED, Event.AGREE_REFUND): Status.REFUNDED,
    (Status.IN_MEDIATION, Event.AGREE_RELEASE): Status.VERIFIED,
    (Status.IN_MEDIATION, Event.AGREE_REFUND): Status.REFUNDED,
    # The bank gave the held money back to the payer; after a release the payee owes it instead.
    (Status.FUNDED, Event.LOSE_CHARGEBACK): Status.REFUNDED,
    (Status.PENDING_VERIFICATION, Event.LOSE_CHARGEBACK): Status.REFUNDED,
    (Status.DISPUTED, Event.LOSE_CHARGEBACK): Status.REFUNDED,
    (Status.IN_MEDIATION, Event.LOSE_CHARGEBACK): Status.REFUNDED,
    (Status.VERIFIED, Event.LOSE_CHARGEBACK): Status.REFUNDED,
    (Status.PLANNED, Event.CANCEL): Status.CANCELED,
    (Status.AWAITING_FUNDING, Event.CANCEL): Status.CANCELED,
}

FINAL = frozenset({Status.COMPLETED, Status.REFUNDED, Status.CANCELED})


def after(status: Status | str, event: Event) -> Status:
    """The status that follows; `IllegalMove` when the table has none."""
    return move("milestone", MOVES, Status(status), event)
