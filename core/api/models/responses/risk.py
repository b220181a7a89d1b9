"""Holds, risk reviews, reports and practice flags, as far as a party may know."""

from __future__ import annotations

from typing_extensions import TypedDict  # the description needs this one before Python 3.12

from core.api.models.names import ToldHold
from core.api.models.responses.plain import Moment, PageAnswer
from core.rules.reports import ReportKind, ReportOutcome
from core.rules.reports import Severity as ReportSeverity
from core.rules.reports import Source as ReportSource


class HoldAnswer(TypedDict):
    """A hold that somebody was told of. Why it is there, is for staff."""

    id: int
    milestone: int
    kind: ToldHold
    placed_at: Moment
    expected_end: Moment | None
    lifted_at: Moment | None


class HoldsAnswer(PageAnswer):
    items: list[HoldAnswer]


class PayeeHoldAnswer(TypedDict):
    """A hold on all money of a payee, of whatever milestone. Why it is there, is for staff."""

    id: int
    party: str
    kind: ToldHold
    placed_at: Moment
    expected_end: Moment | None
    lifted_at: Moment | None


class PayeeHoldsAnswer(PageAnswer):
    items: list[PayeeHoldAnswer]


class RiskReviewAnswer(TypedDict):
    """A person looks before money moves; `cleared_at`: and nothing of it stands in the way any more."""

    id: int
    milestone: int
    opened_at: Moment
    cleared_at: Moment | None


class RiskReviewsAnswer(PageAnswer):
    items: list[RiskReviewAnswer]


class ReportAnswer(TypedDict):
    """`outcome`: UPHELD or DISMISSED, once staff has looked into it. `about`: the party it is about, if known."""

    id: int
    project: int
    milestone: int | None
    external_id: str | None
    kind: ReportKind
    source: ReportSource
    severity: ReportSeverity
    party: str | None
    about: str | None
    at: Moment
    outcome: ReportOutcome | None
    settled_at: Moment | None


class ReportsAnswer(PageAnswer):
    items: list[ReportAnswer]


class PracticeAnswer(TypedDict):
    id: int
    project: int
    licensed_in: str
    needed_in: str
    at: Moment
    resolved_at: Moment | None
