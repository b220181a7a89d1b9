"""What is reported about a project, and what of it weighs (payment-escrow-rules, Risk Controls)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from core.errors import DeskError
from core.rules.transitions import label
from core.rules.visible_text import says_something


class ReportKind(StrEnum):
    OFF_PLATFORM_CONTACT = "OFF_PLATFORM_CONTACT"
    HARASSMENT = "HARASSMENT"
    THREAT = "THREAT"
    OTHER = "OTHER"

    @property
    def label(self) -> str:
        return "Off-platform contact" if self is ReportKind.OFF_PLATFORM_CONTACT else label(self)


class Source(StrEnum):
    """A person's report, or a ContentRuleEvent: a rule of the marketplace found something in what was written."""

    PERSON = "PERSON"
    CONTENT_RULE = "CONTENT_RULE"


class Severity(StrEnum):
    LOW = "LOW"
    MEDIUM = "MEDIUM"
    SEVERE = "SEVERE"


class ReportOutcome(StrEnum):
    UPHELD = "UPHELD"
    DISMISSED = "DISMISSED"


class DetailsMissing(DeskError):
    """Say what happened: whoever reviews the report reads it."""


class DetailsTooLong(DeskError):
    """A report has at most {most} characters; this one has {length}."""


MOST = 10_000
THREATS = frozenset({ReportKind.HARASSMENT, ReportKind.THREAT})


@dataclass(frozen=True)
class Known:
    """A report as it weighs for one milestone. `looked_at`: a review or hold of this milestone has dealt with it."""

    id: int
    kind: ReportKind
    source: Source
    severity: Severity
    at: datetime
    outcome: ReportOutcome | None = None
    looked_at: bool = False

    @property
    def counts(self) -> bool:
        """Open or upheld: only what was dismissed is as if it had not been."""
        return self.outcome is not ReportOutcome.DISMISSED

    @property
    def unreviewed(self) -> bool:
        """One that is open is new, whatever was done about it."""
        return self.counts and not (self.looked_at and self.outcome)


@dataclass(frozen=True)
class Weighed:
    """What the reports about a milestone amount to.

    `contact_attempts`: those of the window, upheld or open, if at least one of them is new to the reviewers; `threats`
    and `severe_upheld`: those that are new to them; `open`: every report that nobody has settled.
    """

    contact_attempts: int = 0
    threats: int = 0
    severe_upheld: int = 0
    open: tuple[int, ...] = ()


def weigh(reports: Iterable[Known], *, now: datetime, window: timedelta) -> Weighed:
    """Repetition is counted over `window`, however soon each attempt was settled before the next came."""
    known = [each for each in reports if each.counts]
    attempts = [each for each in known if is_attempt(each, now=now, window=window)]
    new = [each for each in known if each.unreviewed]
    settled = [each for each in new if each.outcome is ReportOutcome.UPHELD]
    waiting = [each for each in known if each.outcome is None]
    return Weighed(
        contact_attempts=len(attempts) if any(each.unreviewed for each in attempts) else 0,
        threats=sum(each.kind in THREATS for each in new),
        severe_upheld=sum(each.severity is Severity.SEVERE for each in settled),
        open=tuple(sorted(each.id for each in waiting)),
    )


def severe_event(reports: Iterable[Known]) -> bool:
    """A severe ContentRuleEvent that nobody has settled. What a person reports is severe once it is upheld."""
    return any(
        each.outcome is None and (each.source, each.severity) == (Source.CONTENT_RULE, Severity.SEVERE)
        for each in reports
    )


def is_attempt(report: Known, *, now: datetime, window: timedelta) -> bool:
    """An attempt of contact that counts today: not dismissed, and not older than the window."""
    return report.counts and report.kind is ReportKind.OFF_PLATFORM_CONTACT and report.at > now - window


def scope(kind: ReportKind, milestone_id: int | None) -> int | None:
    """The milestone that a report concerns, or None for all of the project.

    Contact off the platform concerns all the money between the two, wherever it was attempted.
    """
    return None if kind is ReportKind.OFF_PLATFORM_CONTACT else milestone_id


def checked(details: str) -> str:
    if not says_something(details):
        raise DetailsMissing()
    if len(details) > MOST:
        raise DetailsTooLong(most=MOST, length=len(details))
    return details
