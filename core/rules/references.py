"""The letters before a number, by what it numbers: on screen, in letters, in files and in searches (internal policy).

A prefix means one thing. The series of documents (`core.rules.documents`) go to parties, and none of these is one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

ReferenceKind = Literal[
    "bank statement", "break", "case", "chargeback", "hold", "journal", "letter", "manual journal", "milestone",
    "payout", "project",
    "report", "risk review", "run", "suspense",
]  # fmt: skip
PREFIXES: Mapping[ReferenceKind, str] = {
    "bank statement": "BS",
    "break": "B",
    "case": "D",
    "chargeback": "CB",
    "hold": "H",
    "journal": "J",
    "letter": "L",
    "manual journal": "MJ",
    "milestone": "M",
    "payout": "W",
    "project": "P",
    "report": "RP",
    "risk review": "V",
    "run": "RC",
    "suspense": "S",
}


def reference(kind: ReferenceKind, number: int) -> str:
    """`D-42` for case 42."""
    return f"{PREFIXES[kind]}-{number}"


def number_in(kind: ReferenceKind, words: str) -> int | None:
    """`D-42`, `d42` and `42` as 42; None for anything else, also for another kind's number."""
    return whole(words.strip().upper().removeprefix(PREFIXES[kind]).removeprefix("-"))


def whole(words: object) -> int | None:
    """A whole number that an id can be, as an address, a form or a person writes it; None for anything else."""
    digits = str(words)
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 19 else None
