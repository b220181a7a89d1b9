"""Who wrote a message, a report or a flag, and who may read a message."""

from __future__ import annotations

from enum import StrEnum


class Audience(StrEnum):
    PARTIES = "PARTIES"
    STAFF = "STAFF"


class AuthorKind(StrEnum):
    """The kinds of actor that write: the operators of the machine do not."""

    PARTY = "party"
    STAFF = "staff"
    SYSTEM = "system"
