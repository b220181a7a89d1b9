"""The messages of a case, and the field to answer in: to both parties, or a note that only staff can read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import streamlit as st

from core.actions import conversation
from core.queries import exhibits
from core.queries.cases import Case
from core.queries.exhibits import Said
from core.rules.permissions import Permission
from dashboard import current
from dashboard.case import asof, draft
from dashboard.ui import cards, confirm, deadline, empty
from dashboard.ui.safe import html

SIDES = {"PAYER": "payer", "PAYEE": "payee", "STAFF": "staff", "SYSTEM": "the desk itself"}


def show(case: Case, *, now: datetime, until: datetime | None = None) -> None:
    with current.reading() as session:
        said = asof.before(exhibits.messages(session, case.dossier.milestone.id), until)
    if said:
        st.html(f'<div class="ed-talk">{"".join(_bubble(each, now) for each in said)}</div>')
    else:
        empty.state("Nobody has written yet", "What the parties and staff write appears here.", icon="forum")
    if until is not None:
        return
    if current.may(Permission.WORK_TICKET):
        _answer(case, said)
    else:
        cards.note("Mediators and compliance write here.")


def _bubble(each: Said, now: datetime) -> str:
    private = each.audience == "STAFF"
    to = "staff only" if private else "to both parties"
    body = "<br>".join(html(line) for line in each.body.splitlines())
    return (
        f'<div class="ed-{html(each.side)}{" ed-note" if private else ""}">'
        f"<header><b>{html(each.author)}</b><span>{html(SIDES[each.side])} · {to}</span>"
        f'<time title="{html(deadline.exact(each.at))}">{html(deadline.ago(each.at, now))}</time></header>{body}</div>'
    )


def _answer(case: Case, said: Sequence[Said]) -> None:
    """A fragment: writing redraws nothing else, and a refusal keeps what was written."""
    field = draft.restore(case.id, "message", "")
    with st.container(border=True, key="case-answer"):
        audience = st.segmented_control(
            "To",
            ["PARTIES", "STAFF"],
            format_func={"PARTIES": "Both parties", "STAFF": "Note for staff only"}.get,
            required=True,
            default="PARTIES",
            key="answer-audience",
            label_visibility="collapsed",
        )
        body = st.text_area(
            "Message",
            key=field,
            height=96,
            max_chars=10_000,
            label_visibility="collapsed",
            placeholder="Both parties will read this."
            if audience == "PARTIES"
            else "Only staff will read this.",
        )
        draft.keep(case.id, message=body or "")
        draft.save(case.id)
        intent = confirm.pressed("Send", key="answer-send", type="secondary", icon=":material/send:")
        if intent:
            confirm.carry_out(
                intent,
                lambda session, actor, at: conversation.say(
                    session,
                    actor,
                    now=at,
                    milestone_id=case.dossier.milestone.id,
                    body=body or "",
                    audience=audience or "PARTIES",
                ),
                done="Sent." if audience == "PARTIES" else "Noted, for staff only.",
                then=lambda _: _sent(case.id),
            )


def _sent(case_id: int) -> None:
    st.session_state.pop(draft.key(case_id, "message"), None)
    draft.keep(case_id, message="")
    draft.save(case_id)
    st.rerun()
