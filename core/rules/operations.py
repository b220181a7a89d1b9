"""What the desk asks of the provider, and how such a call stands."""

from __future__ import annotations

from enum import StrEnum


class OperationKind(StrEnum):
    CHARGE = "CHARGE"
    REFUND = "REFUND"
    TRANSFER = "TRANSFER"
    PAYOUT = "PAYOUT"
    REVERSAL = "REVERSAL"
    """All or part of a transfer is reversed."""
    EVIDENCE = "EVIDENCE"
    """An answer to the bank about a chargeback."""
    ACCEPTANCE = "ACCEPTANCE"
    """A chargeback is accepted, for good."""


class OperationStatus(StrEnum):
    QUEUED = "QUEUED"
    SENDING = "SENDING"
    SUCCEEDED = "SUCCEEDED"
    REFUSED = "REFUSED"
    """The provider said no, definitively."""
    BLOCKED = "BLOCKED"
    """Something else must end first."""
    REVIEW = "REVIEW"
    """A person must look: sending it again could do harm."""
    CANCELED = "CANCELED"


class OperationView(StrEnum):
    """How an operation is shown, where its stored status does not say it."""

    SENT = "SENT"
    """Stripe has it; the desk waits for how it ends."""


ENDED = frozenset(
    {OperationStatus.SUCCEEDED, OperationStatus.REFUSED, OperationStatus.REVIEW, OperationStatus.CANCELED}
)
