"""The timeline of a case: one stream, each happening with its author and its audience, a page at a time.

What is shown stands in the address, and so does each entry: a link to it opens the page around it.
"""

from __future__ import annotations

from datetime import datetime
from typing import cast

import streamlit as st

from core.audit.actions import About
from core.queries import timeline
from core.queries.cases import CaseView
from core.queries.timeline import Mark, Stream, TimelineEvent, TimelineFilter
from dashboard import request_context
from dashboard.case import redaction
from dashboard.ui import cards, empty, filters
from dashboard.ui.status import Tone
from dashboard.ui.timeline import TimelineItem
from dashboard.ui.timeline import timeline as draw

PARTS = {
    About.CASE.value: "Case",
    About.MESSAGE.value: "Messages",
    About.EVIDENCE.value: "Evidence",
    About.MONEY.value: "Money",
    About.DECISION.value: "Decisions",
    About.LETTER.value: "E-mails",
}
PLACES = ("older", "newer", "entry")


def show(case: CaseView, *, now: datetime, until: datetime | None = None) -> None:
    parts, public = _filters()
    wanted = TimelineFilter(
        about=parts,
        public=public,
        until=until,
        before=st.query_params.get("older", ""),
        after=st.query_params.get("newer", ""),
        entry=st.query_params.get("entry", ""),
    )
    with request_context.reading() as session:
        stream = timeline.timeline(session, case, wanted)
    if stream.page.missing:
        cards.note(f"“{stream.page.missing[:40]}” is no entry of this case. These are its newest.")
    if not stream.events:
        empty.nothing_matches()
        return
    # What is new to the reader was not new, or not there, for whoever decided.
    since: datetime | None = None if until else st.session_state.get(f"case-{case.id}:since")
    if stream.page.older:
        _turn("Older", "older", stream.first, "expand_less")
    events = redaction.redacted(case, stream.events)
    draw([_moment(case, each, wanted.entry, since) for each in events], now=now)
    _foot(stream)


def _filters() -> tuple[frozenset[About], bool]:
    with filters.bar():
        for each in st.query_params.get_all("show"):
            if each not in PARTS.values():
                filters.unreadable("Show", "show", each)
        parts = st.pills(
            "Show",
            list(PARTS),
            selection_mode="multi",
            format_func=PARTS.__getitem__,
            key="show",
            label_visibility="collapsed",
            bind="query-params",
        )
        public = filters.toggle("Only what the parties know", key="public")
    about, seen = frozenset(About(each) for each in parts), st.session_state.get("stream:depends")
    if seen is not None and seen != (about, public):
        _go(None, None)
    st.session_state["stream:depends"] = (about, public)
    return about, public


def _foot(stream: Stream) -> None:
    if stream.page.newer:
        with st.container(horizontal=True, gap="small"):
            _turn("Newer", "newer", stream.last, "expand_more")
            st.button("Newest", key="stream-newest", type="tertiary", on_click=_go, args=(None, None))


def _turn(label: str, name: str, mark: Mark | None, icon: str) -> None:
    st.button(
        label,
        key=f"stream-{name}",
        type="tertiary",
        icon=f":material/{icon}:",
        on_click=_go,
        args=(name, mark.name if mark else None),
    )


def _go(name: str | None, mark: str | None) -> None:
    for each in PLACES:
        st.query_params.pop(each, None)
    if name and mark:
        st.query_params[name] = mark


def _moment(case: CaseView, each: TimelineEvent, asked: str, since: datetime | None) -> TimelineItem:
    audience = "visible to staff only" if each.staff_only else "visible to the parties"
    name = each.mark.name if each.mark else ""
    return TimelineItem(
        at=each.at,
        title=redaction.redact(case, each.title),
        who=" · ".join(filter(None, (redaction.redact(case, each.who), audience))),
        text=each.text,
        tone=cast(Tone, each.tone),
        facts=each.facts,
        reference=each.reference,
        link=f"/case?id={case.id}&tab=Timeline&entry={name}" if name else "",
        here=bool(asked) and name == asked,
        new=since is not None and each.at > since,
        private=each.staff_only,
    )
