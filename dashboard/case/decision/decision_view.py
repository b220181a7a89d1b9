"""A decision that is recorded: who decided what and why, who approved it, and how far it is carried out."""

from __future__ import annotations

import streamlit as st

from core.queries import decision_changes
from core.queries.cases import CaseView
from core.queries.decisions import RecordedDecision
from core.queries.letters_ahead import Ahead
from core.rules.approvals import DecisionStatus
from core.rules.grounds import DecisionOutcome, Ground
from dashboard import request_context
from dashboard.case import redaction
from dashboard.case.decision import (
    changes,
    corrections,
    execution_progress,
    letter_list,
    plan_view,
    withdraw_decision,
)
from dashboard.case.decision.preview import people
from dashboard.case.tabs import documents as papers_of
from dashboard.ui import cards, confirm, deadlines, header, status
from dashboard.ui.safe import html, plain
from dashboard.ui.timeline import html_lines


def show(case: CaseView, recorded: RecordedDecision) -> None:
    """The decision that stands, carried out or cooling off."""
    record = recorded.record
    header.section("Decision", f"made {deadlines.exact(record.made_at)}")
    status.row([status.pill("outcome", record.outcome), status.pill("decision", record.status)])
    plan_view.division(record.plan, people(case))
    facts(recorded)
    st.button(
        "Open plan",
        key="open-plan",
        icon=":material/description:",
        on_click=confirm.open_drawer,
        args=("decided",),
    )
    if record.status == DecisionStatus.EXECUTED:
        header.section("Carried out", "Stripe, e-mails, and what comes next")
        execution_progress.show(record.id)
        papers_of.show(case)
        corrections.links(case)
    elif record.execute_at:
        st.fragment(changes.show, run_every=30.0)(case, recorded)
        withdraw_decision.button(case, recorded)


def facts(recorded: RecordedDecision) -> None:
    record = recorded.record
    cards.facts(
        {
            "Ground": Ground(record.ground).label,
            "Decided by": recorded.maker,
            "Approved by": (recorded.checker or "not yet")
            if record.needs_approval
            else "no approval required",
            "Plan": record.plan_hash[:12],
        },
        columns=2,
    )
    lines = "\n".join(html(line) for line in record.reasons.splitlines())
    st.html(f'<blockquote class="ed-quote">{lines}</blockquote>')
    if record.check_note and record.status == DecisionStatus.EXECUTED:
        cards.note(f"{recorded.checker}: {record.check_note}")


def earlier(case: CaseView) -> None:
    """Decisions that were sent back or became void: the newest first, with why. Their makers find what they wrote in
    the form; for everybody else it stands here."""
    me = request_context.actor().id
    for each in case.decisions:
        if each.stands:
            continue
        record = each.record
        outcome = DecisionOutcome(record.outcome).label.lower()
        if record.status == DecisionStatus.RETURNED:
            words = f"{each.checker} sent the {outcome} back: {record.check_note}"
        else:
            made = f"{each.maker}, {deadlines.exact(record.made_at)}"
            words = f"The {outcome} ({made}) is void. {record.check_note or ''}"
        st.warning(plain(redaction.redact(case, words)), icon=":material/undo:")
        if record.maker_id != me or case.left_by(me):
            with st.expander(plain(f"What {each.maker} wrote")):
                st.html(
                    f'<blockquote class="ed-quote">{html_lines(redaction.redact(case, record.reasons))}</blockquote>'
                )


def letters(case: CaseView, recorded: RecordedDecision) -> list[tuple[str, Ahead]]:
    """Those of a recorded decision: as they were written, or as they will be."""
    record = recorded.record
    with request_context.reading() as session:
        papers = decision_changes.papers(session, case, record)
    return letter_list.read(
        record.plan,
        papers,
        second=record.needs_approval,
        wait=case.context.profile.cooling_off,
        decision=record,
    )


def drawer(case: CaseView) -> None:
    if case.decision is not None and confirm.drawer("decided") is not None:
        _dialog(case, case.decision)


@st.dialog("Decision plan", width="large", icon=":material/gavel:", on_dismiss=confirm.close_drawer)
def _dialog(case: CaseView, recorded: RecordedDecision) -> None:
    record = recorded.record
    plan_view.show(
        record.plan, record.plan_hash, key="decided", people=people(case), letters=letters(case, recorded)
    )
