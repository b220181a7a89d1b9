"""The two sides of a project."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from core.errors import DeskError


class PartyRole(StrEnum):
    PAYER = "PAYER"
    PAYEE = "PAYEE"


class PartyErased(DeskError, tells=("party",)):
    """{party} was erased on {at:%-d %b %Y, %H:%M} UTC. Nothing is learned of them again, and nothing is begun with
    them or sent to them."""


def require_not_erased(party: str, erased_at: datetime | None) -> None:
    """`party` as the marketplace calls them. Raises `PartyErased`."""
    if erased_at is not None:
        raise PartyErased(party=party, at=erased_at)


class PartyField(StrEnum):
    """What can change about a party; what was there before is kept."""

    NAME = "name"
    EMAIL = "email"
    CITY = "city"
    COUNTRY = "country"
    LANGUAGE = "language"
    PAYMENT_METHOD = "payment_method"
