"""How a charge stands with the payer's bank: asked of the provider, waiting for the payer, processing, and its end.

A card is answered at once, unless its bank asks the payer (3-D Secure): then the payer confirms within a time, or the
charge is called off. A debit of a bank account is answered days later. Until the money is there nothing is held, and
the milestone is not funded.
"""

from __future__ import annotations

from enum import StrEnum

from core.rules.transitions import label


class ChargeStatus(StrEnum):
    SENDING = "SENDING"
    """Asked of the provider, or about to be."""
    REQUIRES_ACTION = "REQUIRES_ACTION"
    """The payer's bank wants them to confirm it."""
    PROCESSING = "PROCESSING"
    """The bank that is debited answers days later."""
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"

    @property
    def label(self) -> str:
        return label(self)


OPEN = frozenset({ChargeStatus.SENDING, ChargeStatus.REQUIRES_ACTION, ChargeStatus.PROCESSING})
# The payer was away, and their bank wants to ask them.
AUTHENTICATION_REQUIRED = "authentication_required"
# Ours: the payer was asked and did not confirm in time, or called it off.
NOT_CONFIRMED = "not_confirmed"
