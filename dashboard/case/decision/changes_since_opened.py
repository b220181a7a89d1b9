"""What was written while someone looks at a plan: shown before they answer, so that an answer says what it saw."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.queries.cases import CaseView
from core.queries.evidence import EvidenceItem, MessageItem
from dashboard.case import redaction
from dashboard.ui import deadlines, header
from dashboard.ui.safe import html, plain
from dashboard.ui.timeline import html_lines


def show(case: CaseView, key: str, said: Sequence[MessageItem], *, beside: str) -> int:
    """Draws what came in. Returns the last message that was on the screen when this run began: what has come in since
    is drawn now, and counts as read from the next press on."""
    if said:
        header.section("New messages", beside)
        st.html("".join(_quote(case, each) for each in redaction.said(case, said)))
    newest = max((each.id for each in said), default=0)
    before: int = st.session_state.get(f"news-{key}", newest)
    st.session_state[f"news-{key}"] = newest
    return before


def evidence(case: CaseView, pieces: Sequence[EvidenceItem], *, beside: str) -> None:
    """What was submitted meanwhile, by name: the plan does not know of it."""
    header.section("Evidence since", beside)
    for each in pieces:
        name, who = redaction.redact(case, each.file_name), each.uploader_role.lower()
        st.warning(
            plain(f"{name}, from the {who}, {deadlines.exact(each.at)}. Open it under Evidence."),
            icon=":material/attach_file:",
        )


def forget(key: str) -> None:
    """The plan is read again, and what is on the screen then is what was seen."""
    st.session_state.pop(f"news-{key}", None)


def _quote(case: CaseView, each: MessageItem) -> str:
    return (
        f'<blockquote class="ed-quote"><small>{html(redaction.redact(case, each.author))}, '
        f"{html(deadlines.exact(each.at))}</small><br>{html_lines(each.body)}</blockquote>"
    )
