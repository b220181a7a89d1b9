"""What settling a report will do, read under the locks that it is then done under."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from core.actions.milestones.milestone_context import MilestoneContext
from core.actions.payouts import release
from core.actions.risk import risk_facts
from core.actions.risk import risk_reviews as risk_actions
from core.records import Party, Report
from core.rules import holds, report_outcomes, reports, risk
from core.rules.report_outcomes import ConcernedMilestone, Consequence, Settling
from core.rules.reports import ReportKind, ReportOutcome, Severity


def foresee(
    session: Session,
    report: Report,
    concerned: Sequence[MilestoneContext],
    outcome: ReportOutcome,
    *,
    now: datetime,
) -> tuple[Consequence, ...]:
    """Everything that settling this report with this outcome does, in sentences."""
    profile = concerned[0].profile
    attempts = [
        each
        for each in risk_facts.known_reports(session, concerned[0], (report.id, outcome))
        if reports.is_attempt(each, now=now, window=profile.contact_window)
    ]
    settling = Settling(
        kind=ReportKind(report.kind),
        severity=Severity(report.severity),
        subject=session.get_one(Party, report.subject_id).role.lower() if report.subject_id else None,
        by_party=report.author_kind == "party",
        attempts=len(attempts),
        attempts_allowed=profile.contact_attempts,
        window_days=profile.contact_window // timedelta(days=1),
        concerned=[_standing(session, each, (report.id, outcome), now=now) for each in concerned],
    )
    return report_outcomes.consequences(settling, outcome)


def preview(
    session: Session, report_id: int, outcome: ReportOutcome, *, now: datetime
) -> tuple[Consequence, ...]:
    """`foresee` for whoever reads before settling: without locks. Nothing for a report that is settled already."""
    report = session.get(Report, report_id)
    if report is None or report.settled_at is not None:
        return ()
    wanted = reports.scope(ReportKind(report.kind), report.milestone_id)
    concerned = risk_actions.in_scope(session, report.project_id, wanted, lock=False)
    return foresee(session, report, concerned, outcome, now=now)


def _standing(
    session: Session, context: MilestoneContext, settled_as: risk_facts.SettledAs, *, now: datetime
) -> ConcernedMilestone:
    known = risk_facts.known_reports(session, context)
    after = risk_facts.known_reports(session, context, settled_as)
    freed = reports.severe_event(known) and not reports.severe_event(after)
    stops = replace(release.facts_of(session, context), severe_content_event=reports.severe_event(after))
    facts = risk_facts.facts_of(session, context, now=now, settled_as=settled_as)
    review = risk_facts.open_review(session, context.milestone.id)
    return ConcernedMilestone(
        milestone_id=context.milestone.id,
        money=context.money(context.order.held_minor + context.order.payable_minor),
        asks_review=bool(risk.reviews(facts, context.profile)),
        review=review.id if review else None,
        blocks=holds.blocking(stops),
        freed=freed,
    )
