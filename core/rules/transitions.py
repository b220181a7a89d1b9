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


def words(name: StrEnum) -> str:
    """IN_MEDIATION → "in mediation"."""
    return name.value.replace("_", " ").lower()


def label(name: StrEnum) -> str:
    """IN_MEDIATION → "In mediation"."""
    return words(name).capitalize()
