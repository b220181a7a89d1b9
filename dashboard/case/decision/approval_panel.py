"""A decision in the hands of its second person: the plan, what its maker saw, and what came since."""

from __future__ import annotations

import streamlit as st

from core.queries import approvals, cases
from core.queries.approvals import MakerEvidence, MakerView
from core.queries.cases import CaseView
from core.rules.approvals import DecisionStatus
from core.rules.readings import ReadingKind
from dashboard import navigation, readings, request_context
from dashboard.case import names_hidden, redaction
from dashboard.case.decision import approvals as approval_view
from dashboard.case.decision import decision_view as decided
from dashboard.case.decision import withdraw_decision
from dashboard.ui import cards, deadlines, header, tables
from dashboard.ui.master_detail import close
from dashboard.ui.safe import html, plain


def show(case_id: int) -> None:
    """The panel beside the queue."""
    with request_context.reading() as session:
        case = cases.case(session, case_id, staff_id=request_context.actor().id)
        recorded = case.decision
        seen = approvals.maker_view(session, recorded.record) if recorded else None
    case, _ = names_hidden.see(case)
    _head(case)
    if recorded is None or seen is None or recorded.record.status != DecisionStatus.AWAITING_APPROVAL:
        cards.note("Nothing waits for a second person in this case any more.")
        st.button("Close", key="close-approval", on_click=close, args=("approvals",))
        return
    readings.note(ReadingKind.CASE, case.id)
    if seen.since:
        readings.note(ReadingKind.MESSAGES, case.id)
    approval_view.show(case, recorded)
    header.section(f"What {recorded.maker} saw", _summary(seen))
    _evidence(case, seen)
    _since(case, seen)
    approval_view.drawer(case)
    decided.drawer(case)
    withdraw_decision.drawer(case)


def _head(case: CaseView) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.subheader(plain(f"{case.reference} · {case.context.milestone.title}"), anchor=False)
        navigation.link("case", f"Open case {case.reference}", icon=":material/folder_open:", id=case.id)


def _summary(seen: MakerView) -> str:
    before = [each for each in seen.evidence if not each.since]
    opened = len(before) - seen.unopened
    return f"{opened} of {len(before)} pieces of evidence opened, {seen.messages} messages on file"


def _evidence(case: CaseView, seen: MakerView) -> None:
    if not seen.evidence:
        cards.note("No evidence was submitted.")
        return
    tables.small(
        seen.evidence,
        [
            tables.text("file_name", "Evidence", value=lambda each: redaction.redact(case, each.file_name)),
            tables.text("uploader_role", "From", value=lambda each: each.uploader_role.capitalize()),
            tables.text("state", "Maker", value=_state),
            tables.text("cited", "Cited", value=lambda each: "Yes" if each.cited else "No"),
        ],
    )


def _state(each: MakerEvidence) -> str:
    if each.since:
        return f"Came in since: {deadlines.exact(each.at)}"
    return f"Opened {deadlines.exact(each.opened_at)}" if each.opened_at else "Never opened"


def _since(case: CaseView, seen: MakerView) -> None:
    """Messages that came after the decision, in full: they may change a mind."""
    if not seen.since:
        return
    header.section("New messages", f"{len(seen.since)} after the decision")
    for each in seen.since:
        st.caption(plain(f"{each.author}, {deadlines.exact(each.at)}"))
        st.html(f'<blockquote class="ed-quote">{html(redaction.redact(case, each.body))}</blockquote>')
