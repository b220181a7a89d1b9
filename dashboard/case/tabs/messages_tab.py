"""The messages of a case, and the field to answer in: to both parties, or a note that only staff can read."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from core.actions.cases import conversation
from core.queries import evidence
from core.queries.cases import CaseView
from core.queries.evidence import MessageItem
from core.rules.messages import Audience
from core.rules.permissions import Permission
from core.rules.readings import ReadingKind
from dashboard import readings, request_context
from dashboard.case import redaction
from dashboard.ui import cards, confirm, deadlines, empty, kept_choices, text_fields
from dashboard.ui.safe import html
from dashboard.ui.timeline import html_lines

SIDES = {"PAYER": "payer", "PAYEE": "payee", "STAFF": "staff", "SYSTEM": "System"}
PAGE = 100
HINTS = {"PARTIES": "Both parties will read this.", "STAFF": "Only staff will read this."}


def show(case: CaseView, *, now: datetime, until: datetime | None = None) -> None:
    """The newest messages; the older ones when they are asked for."""
    readings.note(ReadingKind.MESSAGES, case.id)
    wanted = st.session_state.setdefault(f"talk-{case.id}:pages", 1) * PAGE
    with request_context.reading() as session:
        said = evidence.messages(session, case.context.milestone.id, until=until, latest=wanted + 1)
    said = redaction.said(case, said)
    if len(said) > wanted:
        said = said[-wanted:]
        st.button("Earlier messages", key="talk-earlier", type="tertiary", on_click=_earlier, args=(case.id,))
    if said:
        st.html(f'<div class="ed-talk">{"".join(_bubble(case, each, now) for each in said)}</div>')
    else:
        empty.state("No messages yet", "Messages from the parties and staff appear here.", icon="forum")
    if until is not None:
        return
    if request_context.may(Permission.WORK_CASE):
        _answer(case)
    else:
        cards.note("Mediators and compliance write here.")


def _earlier(case_id: int) -> None:
    st.session_state[f"talk-{case_id}:pages"] += 1


def _bubble(case: CaseView, each: MessageItem, now: datetime) -> str:
    private = each.audience == Audience.STAFF
    to = "staff only" if private else "to both parties"
    return (
        f'<div class="ed-{html(each.side)}{" ed-note" if private else ""}">'
        f"<header><b>{html(redaction.redact(case, each.author))}</b><span>{html(SIDES[each.side])} · {to}</span>"
        f'<time title="{html(deadlines.exact(each.at))}">{html(deadlines.ago(each.at, now))}</time></header>'
        f'<div dir="auto">{html_lines(each.body)}</div></div>'
    )


@st.fragment
def _answer(case: CaseView) -> None:
    """A fragment: writing redraws nothing else, and a refusal keeps what was written, as does a reload."""
    place = text_fields.named("case", case.id, "message")
    away = case.open and case.left_by(request_context.actor().id)
    offered = ["STAFF"] if away else list(HINTS)
    with st.container(border=True, key="case-answer"):
        audience = (
            st.segmented_control(
                "To",
                offered,
                format_func={"PARTIES": "Both parties", "STAFF": "Note for staff only"}.__getitem__,
                required=True,
                key=kept_choices.choice_key(place, "to", offered, default=offered[0], key="answer-audience"),
                label_visibility="collapsed",
            )
            or offered[0]
        )
        if away:
            cards.note(
                "You recused yourself from this case: you can leave a note for staff, but not write to its parties."
            )
        body = text_fields.area(place, "Message", placeholder=HINTS[audience], hidden=True)
        intent = confirm.pressed("Send", key="answer-send", type="secondary", icon=":material/send:")
        if intent:
            confirm.carry_out(
                intent,
                lambda session, actor, at: conversation.say(
                    session,
                    actor,
                    now=at,
                    milestone_id=case.context.milestone.id,
                    body=body,
                    audience=audience,
                ),
                done="Sent." if audience == Audience.PARTIES else "Noted, for staff only.",
                sent=[place],
            )
