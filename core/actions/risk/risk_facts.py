"""What is known about the risk of a milestone, read under its lock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from core.actions.milestones.milestone_context import MilestoneContext
from core.records import Hold, PracticeFlag, Report, RiskReview
from core.rules import reports
from core.rules.reports import Known, ReportKind, ReportOutcome, Severity, Source
from core.rules.risk import RiskFacts

SettledAs = tuple[int, ReportOutcome]


def known_reports(
    session: Session, context: MilestoneContext, settled_as: SettledAs | None = None
) -> list[Known]:
    """About this milestone, or its project as a whole; attempts of contact wherever in the project they were made.

    `settled_as`: one of them, as if it were settled that way already; a severe one that is upheld becomes a hold.
    """
    known = _known(session, context)
    if settled_as is None:
        return known
    number, outcome = settled_as
    held = outcome is ReportOutcome.UPHELD
    return [
        replace(
            each, outcome=outcome, looked_at=each.looked_at or (held and each.severity is Severity.SEVERE)
        )
        if each.id == number
        else each
        for each in known
    ]


def _known(session: Session, context: MilestoneContext) -> list[Known]:
    looked_at = _looked_at(session, context.milestone.id)
    found = session.scalars(
        select(Report)
        .where(Report.project_id == context.project.id, concerns(context.milestone.id))
        .order_by(Report.id)
    )
    return [replace(as_known(row), looked_at=row.id in looked_at) for row in found]


def concerns(milestone: Any) -> ColumnElement[bool]:
    """Of its project's reports, those that weigh on this milestone (an id, or the column of one)."""
    return or_(
        Report.milestone_id.is_(None),
        Report.milestone_id == milestone,
        Report.kind == ReportKind.OFF_PLATFORM_CONTACT,
    )


def as_known(row: Report) -> Known:
    """A stored report as the rules weigh it."""
    return Known(
        id=row.id,
        kind=ReportKind(row.kind),
        source=Source(row.source),
        severity=Severity(row.severity),
        at=row.at,
        outcome=ReportOutcome(row.outcome) if row.outcome else None,
    )


def upheld(session: Session, context: MilestoneContext) -> list[int]:
    """The upheld reports that a review of this milestone deals with when it is settled."""
    return [each.id for each in known_reports(session, context) if each.outcome is ReportOutcome.UPHELD]


def open_review(session: Session, milestone_id: int) -> RiskReview | None:
    """The risk review that stops this milestone; there is at most one."""
    wanted = select(RiskReview).where(
        RiskReview.milestone_id == milestone_id, RiskReview.settled_at.is_(None)
    )
    return session.scalars(wanted).one_or_none()


def facts_of(
    session: Session, context: MilestoneContext, *, now: datetime, settled_as: SettledAs | None = None
) -> RiskFacts:
    """What the rules of risk ask about a milestone. `settled_as`: as if this report were settled so."""
    known = known_reports(session, context, settled_as)
    weight = reports.weigh(known, now=now, window=context.profile.contact_window)
    flagged = session.scalar(
        select(PracticeFlag.id).where(
            PracticeFlag.project_id == context.project.id, PracticeFlag.resolved_at.is_(None)
        )
    )
    return RiskFacts(
        amount=context.amount,
        contact_attempts=weight.contact_attempts,
        threat_reports=weight.threats,
        severe_reports=weight.severe_upheld,
        open_reports=weight.open,
        practice_mismatch=flagged is not None,
        value_reviewed=any(reason["code"] == "high_value" for reason in _settled(session, context)),
    )


def _settled(session: Session, context: MilestoneContext) -> Sequence[dict[str, str]]:
    """The reasons of the milestone's settled reviews."""
    found = session.scalars(
        select(RiskReview.reasons).where(
            RiskReview.milestone_id == context.milestone.id, RiskReview.settled_at.is_not(None)
        )
    )
    return [reason for reasons in found for reason in reasons]


def _looked_at(session: Session, milestone_id: int) -> frozenset[int]:
    """The reports that settled reviews of this milestone have dealt with, or for which its money was put on hold."""
    in_reviews = session.scalars(select(RiskReview.reports).where(RiskReview.milestone_id == milestone_id))
    by_holds = select(Hold.report_id).where(Hold.milestone_id == milestone_id, Hold.report_id.is_not(None))
    return frozenset(
        (
            *(number for numbers in in_reviews for number in numbers),
            *_present(session.scalars(by_holds).all()),
        )
    )


def _present(numbers: Sequence[int | None]) -> list[int]:
    return [number for number in numbers if number is not None]
