"""The languages in which parties are written to: those in which every letter exists."""

from __future__ import annotations

from enum import StrEnum


class Language(StrEnum):
    ENGLISH = "en"
