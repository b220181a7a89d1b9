"""All projects: how far they are, and what is held for them."""

from __future__ import annotations

import streamlit as st

from core.policy import Platform
from core.queries import projects
from core.queries.projects import ProjectFilter
from core.rules.permissions import Permission
from dashboard import navigation, readings, request_context
from dashboard.ui import filters, header, status, tables
from dashboard.ui.status import in_words

request_context.require(Permission.READ_CASES)

header.page("Projects", "Accepted bids of both marketplaces, the newest first.")
with filters.bar():
    chosen = filters.choice("Status", status.labels("project"), key="status")
    platform = filters.one_of(
        "Both marketplaces",
        {each.value: in_words(each.value) for each in Platform},
        key="platform",
        width=170,
    )
    words = filters.search("Title, party or bid", key="q", width=230)
    disputed = filters.toggle("With an open case", key="disputed")
wanted = ProjectFilter(platform=platform, status=chosen, disputed=disputed, words=words)
readings.looked_for(words)
window = tables.window("page", depends=(chosen, platform, words, disputed), bound=projects.BOUND)

with request_context.reading() as session:
    total = projects.count(session, wanted)
    rows = projects.page(session, wanted, offset=window.offset, limit=window.size)

picked = tables.table(
    rows,
    [
        tables.opens("id", "Project", page="project", value=lambda row: f"P-{row.id}", width=68),
        tables.text("title", "Title", width=156),
        tables.text("parties", "Payer · payee", width=176),
        tables.money("total", "Total", width=110),
        tables.money("held", "Held now", width=104),
        tables.text("progress", "Settled", width=68),
        tables.text("now", "Under way", value=lambda row: row.now or "—", width=124),
        tables.status("now_status", "Milestone", axis="milestone", width=112),
        tables.status("status", "Project", axis="project", width=86),
        tables.count("cases", "Cases", width=52, help="Open cases."),
    ],
    key="projects",
    select=True,
    window=window,
    total=total,
    download=tables.Table(
        "projects",
        lambda session: tables.through(
            lambda offset, limit: projects.page(session, wanted, offset=offset, limit=limit)
        ),
        permission=Permission.EXPORT_CASE,
        filter={"status": chosen, "platform": platform, "open-case": disputed, "words": words},
    ),
    name="Projects, newest first",
    empty_state=None
    if words or platform or chosen or disputed
    else ("No projects yet", "A project appears here when a payer accepts a bid."),
)
if picked is not None:
    st.session_state.pop("projects:chosen", None)  # or coming back would open it again
    navigation.go("project", id=picked)
