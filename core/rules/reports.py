"""What is reported about a project, and what of it weighs (payment-escrow-rules, Risk Controls)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from core.errors import DeskError
from core.rules.moves import label


class ReportKind(StrEnum):
    OFF_PLATFORM_CONTACT = "OFF_PLATFORM_CONTACT"
    HARASSMENT = "HARASSMENT"
    THREAT = "THREAT"
    OTHER = "OTHER"

    @property
    def label(self) -> str:
        return label(self)


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
class Weighed:
    """What the reports that nobody has settled yet amount to."""

    contact_attempts: int = 0
    threats: int = 0
    severe_content_event: bool = False


def weigh(reports: Iterable[tuple[str, str, str]]) -> Weighed:
    """From (kind, source, severity) of each unsettled report. Only a ContentRuleEvent is severe by itself."""
    known = [(ReportKind(kind), source, severity) for kind, source, severity in reports]
    return Weighed(
        contact_attempts=sum(kind is ReportKind.OFF_PLATFORM_CONTACT for kind, _, _ in known),
        threats=sum(kind in THREATS for kind, _, _ in known),
        severe_content_event=any(
            source == Source.CONTENT_RULE and severity == Severity.SEVERE for _, source, severity in known
        ),
    )


def checked(details: str) -> str:
    if not details.strip():
        raise DetailsMissing()
    if len(details) > MOST:
        raise DetailsTooLong(most=MOST, length=len(details))
    return details
