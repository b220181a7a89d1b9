"""Where words are typed: a place has a kind, the number of what it is about, and a field, as in `case.17.message`.

Its kind says which permission it takes to leave words there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from core.errors import DeskError
from core.rules.permissions import Permission

LONGEST = 20_000  # characters: as long as the longest text that a bank takes
MOST = 1_000  # places in which one person may have words lying about
KINDS: Mapping[str, Permission] = {
    "case": Permission.READ_CASES,
    "hold": Permission.PLACE_HOLD,
    "milestone": Permission.READ_CASES,
    "session": Permission.MANAGE_STAFF,
    "staff": Permission.MANAGE_STAFF,
    "tie": Permission.READ_PEOPLE,
    "review": Permission.REVIEW_RISK,
    "report": Permission.REVIEW_RISK,
    "practice": Permission.REVIEW_RISK,
    "checklist": Permission.SIGN_LEGAL_CHECK,
    "policy": Permission.READ_POLICY,
    "operation": Permission.READ_LEDGER,
    "chargeback": Permission.READ_CHARGEBACKS,
    "party": Permission.READ_LEDGER,
    "person": Permission.READ_PERSONAL_DATA,
    "mask": Permission.REVEAL_PERSON,
    "payout": Permission.READ_PAYOUTS,
    "webhook": Permission.RETRY_OPERATION,
    "event": Permission.RETRY_OPERATION,
    "job": Permission.RETRY_OPERATION,
    "suspense": Permission.READ_LEDGER,
    "break": Permission.READ_LEDGER,
    "restore": Permission.READ_PAYOUTS,
    "stop": Permission.READ_LEDGER,
    "period": Permission.READ_LEDGER,
    "journal": Permission.READ_LEDGER,
}
_PLACE = re.compile(r"([a-z]+)\.([0-9]{1,19})\.([a-z0-9][a-z0-9_-]{0,79})")


class PlaceUnknown(DeskError):
    """The desk knows no field of this name, so nothing was saved."""


class WordsTooLong(DeskError):
    """It is longer than {most:,} characters. Shorten it."""


class TooManyPlaces(DeskError):
    """You have unsent words in {most:,} places. Send or empty some of them first."""


def named(kind: str, number: int, field: str) -> str:
    """The name of a place, for example `case.17.message`. Raises `PlaceUnknown`."""
    place = f"{kind}.{number}.{field}"
    permission(place)
    return place


def permission(place: str) -> Permission:
    """What it takes to leave words there. Raises `PlaceUnknown`."""
    found = _PLACE.fullmatch(place)
    if found is None or found[1] not in KINDS:
        raise PlaceUnknown()
    return KINDS[found[1]]
