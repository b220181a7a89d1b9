"""Free words in a search field, as a pattern for ILIKE."""

from __future__ import annotations


def like(words: str) -> str:
    """Found anywhere; `%`, `_` and the backslash stand for themselves."""
    escaped = words.strip().replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
    return f"%{escaped}%"
