"""One case: evidence on the left, the decision beside it."""

from __future__ import annotations

import streamlit as st

from core.errors import NotFound
from core.queries import cases, evidence
from core.rules.permissions import Permission
from core.rules.readings import ReadingKind
from core.rules.references import reference
from dashboard import navigation, readings, request_context
from dashboard.case import asof, head, names_hidden, panel, redaction, style, toolbar
from dashboard.case.decision import drafts
from dashboard.case.tabs import tabs
from dashboard.ui import empty, header

actor = request_context.require(Permission.READ_CASES)
now = request_context.now()

number = navigation.asked("id")
try:
    with request_context.reading() as session:
        case = cases.case(session, number or 0, staff_id=actor.id)
        pieces = evidence.evidence(session, case.context.milestone.id, staff_id=actor.id)
except NotFound:
    header.page("Case", back=("disputes", "Cases"))
    called = None if number is None else reference("case", number)
    empty.unknown("case", called, "Look it up under Cases by its number, a party or a title.")
    navigation.end()

readings.note(ReadingKind.CASE, case.id)
drafts.follow(case)
case, sight = names_hidden.see(case)
pieces = redaction.pieces(case, pieces)
style.apply()
until, then, shown, me, whose = asof.chosen(case), case, pieces, actor.id, None
if until is not None and case.decision is not None:
    then, shown = asof.as_seen(case, until)
    me, whose = case.decision.record.maker_id, case.decision.maker
buttons = head.show(then, me=me, now=until or now)
names_hidden.banner(sight)
asof.toggle(case)
with st.container(key="case-body"):
    left, right = st.columns([11, 10], gap="medium")
    with left:
        tabs.show(then, shown, now=now, until=until, whose=whose)
    with right:
        panel.show(case, pieces, now=now)
        if case.open:
            names_hidden.preference(sight, key=f"blind-{case.id}")

with buttons:
    toolbar.buttons(case)
toolbar.drawers(case)
panel.drawers(case)
