"""How a status moves: only through a table of (status, event) → status. What is not in the table is refused."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from core.errors import DeskError

S = TypeVar("S", bound=StrEnum)
E = TypeVar("E", bound=StrEnum)


class IllegalMove(DeskError):
    """This {kind} is {status}, so it cannot {event}."""


def move(kind: str, table: Mapping[tuple[S, E], S], status: S, event: E) -> S:
    try:
        return table[status, event]
    except KeyError:
        raise IllegalMove(kind=kind, status=words(status), event=words(event)) from None


def check(kind: str, table: Mapping[tuple[S, E], S], before: S, after: S) -> S:
    """For news from outside, which tell the new status and not the event: is there any move that leads there?"""
    if after not in {to for (status, _), to in table.items() if status == before}:
        raise IllegalMove(kind=kind, status=words(before), event=f"become {words(after)}")
    return after


def words(name: StrEnum) -> str:
    """IN_MEDIATION → "in mediation"."""
    return name.value.replace("_", " ").lower()


def label(name: StrEnum) -> str:
    """IN_MEDIATION → "In mediation"."""
    return words(name).capitalize()
