"""One dispute: evidence on the left, the decision beside it."""

from __future__ import annotations

import streamlit as st

from core.errors import NotFound
from core.queries import cases, exhibits
from core.rules.permissions import Permission
from dashboard import current, navigation
from dashboard.case import acts, asof, blind, draft, head, names, panel, style, tabs
from dashboard.ui import empty, header

actor = current.require(Permission.READ_CASES)
now = current.now()

number = navigation.asked("id")
try:
    with current.reading() as session:
        case = cases.case(session, number or 0, staff_id=actor.id)
        pieces = exhibits.evidence(session, case.dossier.milestone.id, staff_id=actor.id)
except NotFound:
    header.page("Case", back=("disputes", "Disputes"))
    empty.state(
        "There is no such case",
        "Look it up under Disputes by its number, a party or a title.",
        icon="search_off",
    )
    st.stop()

draft.follow(case)
case, sight = blind.see(case)
pieces = names.pieces(case, pieces)
style.apply()
until, then, shown, me, whose = asof.chosen(case), case, pieces, actor.id, None
if until is not None and case.ruling is not None:
    then, shown = asof.as_seen(case, until)
    me, whose = case.ruling.record.maker_id, case.ruling.maker
buttons = head.show(then, me=me, now=until or now)
blind.banner(sight)
asof.toggle(case)
with st.container(key="case-body"):
    left, right = st.columns([11, 10], gap="medium")
    with left:
        tabs.show(then, shown, now=now, until=until, whose=whose)
    with right:
        panel.show(case, pieces, now=now)
        if case.open:
            blind.preference(sight, key=f"blind-{case.id}")

with buttons:
    acts.buttons(case)
acts.drawers(case)
panel.drawers(case)
