"""The timeline of a case: one stream, each happening with its author and its audience."""

from __future__ import annotations

from datetime import datetime
from typing import cast

import streamlit as st

from core.queries import timeline
from core.queries.cases import Case
from core.queries.happenings import About
from core.queries.timeline import Happening
from dashboard import current
from dashboard.case import asof
from dashboard.ui import cards, empty
from dashboard.ui.status import Tone
from dashboard.ui.timeline import Moment
from dashboard.ui.timeline import timeline as draw

PARTS = {
    About.CASE: "Case",
    About.MESSAGE: "Messages",
    About.EVIDENCE: "Evidence",
    About.MONEY: "Money",
    About.DECISION: "Decisions",
    About.LETTER: "Letters",
}


def show(case: Case, *, now: datetime, until: datetime | None = None) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        parts = st.pills(
            "Show",
            list(PARTS),
            selection_mode="multi",
            format_func=PARTS.get,
            key="stream-parts",
            label_visibility="collapsed",
        )
        public = st.toggle("Only what the parties know", key="stream-public")
    with current.reading() as session:
        everything, cut = timeline.timeline(session, case)
    everything = asof.before(everything, until)
    shown = [
        each for each in everything if (not parts or each.about in parts) and not (public and each.staff_only)
    ]
    if cut:
        cards.note("Only the newest 400 happenings are shown; the audit log has them all.")
    if not shown:
        empty.nothing_matches()
        return
    draw([_moment(each) for each in shown], now=now)


def _moment(each: Happening) -> Moment:
    audience = "staff only" if each.staff_only else "parties"
    return Moment(
        at=each.at,
        title=each.title,
        who=" · ".join(filter(None, (each.who, audience))),
        text=each.text,
        tone=cast(Tone, each.tone),
        facts=each.facts,
        reference=each.reference,
    )
