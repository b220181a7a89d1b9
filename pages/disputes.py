"""The mediators' queue: what is due first, on top."""

from __future__ import annotations

import streamlit as st

from core.policy import Platform
from core.queries import disputes
from core.queries.disputes import BOUND, CaseFilter, View, Watch
from core.rules.permissions import Permission
from dashboard import navigation, readings, request_context
from dashboard.case.queue import assignment, keys, opening, pages
from dashboard.case.queue import view as queue
from dashboard.ui import confirm, empty, filters, header
from dashboard.ui.status import in_words

actor = request_context.require(Permission.READ_CASES)
pages.come_back()
now, me = request_context.now(), actor.id or 0

buttons = header.page("Cases", "Cases of both marketplaces, the most urgent first. Times are UTC.")
top = st.container()
queue.asked_view()
with filters.bar():
    view = filters.choice("View", queue.VIEWS, key="view", everything="All open")
    platform = filters.one_of(
        "Marketplaces", {each.value: in_words(each.value) for each in Platform}, key="platform", width=132
    )
    watch = filters.one_of("Filter by flag", queue.WATCH, key="watch", width=136)
    words = filters.search("Party, title or D-42", key="q", width=164)
wanted = CaseFilter(
    me=me,
    now=now,
    view=View(view) if view else None,
    platform=platform,
    words=words,
    watch=Watch(watch) if watch else None,
)
readings.looked_for(words)
pages.heed(view, platform, watch, words)
after, before = pages.places()

with request_context.reading() as session:
    figures = disputes.figures(session, me=me, now=now)
    total = disputes.count(session, wanted)
    rows = disputes.page(session, wanted, after=after, before=before, limit=queue.SIZE)
    left = disputes.count(session, wanted, after=rows[-1].place) if rows else 0

with top:
    queue.figures(figures)
    opening.waiting()
opened = queue.table(rows, now=now)
if not rows and (after or before):  # the page that the address names has emptied
    pages.turn(None, None)
    st.rerun()
if rows:
    pages.pages(rows, total=total, left=left, bound=BOUND, begun=bool(after or before))
    queue.file(wanted)
else:
    why = queue.empty(wanted)
    empty.state(*why) if why else empty.nothing_matches()
if opened:
    navigation.go("case", id=opened)

with buttons:
    keys.help_button()
    if request_context.may(Permission.DECIDE):
        intent = confirm.pressed(
            "Claim next case", key="claim-next", icon=":material/front_hand:", shortcut="N"
        )
        if intent:
            confirm.carry_out(
                intent,
                assignment.claim_next,
                done=lambda case: f"Case D-{case.id} is yours.",
                then=lambda case: navigation.go("case", id=case.id),
            )
keys.drawers()
