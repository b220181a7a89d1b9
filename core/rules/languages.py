"""The languages in which parties are written to: those in which every letter exists."""

from __future__ import annotations

from enum import StrEnum


class Language(StrEnum):
    ENGLISH = "en"


def written(value: str) -> str:
    """Raises `ValueError`, with what the marketplace reads, for a language in which no letter exists."""
    if value not in set(Language):
        raise ValueError("the desk writes in English only; nothing was changed")
    return value
