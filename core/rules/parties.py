"""The two sides of a project."""

from __future__ import annotations

from enum import StrEnum


class PartyRole(StrEnum):
    PAYER = "PAYER"
    PAYEE = "PAYEE"
