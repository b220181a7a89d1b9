"""How a status moves: only through a table of (status, event) → status. What is not in the table is refused."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Self, TypeVar

from core.errors import DeskError, Wording


class MoveEvent(StrEnum):
    """What moves a status. Beside its name each member says what cannot be done where the table has no such move."""

    _value_: str
    refused: str

    def __new__(cls, value: str, refused: str) -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.refused = refused
        return member


S = TypeVar("S", bound=StrEnum)
E = TypeVar("E", bound=MoveEvent)

# Where the words of a status do not complete "This … is".
STANDING: Mapping[str, str] = {
    "WAITING_PARTY": "waiting for a party",
    "ADMINISTRATIVE_REVIEW": "in administrative review",
    "CHARGEBACK_REVIEW": "in chargeback review",
    "REVIEW": "in review",
    "SENDING": "being sent",
    "RETURNING": "being returned",
    "DRAFT": "a draft",
    "PAID_HELD": "paid and held",
    "REFUND_PENDING": "awaiting a refund",
    "SUSPENSE": "finished with lines in suspense",
    "BREAKS": "finished with breaks",
    "needs_response": "awaiting a response",
    "warning_needs_response": "an inquiry that awaits a response",
    "warning_under_review": "an inquiry under review",
    "warning_closed": "a closed inquiry",
}


class IllegalMove(DeskError):
    """This {kind} is {status}, so {refused}."""


def move(kind: str, table: Mapping[tuple[S, E], S], status: S, event: E) -> S:
    try:
        return table[status, event]
    except KeyError:
        raise IllegalMove(
            kind=kind, status=Wording(status_words(status), status), refused=event.refused
        ) from None


def status_words(status: str) -> str:
    """IN_MEDIATION → "in mediation", WAITING_PARTY → "waiting for a party": what something is, after "This … is"."""
    return STANDING.get(status, status.replace("_", " ").lower())


def words(name: StrEnum) -> str:
    """IN_MEDIATION → "in mediation"."""
    return name.value.replace("_", " ").lower()


def label(name: StrEnum) -> str:
    """IN_MEDIATION → "In mediation"."""
    return words(name).capitalize()
