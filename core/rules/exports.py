"""An export that is made beside the pages: for whom, how long it is kept, and how often it is tried."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum

from core.errors import DeskError
from core.rules.permissions import Permission

KEPT = timedelta(minutes=30)
"""At most: it goes with the sign-in that asked for it."""
LEASE = timedelta(minutes=1)
"""A worker that was silent for so long has died, and another makes the file again."""
TRIES = 5
RESUMED = frozenset({"csv", "jsonl"})
"""Formats that another worker goes on with. The others have at their end where each part lies, so they are written
again from the first row."""


class ExportKind(StrEnum):
    AUDIT = "audit"
    LEDGER = "ledger"

    @property
    def permission(self) -> Permission:
        return PERMISSIONS[self]


PERMISSIONS: Mapping[ExportKind, Permission] = {
    ExportKind.AUDIT: Permission.EXPORT_AUDIT,
    ExportKind.LEDGER: Permission.EXPORT_LEDGER,
}


class ExportGone(DeskError):
    """This file is not there any more: it was downloaded once, its half hour is over, or the session that asked for it
    has ended. Prepare it again."""


class ExportStopped(DeskError):
    """The session that asked for this file has ended, so it was not made."""


class ExportGivenUp(DeskError):
    """The file was begun {tries} times, and its worker ended each time. The worker's log says more."""
