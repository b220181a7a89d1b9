"""How the provider's statement and our ledger compare: the end of a run, and what a break is."""

from __future__ import annotations

from enum import StrEnum


class RunStatus(StrEnum):
    RUNNING = "RUNNING"
    CLEAN = "CLEAN"
    SUSPENSE = "SUSPENSE"
    """All of it is booked, but some of it nobody has explained."""
    BREAKS = "BREAKS"
    FAILED = "FAILED"


class BreakKind(StrEnum):
    NOT_IN_LEDGER = "NOT_IN_LEDGER"
    NOT_AT_PROVIDER = "NOT_AT_PROVIDER"
    AMOUNT_DIFFERS = "AMOUNT_DIFFERS"
    BALANCE_DIFFERS = "BALANCE_DIFFERS"
