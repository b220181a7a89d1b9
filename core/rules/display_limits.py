"""What is shown of words from outsiders is bounded, whatever they sent; the whole stays where it is kept.

Letters take any number of marks above and below them, and a browser lays out a million of them as one. A line without
an end, or a text of millions of lines, costs a reader's tab as well.
"""

from __future__ import annotations

import re
import unicodedata

MARKS = 4  # one above the other
LINE = (
    20_000  # characters of one line: whatever passed its own limit when it was sent or typed is shown whole
)
LINES = 5_000
TEXT = 200_000
CUT = "…"
_NOT_PLAIN = re.compile(r"[^\x00-\u02ff]")


def bounded(text: str, *, longest: int = TEXT) -> str:
    """At most `longest` characters in at most 5,000 lines of 20,000, with at most four marks on one letter.

    What was cut ends in `…`; marks beyond the fourth are left out. Ordinary text comes back as it is.
    """
    cut = text[:longest]
    lines = cut.split("\n", LINES)
    if len(lines) > LINES:
        lines[LINES:] = []
        cut = cut[:-1]
    kept = "\n".join(f"{line[:LINE]}{CUT}" if len(line) > LINE else line for line in lines)
    kept = few_marks(kept)
    return kept if len(cut) == len(text) else f"{kept}{CUT}"


def few_marks(text: str) -> str:
    """The text without the fifth and every further mark on one letter."""
    if not _NOT_PLAIN.search(text):
        return text
    kept, row = [], 0
    for each in text:
        row = row + 1 if unicodedata.category(each) in ("Mn", "Me") else 0
        if row <= MARKS:
            kept.append(each)
    return "".join(kept)
