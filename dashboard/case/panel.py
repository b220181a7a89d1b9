"""The right side of a case: the decision, in whatever state it is, or why there is none yet."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from core.actions.cases.settlement_proposals import RESOLUTION
from core.queries import precedents
from core.queries.cases import CaseView
from core.queries.evidence import EvidenceItem
from core.rules.approvals import DecisionStatus
from core.rules.permissions import Permission, deciding
from dashboard import request_context
from dashboard.case.decision import (
    approvals,
    corrections,
    decision_view,
    form,
    preview,
    settlement_proposals,
    withdraw_decision,
)
from dashboard.ui import cards, deadlines, empty, header
from dashboard.ui.status import in_words


def show(case: CaseView, pieces: Sequence[EvidenceItem], *, now: datetime) -> None:
    stands = case.decision
    with cards.panel("case-panel"):
        if stands is None:
            decision_view.earlier(case)
            settlement_proposals.show(case, now=now)
            _undecided(case, pieces, now)
        elif stands.record.status == DecisionStatus.AWAITING_APPROVAL:
            approvals.show(case, stands)
        else:
            decision_view.show(case, stands)


def drawers(case: CaseView) -> None:
    preview.drawer(case)
    approvals.drawer(case)
    decision_view.drawer(case)
    withdraw_decision.drawer(case)
    corrections.drawer(case)


def _undecided(case: CaseView, pieces: Sequence[EvidenceItem], now: datetime) -> None:
    if case.record.corrects_id is not None:
        corrections.show(case)
    elif not case.open:
        _closed(case)
    elif not case.in_mediation:
        _between_parties(case, now)
    elif why_not := _why_not(case):
        header.section("Decision")
        empty.state("Not yours to decide", why_not, icon="gavel")
    else:
        with request_context.reading() as session:
            past = precedents.like(
                session, platform=case.context.project.platform, reason=case.record.reason, but=case.id
            )
        form.show(case, pieces, past)


def _why_not(case: CaseView) -> str | None:
    if case.tie:
        return "You have a tie to a party of this case. Hand it over to a colleague."
    if case.left_by(request_context.actor().id):
        return "You recused yourself from this case. A colleague decides it."
    if any(request_context.may(each) for each in deciding(escalated=case.record.escalated)):
        return None
    if request_context.may(Permission.DECIDE_ESCALATED):
        return "Administrators decide a case once it is escalated."
    return "A mediator decides. You see what they see, and can write to them under Messages."


def _closed(case: CaseView) -> None:
    if case.record.resolution == RESOLUTION:
        return  # the agreement says it
    header.section("How it ended")
    cards.facts(
        {"Outcome": in_words(case.record.resolution or "—"), "When": case.record.resolved_at}, columns=2
    )
    cards.note("The parties settled it themselves; nothing was decided here.")


def _between_parties(case: CaseView, now: datetime) -> None:
    header.section("Decision")
    due = case.record.mediation_due_at
    when = (
        f"Mediation starts automatically {deadlines.words(due, now)} ({deadlines.exact(due)}), "
        "or when either party asks."
        if due
        else "Mediation begins when either party asks."
    )
    empty.state("Still between the parties", f"They may settle this themselves. {when}", icon="forum")
