"""Free words in a search field, as a pattern for ILIKE."""

from __future__ import annotations


def like(words: str) -> str:
    """Found anywhere; `%`, `_` and the backslash stand for themselves."""
    escaped = words.strip().replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
    return f"%{escaped}%"


def begins(words: str) -> str:
    """Found at the beginning, as a pattern for LIKE: an index can serve it."""
    return like(words)[1:]
