"""The left side of a case. Only the tab that is open is read and drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

from core.queries import evidence_notes
from core.queries import letters as queries
from core.queries.cases import CaseView
from core.queries.evidence import EvidenceItem
from core.rules.permissions import Permission
from dashboard import letters, request_context
from dashboard.case import asof, redaction
from dashboard.case.tabs import evidence_notes as margin
from dashboard.case.tabs import messages_tab, money_tab, parties, terms, timeline_tab
from dashboard.ui import cards, filters, tables
from dashboard.ui.evidence import gallery

NAMES = ("Evidence", "Timeline", "Messages", "Terms", "Money", "Parties", "E-mails")


def show(
    case: CaseView,
    pieces: Sequence[EvidenceItem],
    *,
    now: datetime,
    until: datetime | None = None,
    whose: str | None = None,
) -> None:
    """`until`: nothing later than that; the case and the evidence are as `whose` eyes saw them then."""
    draw: dict[str, Callable[[], None]] = {
        "Evidence": lambda: _evidence(case, pieces, until, whose),
        "Timeline": lambda: timeline_tab.show(case, now=now, until=until),
        "Messages": lambda: messages_tab.show(case, now=now, until=until),
        "Terms": lambda: terms.show(case),
        "Money": lambda: money_tab.show(case, now=now, until=until),
        "Parties": lambda: parties.show(case, until),
        "E-mails": lambda: _letters(case, until),
    }
    for name, tab in zip(NAMES, filters.tabs(NAMES, key="tab"), strict=True):
        if tab.open:
            with tab:
                draw[name]()


def _letters(case: CaseView, until: datetime | None) -> None:
    with request_context.reading() as session:
        rows = queries.about(session, "milestone", case.context.milestone.id)
    shown = redaction.redacted(case, asof.before(rows, until))
    letters.show(
        shown,
        key=f"case-{case.id}",
        words=partial(redaction.redact, case),
        narrow=True,
        download=tables.Table(
            "letters",
            lambda session: redaction.redacted(
                case,
                asof.before(
                    queries.about(session, "milestone", case.context.milestone.id, limit=None), until
                ),
            ),
            permission=Permission.EXPORT_CASE,
            filter={"case": case.id, "until": until},
        ),
    )
    if rows.note:
        cards.note(rows.note)


def _evidence(
    case: CaseView, pieces: Sequence[EvidenceItem], until: datetime | None, whose: str | None
) -> None:
    """Looking back, the marks are those of whoever decided, and nothing is added."""
    words = None if redaction.shown(case) else partial(redaction.redact, case)
    with request_context.reading() as session:
        found = evidence_notes.of_milestone(session, case.context.milestone.id, until=until)
    gallery(
        request_context.desk(),
        request_context.actor(),
        pieces,
        key=f"evidence-{case.id}" if until is None else f"evidence-{case.id}-then",
        words=words,
        notes=found,
        may_mark=request_context.may(Permission.WORK_CASE) and until is None,
        whose=whose,
    )
    margin.show(case, pieces, found, add=until is None)
