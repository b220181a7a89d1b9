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


class RunView(StrEnum):
    """What is said of a run, or of all of them, where no stored status says it."""

    BROKEN_OFF = "BROKEN_OFF"
    """The process was stopped before the run was over."""
    EMPTY = "EMPTY"
    """The statement had no line."""
    NOT_COUNTED = "NOT_COUNTED"
    """From before money in suspense was counted."""
    NEVER = "NEVER"
    """Nothing was ever compared."""
    OLD = "OLD"
    """The last comparison says nothing of today."""


class StripeBook(StrEnum):
    """A list of Stripe's that is read for every account."""

    LINES = "LINES"
    """Balance transactions."""
    PAYOUTS = "PAYOUTS"


class BreakKind(StrEnum):
    NOT_IN_LEDGER = "NOT_IN_LEDGER"
    NOT_AT_PROVIDER = "NOT_AT_PROVIDER"
    AMOUNT_DIFFERS = "AMOUNT_DIFFERS"
    BALANCE_DIFFERS = "BALANCE_DIFFERS"
    IN_SUSPENSE = "IN_SUSPENSE"
    """Booked to suspense, and not explained: no break of a run, but open until it is."""
