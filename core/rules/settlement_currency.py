"""Whether the platform's account settles in a currency: how that is known."""

from __future__ import annotations

from enum import StrEnum


class KnownFrom(StrEnum):
    STRIPE = "STRIPE"
    LINE = "LINE"
    """A converted charge's line on the statement."""
    PERSON = "PERSON"
