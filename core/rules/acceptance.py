"""How a milestone is accepted: the payer confirms, silence releases after some time, or a session took place.

(payment-escrow-rules, Milestone Rules and Release Rules.) Stored as text: CLIENT_CONFIRMS, SESSION_COMPLETED,
AUTO_RELEASE (after the time the policy gives) or AUTO_RELEASE_5_DAYS (a time of its own).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from core.errors import DeskError
from core.policy import Profile
from core.policy.wording import exact_span


class AcceptanceRule(StrEnum):
    CLIENT_CONFIRMS = "CLIENT_CONFIRMS"
    AUTO_RELEASE = "AUTO_RELEASE"
    SESSION_COMPLETED = "SESSION_COMPLETED"


class AcceptanceUnknown(DeskError):
    """“{rule}” is not a way to accept a milestone: the payer confirms, or some days of silence release it."""


OWN_DAYS = re.compile(r"AUTO_RELEASE_([1-9][0-9]?)_DAYS")


def check(rule: str) -> str:
    own = OWN_DAYS.fullmatch(rule)
    if rule not in AcceptanceRule.__members__ and not (own and int(own[1]) <= 90):
        raise AcceptanceUnknown(rule=rule)
    return rule


def silence(rule: str, profile: Profile) -> timedelta | None:
    """How long silence must last to release; None when it never does."""
    check(rule)
    if not profile.auto_approve:
        return None
    if own := OWN_DAYS.fullmatch(rule):
        return timedelta(days=int(own[1]))
    return profile.auto_approve_after if rule == AcceptanceRule.AUTO_RELEASE else None


def silent(rule: str, *, notice_at: datetime, until: datetime | None, said: Iterable[datetime]) -> bool:
    """Has the payer let the time to answer pass without a word, so that the money is released at `until`?

    (milestone-payment-flow, Key Business Rules 5: "no response"; payment-escrow-rules, Release Rules: "no response and
    no dispute".) Whatever the payer `said` after the notice, up to the last instant inclusive, is a response, and then
    silence releases nothing. None: it never does. The fee of a session asks for no response: only a dispute stops it.
    """
    if until is None:
        return False
    if check(rule) == AcceptanceRule.SESSION_COMPLETED:
        return True
    return not any(notice_at < at <= until for at in said)


def told(rule: str, profile: Profile) -> dict[str, Any]:
    """What the payer reads of how it is accepted, when the money is held."""
    wait = silence(rule, profile)
    return {
        "after_session": rule == AcceptanceRule.SESSION_COMPLETED,
        "silence": exact_span(wait) if wait is not None else None,
    }


def in_words(rule: str, profile: Profile) -> str:
    wait = silence(rule, profile)
    if wait is not None:
        return f"The payer confirms, or silence of {exact_span(wait)} after the notice does, unless it is disputed."
    if rule == AcceptanceRule.SESSION_COMPLETED:
        return "Released when the session took place and the grace time passed without a dispute."
    return "Released when the payer confirms."
