"""What counts as reading: which objects hold what people wrote or who they are, and who may open them.

A reading is one member of staff, one object, one hour. The log gets one entry for each colleague and hour that is over,
with the numbers of all that was read in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from core.errors import DeskError
from core.rules.permissions import Permission

HOUR = timedelta(hours=1)
AGAIN = timedelta(minutes=5)  # whoever still looks after this is written down again
FEW = 5  # a search that finds more people than this confirms nobody's name


class ReadingKind(StrEnum):
    """`object_id` is the number of it; of messages that of their case, of an e-mail that of the notification.
    PARTY: the page of a person, or all that is held about them; REVEALED_NAME: their name alone, revealed; HOLD: the
    late complaint that it stands for; DOCUMENT: a receipt, an invoice or a credit note as a file; FOUND_BY_NAME: a
    person whom a search by name or address found for somebody to whom names are masked."""

    CASE = "CASE"
    MESSAGES = "MESSAGES"
    EVIDENCE = "EVIDENCE"
    EMAIL = "EMAIL"
    PROJECT = "PROJECT"
    CHARGEBACK = "CHARGEBACK"
    PARTY = "PARTY"
    REVEALED_NAME = "REVEALED_NAME"
    REPORT = "REPORT"
    RISK_REVIEW = "RISK_REVIEW"
    HOLD = "HOLD"
    DOCUMENT = "DOCUMENT"
    FOUND_BY_NAME = "FOUND_BY_NAME"


# Whoever holds any of these can open one.
OPENED_WITH: Mapping[ReadingKind, tuple[Permission, ...]] = {
    ReadingKind.CASE: (Permission.READ_CASES,),
    ReadingKind.MESSAGES: (Permission.READ_CASES,),
    ReadingKind.EVIDENCE: (Permission.READ_CASES,),
    ReadingKind.EMAIL: (Permission.READ_CASES, Permission.READ_PAYOUTS),
    ReadingKind.PROJECT: (Permission.READ_CASES,),
    ReadingKind.CHARGEBACK: (Permission.READ_CHARGEBACKS,),
    ReadingKind.PARTY: (Permission.READ_PERSONAL_DATA, Permission.READ_LEDGER),
    ReadingKind.REVEALED_NAME: (Permission.REVEAL_PERSON,),
    ReadingKind.REPORT: (Permission.READ_CASES,),
    ReadingKind.RISK_REVIEW: (Permission.READ_CASES,),
    ReadingKind.HOLD: (Permission.READ_CASES,),
    ReadingKind.DOCUMENT: (Permission.READ_CASES,),
    ReadingKind.FOUND_BY_NAME: (
        Permission.READ_CASES,
        Permission.READ_PAYOUTS,
        Permission.READ_PERSONAL_DATA,
    ),
}


class ReadingNotRecorded(DeskError):
    """This is not shown, because it could not be recorded that you read it. Try again; if it stays so, tell an
    administrator."""


def hour_of(at: datetime) -> datetime:
    """The hour in which something was read, by its beginning."""
    return at.replace(minute=0, second=0, microsecond=0)


def is_due(last: datetime | None, now: datetime) -> bool:
    """Whether a reading is written down, where the last time was `last`: a page that is drawn again is no other."""
    return last is None or now - last >= AGAIN or now < last
