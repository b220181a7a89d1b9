"""How long money has been held: the steps of its ageing, up to the alarm of the project's policy."""

from __future__ import annotations

from enum import StrEnum

STEPS = (30, 60)  # days


class HeldAge(StrEnum):
    """Each step ends where the next begins; the alarm's time is the project's own."""

    NEW = "NEW"
    OVER_30 = "OVER_30"
    OVER_60 = "OVER_60"
    ALARM = "ALARM"
