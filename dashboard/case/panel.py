"""The right side of a case: the decision, in whatever state it is, or why there is none yet."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from core.actions.offers import RESOLUTION
from core.queries import precedents
from core.queries.cases import Case
from core.queries.exhibits import Piece
from core.rules.approvals import DecisionStatus
from core.rules.permissions import Permission
from dashboard import current
from dashboard.case import approval, correction, form, offering, preview, recall, ruling
from dashboard.ui import cards, deadline, empty, header
from dashboard.ui.status import in_words


def show(case: Case, pieces: Sequence[Piece], *, now: datetime) -> None:
    stands = case.ruling
    with cards.panel("case-panel"):
        if stands is None:
            ruling.earlier(case)
            offering.show(case, now=now)
            _undecided(case, pieces, now)
        elif stands.record.status == DecisionStatus.AWAITING_APPROVAL:
            approval.show(case, stands)
        else:
            ruling.show(case, stands)


def drawers(case: Case) -> None:
    preview.drawer(case)
    approval.drawer(case)
    ruling.drawer(case)
    recall.drawer(case)
    correction.drawer(case)


def _undecided(case: Case, pieces: Sequence[Piece], now: datetime) -> None:
    if case.ticket.corrects_id is not None:
        correction.show(case)
    elif not case.open:
        _closed(case)
    elif not case.in_mediation:
        _between_parties(case, now)
    elif why_not := _why_not(case):
        header.section("Decision")
        empty.state("Not yours to decide", why_not, icon="gavel")
    else:
        with current.reading() as session:
            past = precedents.like(
                session, platform=case.dossier.project.platform, reason=case.ticket.reason, but=case.id
            )
        form.show(case, pieces, past)


def _why_not(case: Case) -> str | None:
    if case.tie:
        return "You have a tie to a party of this case. Hand it over to a colleague."
    if case.left_by(current.actor().id):
        return "You stepped back from this case. A colleague decides it."
    if current.may(Permission.DECIDE) or (case.ticket.escalated and current.may(Permission.DECIDE_ESCALATED)):
        return None
    if current.may(Permission.DECIDE_ESCALATED):
        return "Administrators decide a case once it is escalated."
    return "A mediator decides. You see what they see, and can write to them under Messages."


def _closed(case: Case) -> None:
    if case.ticket.resolution == RESOLUTION:
        return  # the agreement says it
    header.section("How it ended")
    cards.facts(
        {"Outcome": in_words(case.ticket.resolution or "—"), "When": case.ticket.resolved_at}, columns=2
    )
    cards.note("The parties settled it themselves; nothing was decided here.")


def _between_parties(case: Case, now: datetime) -> None:
    header.section("Decision")
    due = case.ticket.mediation_due_at
    when = (
        f"Mediation begins by itself {deadline.words(due, now)} ({deadline.exact(due)}), or when either party asks."
        if due
        else "Mediation begins when either party asks."
    )
    empty.state("Still between the parties", f"They may settle this themselves. {when}", icon="forum")
