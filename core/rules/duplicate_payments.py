"""A payment for what was already funded: how it goes back to the payer."""

from __future__ import annotations

from enum import StrEnum


class DuplicateStatus(StrEnum):
    RETURNING = "RETURNING"
    RETURNED = "RETURNED"
    FAILED = "FAILED"
    CHARGED_BACK = "CHARGED_BACK"
    """The payer's bank took it first."""
