"""Saving a payer's payment method for charges while they are away: their bank asks them now rather than then."""

from __future__ import annotations

from enum import StrEnum

from core.rules.transitions import label


class SetupStatus(StrEnum):
    OPEN = "OPEN"
    """The payer has not given a payment method yet, or their bank is asking them."""
    SAVED = "SAVED"
    FAILED = "FAILED"
    """Their bank refused; they can try again with another one."""

    @property
    def label(self) -> str:
        return label(self)
