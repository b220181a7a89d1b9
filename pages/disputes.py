"""The mediators' queue: what is due first, on top."""

from __future__ import annotations

import streamlit as st

from core.policy import Platform
from core.queries import disputes
from core.queries.disputes import Filter, View
from core.rules.permissions import Permission
from dashboard import current, navigation
from dashboard.case import claim, queue
from dashboard.ui import confirm, filters, header, tables
from dashboard.ui.status import in_words

actor = current.require(Permission.READ_CASES)
now, me = current.now(), actor.id or 0

buttons = header.page(
    "Disputes", "Disputed milestones of both platforms, the most urgent first. Times are UTC."
)
top = st.container()
with filters.bar():
    view = filters.choice("View", queue.VIEWS, key="view", everything="All open")
    platform = filters.one_of(
        "Both platforms", {each.value: in_words(each.value) for each in Platform}, key="platform", width=170
    )
    words = filters.search("Party, title or D-42", key="q", width=230)
wanted = Filter(me=me, now=now, view=View(view) if view else None, platform=platform, words=words)
window = tables.window("page", size=50, depends=(view, platform, words))

with current.reading() as session:
    figures = disputes.figures(session, me=me, now=now)
    total = disputes.count(session, wanted)
    rows = disputes.page(session, wanted, offset=window.offset, limit=window.size)

with top:
    queue.figures(figures)
chosen = tables.table(
    rows,
    queue.columns(now),
    key="queue",
    select=True,
    window=window,
    total=total,
    name="Disputes, the most urgent first",
    empty_state=queue.empty(wanted),
)
if chosen is not None:
    st.session_state.pop("queue:chosen", None)  # or coming back would open it again
    navigation.go("case", id=chosen)

if rows:
    with buttons:
        if st.button("Open the first", key="open-first", type="tertiary", shortcut="Enter"):
            navigation.go("case", id=rows[0].id)
if current.may(Permission.DECIDE):
    with buttons:
        intent = confirm.pressed(
            "Claim next case", key="claim-next", icon=":material/front_hand:", shortcut="N"
        )
    if intent:
        confirm.carry_out(
            intent,
            claim.claim_next,
            done=lambda ticket: f"Case D-{ticket.id} is yours.",
            then=lambda ticket: navigation.go("case", id=ticket.id),
        )
