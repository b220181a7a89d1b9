"""When things fall due. A day is 24 hours from the stored notice, in UTC; deadlines are stored, not recomputed.

A window is inclusive: at its last instant a dispute is still in time. A timer is due from its instant on. All clocks
restart when work is resubmitted, because a new notice is a new start.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from core.policy import Profile
from core.rules import acceptance
from core.rules.acceptance import AcceptanceRule


@dataclass(frozen=True)
class Deadlines:
    """None: no such window or timer. `dispute_until` None means until release."""

    dispute_until: datetime | None
    auto_approve_at: datetime | None
    first_reminder_at: datetime | None


def completion(notice_at: datetime, profile: Profile, rule: str = AcceptanceRule.AUTO_RELEASE) -> Deadlines:
    """The clocks that the completion notice starts (milestone-payment-flow, Key Business Rules 2, 3 and 5)."""
    return Deadlines(
        dispute_until=_later(notice_at, profile.dispute_window),
        auto_approve_at=_later(notice_at, acceptance.silence(rule, profile)),
        first_reminder_at=next_reminder(0, notice_at, profile),
    )


def answer_at(notice_at: datetime, profile: Profile, by_silence: datetime | None) -> datetime:
    """Until when the payer has to answer: when silence would release or, where it never does, after the same span.

    From then on the payee may ask for a mediator (internal policy: nobody's money waits for ever).
    """
    return by_silence or notice_at + profile.auto_approve_after


def next_reminder(level: int, last_at: datetime, profile: Profile) -> datetime | None:
    """When the reminder after `level` is due. Level 0 is the notice itself; each one sent raises the level by one."""
    if not profile.reminders:
        return None
    return _later(last_at, profile.reminder_every if level else profile.first_reminder_after)


def mediation_at(opened_at: datetime, profile: Profile) -> datetime | None:
    """A dispute not resolved within 3 days goes to mediation by itself (Key Business Rules 6)."""
    return _later(opened_at, profile.mediation_after)


def deadlock_at(in_mediation_at: datetime, profile: Profile) -> datetime:
    """Without a decision by then, the case goes to the administrators (milestone-payment-flow, Error Handling 3)."""
    return in_mediation_at + profile.deadlock_after


def consultation_release_at(session_completed_at: datetime, profile: Profile) -> datetime | None:
    """Session completed and 24 h of grace without a dispute (payment-escrow-rules, Release Rules)."""
    return _later(session_completed_at, profile.consultation_grace)


def execution_at(approved_at: datetime, profile: Profile) -> datetime:
    """When a confirmed decision may be executed: after the cooling-off."""
    return approved_at + profile.cooling_off


def alarm_at(funded_at: datetime, profile: Profile) -> datetime:
    """When funds held since then are old enough to worry about."""
    return funded_at + profile.held_age_alarm


def due(deadline: datetime | None, now: datetime) -> bool:
    """Has the timer run out? At its instant it has."""
    return deadline is not None and now >= deadline


def in_words(deadline: datetime, now: datetime) -> str:
    """ "in 3 h 20 min", "in 2 days 4 h", "now", "overdue by 2 days": whole minutes, never rounded up."""
    left = deadline - now
    minutes = abs(left) // timedelta(minutes=1)
    if not minutes:
        return "now" if left <= timedelta(0) else "in less than a minute"
    span = _span(minutes)
    return f"in {span}" if left > timedelta(0) else f"overdue by {span}"


def _span(minutes: int) -> str:
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    parts = [(days, "day" if days == 1 else "days"), (hours, "h"), (minutes, "min")]
    first = next(index for index, (count, _) in enumerate(parts) if count)
    return " ".join(f"{count} {unit}" for count, unit in parts[first : first + 2] if count)


def _later(moment: datetime, wait: timedelta | None) -> datetime | None:
    return None if wait is None else moment + wait
