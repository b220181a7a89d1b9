"""The two sides of a project."""

from __future__ import annotations

from enum import StrEnum


class PartyRole(StrEnum):
    PAYER = "PAYER"
    PAYEE = "PAYEE"


class PartyField(StrEnum):
    """What can change about a party; what was there before is kept."""

    NAME = "name"
    EMAIL = "email"
    CITY = "city"
    COUNTRY = "country"
    LANGUAGE = "language"
    PAYMENT_METHOD = "payment_method"
