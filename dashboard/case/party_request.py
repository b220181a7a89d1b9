"""Asking a party: what for, until when; and what a case waits for now."""

from __future__ import annotations

from datetime import datetime, timedelta

import streamlit as st

from core.actions.cases import conversation
from core.queries.cases import CaseView
from core.rules.permissions import Permission
from core.rules.requests import RequestKind
from dashboard import request_context
from dashboard.case import redaction
from dashboard.ui import cards, confirm, deadlines, kept_choices, text_fields
from dashboard.ui.safe import html
from dashboard.ui.timeline import html_lines

DAYS = (1, 2, 3, 5, 7)
HINTS = {
    RequestKind.ANSWER: "A message or a file from them lets the case go on.",
    RequestKind.DOCUMENT: "Only a file from them lets the case go on; a message alone does not.",
}


def show(case: CaseView, *, now: datetime) -> None:
    """What the case waits for, until when, and the way to go on without."""
    if case.waiting_on is None or case.record.answer_due_at is None:
        return
    due, asked = case.record.answer_due_at, case.request
    what = RequestKind(asked.kind).label.lower() if asked else "an answer"
    question = f"<br>{html_lines(asked.question)}" if asked else ""
    with st.container(horizontal=True, vertical_alignment="center", gap="medium", key="case-request"):
        st.html(
            f'<blockquote class="ed-quote ed-asked"><small>Waiting for {html(redaction.of(case, case.waiting_on))}: '
            f"{html(what)}, due {html(deadlines.words(due, now))} ({html(deadlines.exact(due))}); "
            f"then the review resumes automatically</small>{question}</blockquote>",
            width="stretch",
        )
        if request_context.may(Permission.WORK_CASE) and not case.left_by(request_context.actor().id):
            _go_on(case)


def _go_on(case: CaseView) -> None:
    intent = confirm.pressed(
        "Proceed without reply", key="case-go-on", type="secondary", icon=":material/skip_next:"
    )
    if intent:
        confirm.carry_out(
            intent,
            lambda session, actor, now: conversation.stop_waiting(session, actor, now=now, case_id=case.id),
            done="The case is under review again; the request is withdrawn.",
        )


@st.dialog("Ask a party", position="right", on_dismiss=confirm.close_drawer)
def drawer(case: CaseView) -> None:
    called = {each.id: f"{redaction.of(case, each)} ({each.role.lower()})" for each in case.parties}
    place = text_fields.named("case", case.id, "request")
    to = st.segmented_control(
        "Who",
        list(called),
        format_func=called.__getitem__,
        required=True,
        key=kept_choices.choice_key(place, "to", list(called), default=case.context.payee.id),
    )
    kind = st.segmented_control(
        "For",
        list(RequestKind),
        format_func=lambda each: each.label,
        required=True,
        key=kept_choices.choice_key(place, "kind", list(RequestKind), default=RequestKind.ANSWER),
    )
    kind = kind or RequestKind.ANSWER
    question = text_fields.area(place, "What do you need to know, or to see?", height=140, most=4_000)
    due = _until(case)
    cards.note(f"{HINTS[kind]} The case waits until {deadlines.exact(due)}, and then goes on by itself.")
    intent = confirm.pressed("Send question", key="ask", icon=":material/send:")
    if intent:
        confirm.carry_out(
            intent,
            lambda session, actor, now: conversation.ask(
                session,
                actor,
                now=now,
                case_id=case.id,
                party_id=to or 0,
                question=question,
                answer_due_at=due,
                kind=kind,
            ),
            done="Question recorded. The e-mail about it is sent next.",
            sent=[place],
        )


def _until(case: CaseView) -> datetime:
    """Some days, or the time to decide, which no answer may outlast."""
    now, decide_by = request_context.now(), None if case.record.escalated else case.record.decision_due_at
    fitting = [each for each in DAYS if decide_by is None or now + timedelta(days=each) < decide_by]
    choices = [*fitting, *([0] if decide_by else [])]
    days = st.segmented_control(
        "Time to answer",
        choices,
        default=3 if 3 in choices else choices[-1],
        required=True,
        format_func=lambda each: _days(each) if each else "Until the decision is due",
    )
    return now + timedelta(days=days) if days or decide_by is None else decide_by


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"
