"""What cannot be undone is done only to what was named: its reference is typed first (internal policy)."""

from __future__ import annotations

from core.errors import DeskError


class NotTyped(DeskError):
    """This cannot be undone. Type {wanted} to confirm that it is what you mean."""

    of_what_was_given = True


def check_typed(typed: str, wanted: str) -> None:
    """Upper or lower case, and spaces around it, say the same. Raises `NotTyped`."""
    if typed.strip().casefold() != wanted.casefold():
        raise NotTyped(wanted=wanted)
