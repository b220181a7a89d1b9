"""Reports and content events: filed by whoever sees them, settled by staff.

(payment-escrow-rules, Risk Controls.) Every entry of the log names the report (Records: AdminActionLog linkage).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit
from core.actions.milestones.milestone_context import MilestoneContext
from core.actions.risk import holds, report_outcomes, risk_reviews
from core.audit.actions import AuditAction, StoredAction
from core.audit.content_hashes import Words
from core.errors import ChangedMeanwhile, DeskError, NotFound, another
from core.notifications import tell
from core.records import Milestone, Project, Report
from core.rules import reports as rules
from core.rules.holds import HoldKind
from core.rules.permissions import Actor, NotYours, Permission, require
from core.rules.reasons import given
from core.rules.references import reference
from core.rules.report_outcomes import Consequence, Effect
from core.rules.reports import ReportKind, ReportOutcome, Severity, Source

Role = Literal["payer", "payee"]


# As the marketplace calls what is stored under another name.
OUTSIDE = {
    "milestone_id": "milestone",
    "author_kind": "party",
    "author_id": "party",
    "subject_id": "about",
}


class ReportSettled(DeskError):
    """Report {report} was already settled."""


class ReportKnownOtherwise(DeskError, tells=("fields",)):
    """Report {report} was filed here before, with another {what}. Nothing was changed."""


def file(
    session: Session,
    actor: Actor,
    *,
    now: datetime,
    project_id: int,
    kind: ReportKind,
    details: str,
    milestone_id: int | None = None,
    severity: Severity = Severity.MEDIUM,
    source: Source = Source.PERSON,
    subject: Role | None = None,
    external_id: str | None = None,
) -> Report:
    """Something happened that staff must know of: by a party of the project, staff, or the marketplace (the system).

    A party's report is about the other party; whoever else reports says whom it is about, if that is known.

    The same `external_id` again is the same report, or `ReportKnownOtherwise`. What the rules of risk ask for is opened
    at once.
    """
    project = speaks_of(session, actor, project_id)
    kind = ReportKind(kind)
    _require_milestone(session, project_id, milestone_id)
    concerned = risk_reviews.in_scope(session, project_id, rules.scope(kind, milestone_id))
    said = {
        "milestone_id": milestone_id,
        "kind": kind,
        "source": Source.PERSON if actor.kind == "party" else Source(source),
        "severity": Severity(severity),
        "details": rules.checked(details),
        "author_kind": actor.kind,
        "author_id": actor.id,
        "subject_id": _subject(actor, project, subject),
    }
    if external_id and (before := _known(session, project_id, external_id)):
        return _as_it_was(before, said)
    report = Report(project_id=project_id, external_id=external_id, at=now, **said)
    session.add(report)
    session.flush()
    after = {"kind": report.kind, "source": report.source, "severity": report.severity}
    _note(
        session,
        actor,
        AuditAction.REPORT_FILE.by(actor.kind),
        report,
        now=now,
        after=after,
        contents=[report],
    )
    _tell_author(session, report, "report_received", project, now=now)
    risk_reviews.consider_all(session, concerned, now=now)
    return report


def _as_it_was(report: Report, said: dict[str, Any]) -> Report:
    if odd := [name for name, value in said.items() if getattr(report, name) != value]:
        fields = list(dict.fromkeys(OUTSIDE.get(name, name) for name in odd))
        raise ReportKnownOtherwise(report=report.external_id, what=another(fields), fields=fields)
    return report


def settle(
    session: Session,
    actor: Actor,
    *,
    now: datetime,
    report_id: int,
    outcome: ReportOutcome,
    note: str,
    foreseen: tuple[Consequence, ...] | None = None,
) -> None:
    """A person has looked into it: what `report_outcomes.foresee` says of this outcome follows, and nothing else.

    Raises `StepUpRequired`, because money may move, and `ChangedMeanwhile` if that is no longer what the person was
    shown (`foreseen`).
    """
    require(actor, Permission.SETTLE_RISK, now)
    note = given(note)
    report, concerned = _locked(session, report_id)
    outcome = ReportOutcome(outcome)
    follows = report_outcomes.foresee(session, report, concerned, outcome, now=now)
    if foreseen is not None and foreseen != follows:
        raise ChangedMeanwhile(kind="report", what="what follows from it is no longer the same")
    report.outcome, report.note = outcome, note
    report.settled_by, report.settled_at = actor.id, now
    session.flush()
    after = {"outcome": report.outcome, "follows": sorted({each.effect for each in follows})}
    ends = [Words("report_ends", report)]
    _note(
        session,
        actor,
        AuditAction.REPORT_SETTLE.by("staff"),
        report,
        now=now,
        reason=note,
        after=after,
        contents=ends,
    )
    project = session.get_one(Project, report.project_id)
    _tell_author(session, report, "report_settled", project, now=now)
    held = {each.milestone_id for each in follows if each.effect is Effect.HOLD}
    for context in concerned:
        session.flush()
        if (milestone_id := context.milestone.id) in held:
            holds.place(
                session,
                actor,
                now=now,
                milestone_id=milestone_id,
                reason=f"Report {reference('report', report_id)} was upheld: {note}",
                kind=HoldKind.REPORT,
                report_id=report_id,
            )
        risk_reviews.consider(session, context, now=now)
        risk_reviews.advance(session, actor, context, now=now)


def _locked(session: Session, report_id: int) -> tuple[Report, list[MilestoneContext]]:
    plain = session.get(Report, report_id)
    if plain is None:
        raise NotFound(kind="report", id=report_id)
    concerned = risk_reviews.in_scope(
        session, plain.project_id, rules.scope(ReportKind(plain.kind), plain.milestone_id)
    )
    report = session.get_one(Report, report_id, with_for_update=True, populate_existing=True)
    if report.settled_at is not None:
        raise ReportSettled(report=report_id)
    return report, concerned


def _require_milestone(session: Session, project_id: int, milestone_id: int | None) -> None:
    wanted = select(Milestone.id).where(Milestone.id == milestone_id, Milestone.project_id == project_id)
    if milestone_id is not None and session.scalar(wanted) is None:
        raise NotFound(kind="milestone", id=milestone_id)


def _subject(actor: Actor, project: Project, said: Role | None) -> int | None:
    if actor.kind == "party":
        return project.payee_id if actor.id == project.payer_id else project.payer_id
    return {"payer": project.payer_id, "payee": project.payee_id}[said] if said else None


def speaks_of(session: Session, actor: Actor, project_id: int) -> Project:
    """The project, if this actor may speak about it. Raises `NotFound`, `NotYours`, `NotPermitted`."""
    project = session.get(Project, project_id)
    if project is None:
        raise NotFound(kind="project", id=project_id)
    if actor.kind == "party" and actor.id not in (project.payer_id, project.payee_id):
        raise NotYours(actor=actor.label)
    if actor.kind == "staff":
        require(actor, Permission.READ_CASES)
    return project


def _known(session: Session, project_id: int, external_id: str) -> Report | None:
    return session.scalars(
        select(Report).where(Report.project_id == project_id, Report.external_id == external_id)
    ).one_or_none()


def _tell_author(session: Session, report: Report, template: str, project: Project, *, now: datetime) -> None:
    """A party that reported something is told that it arrived, and what came of it."""
    if report.author_kind == "party" and report.author_id is not None:
        tell(
            session,
            template,
            party_id=report.author_id,
            project_id=project.id,
            key=f"report-{report.id}-{template}",
            now=now,
            about=("report", report.id),
            number=reference("report", report.id),
        )


def _note(
    session: Session, actor: Actor, action: StoredAction, report: Report, *, now: datetime, **fields: Any
) -> None:
    audit.record(
        session,
        actor,
        action,
        object_kind="report",
        object_id=report.id,
        now=now,
        project_id=report.project_id,
        milestone_id=report.milestone_id,
        report_id=report.id,
        **fields,
    )
