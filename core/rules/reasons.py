"""The reason that a person gives for what they do: one check, wherever one is asked for."""

from __future__ import annotations

from core.errors import ReasonMissing, ReasonTooLong
from core.rules.visible_text import says_something

LONGEST = 10_000  # characters, as in a message


def given(reason: str) -> str:
    """The reason as it is kept, without blanks around it. Raises `ReasonMissing`, `ReasonTooLong`."""
    if not says_something(reason):
        raise ReasonMissing()
    if len(kept := reason.strip()) > LONGEST:
        raise ReasonTooLong(most=LONGEST, length=len(kept))
    return kept
