"""Every number has one home: two named profiles, frozen, each line with where it comes from.

A project keeps a snapshot of the profile version it began with, so a change never touches money in flight.
"""

from __future__ import annotations

from core.policy.limits import (
    CARD_RETRIES,
    CARD_RETRY_FACTOR,
    CARD_RETRY_FIRST,
    CONFIRM_WITHIN,
    DEADLINE_NEAR,
    DIGEST_HOUR,
    DIGEST_LONGEST,
    DIGEST_MOST,
    GIVE_UP_AFTER,
    LETTERS_GATHERED_FOR,
    RETRY_FACTOR,
    RETRY_FIRST,
    RETRY_LONGEST,
    REVIEWS_HIDDEN_FOR,
    SESSION_ABSOLUTE,
    SESSION_IDLE,
    STEP_UP_WITHIN,
    TRIES,
)
from core.policy.linter import Level, PolicyContradicts, PolicyFinding, accept, lint
from core.policy.named import HOME_SERVICES, LARGE_FROM, LEGAL_SERVICES, MEDIUM_FROM, PROFILES
from core.policy.profile import (
    OFFERED,
    PerCurrency,
    Platform,
    Profile,
    SnapshotUnreadable,
    Tariff,
    WithdrawalMethod,
)

__all__ = [
    "CARD_RETRIES",
    "CARD_RETRY_FACTOR",
    "CARD_RETRY_FIRST",
    "CONFIRM_WITHIN",
    "DEADLINE_NEAR",
    "DIGEST_HOUR",
    "DIGEST_LONGEST",
    "DIGEST_MOST",
    "GIVE_UP_AFTER",
    "HOME_SERVICES",
    "LARGE_FROM",
    "LEGAL_SERVICES",
    "LETTERS_GATHERED_FOR",
    "MEDIUM_FROM",
    "OFFERED",
    "PROFILES",
    "RETRY_FACTOR",
    "RETRY_FIRST",
    "RETRY_LONGEST",
    "REVIEWS_HIDDEN_FOR",
    "SESSION_ABSOLUTE",
    "SESSION_IDLE",
    "STEP_UP_WITHIN",
    "TRIES",
    "Level",
    "PerCurrency",
    "Platform",
    "PolicyContradicts",
    "PolicyFinding",
    "Profile",
    "SnapshotUnreadable",
    "Tariff",
    "WithdrawalMethod",
    "accept",
    "lint",
]
