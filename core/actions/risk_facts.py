"""What is known about the risk of a milestone, read under its lock."""

from __future__ import annotations

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from core.actions.dossier import Dossier
from core.records import PracticeFlag, Report, RiskReview
from core.rules import reports
from core.rules.reports import Weighed
from core.rules.risk import RiskFacts


def weighed(session: Session, dossier: Dossier) -> Weighed:
    """The unsettled reports about this milestone, or about its project as a whole."""
    found = session.execute(
        select(Report.kind, Report.source, Report.severity).where(
            Report.project_id == dossier.project.id,
            Report.settled_at.is_(None),
            or_(Report.milestone_id.is_(None), Report.milestone_id == dossier.milestone.id),
        )
    )
    return reports.weigh((row.kind, row.source, row.severity) for row in found)


def open_reviews(session: Session, milestone_id: int) -> tuple[str, ...]:
    """The reasons of the milestone's open review, in one sentence each."""
    found = session.scalars(
        select(RiskReview.reasons).where(
            RiskReview.milestone_id == milestone_id, RiskReview.settled_at.is_(None)
        )
    )
    return tuple(reason["sentence"] for reasons in found for reason in reasons)


def facts_of(session: Session, dossier: Dossier) -> RiskFacts:
    weight = weighed(session, dossier)
    flagged = session.scalar(
        select(PracticeFlag.id).where(
            PracticeFlag.project_id == dossier.project.id, PracticeFlag.resolved_at.is_(None)
        )
    )
    return RiskFacts(
        amount=dossier.amount,
        contact_attempts=weight.contact_attempts,
        threat_reports=weight.threats,
        practice_mismatch=flagged is not None,
        value_reviewed=_value_reviewed(session, dossier.milestone.id),
    )


def _value_reviewed(session: Session, milestone_id: int) -> bool:
    settled = session.scalars(
        select(RiskReview.reasons).where(
            RiskReview.milestone_id == milestone_id, RiskReview.settled_at.is_not(None)
        )
    )
    return any(reason["code"] == "high_value" for reasons in settled for reason in reasons)
