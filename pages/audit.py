"""The audit log: who did what, newest first, and the proof that nobody altered it since."""

from __future__ import annotations

import streamlit as st

from core.queries import audit, people
from core.rules.permissions import Permission
from dashboard import request_context
from dashboard.compliance import (
    audit_filters,
    audit_labels,
    audit_verification,
    entry,
    exports,
    seal_list,
    style,
)
from dashboard.compliance.audit_labels import Names
from dashboard.ui import cards, filters, header, tables
from dashboard.ui.cards import Kpi
from dashboard.ui.master_detail import side_by_side

BRIEF = ("at", "who", "title", "object")  # beside an entry, which says the rest

request_context.require(Permission.READ_AUDIT)
now = request_context.now()
style.apply()
buttons = header.page(
    "Audit log",
    "Who did what, when and why. Times are UTC.",
)
figures = st.container()
audit_verification.trouble()
audit_verification.panel(now)
log, chain = filters.tabs(["Entries", "Seals"], key="show")

with request_context.reading() as session:
    state = audit.seal_state(session)
    staff = {each.id: each.name for each in people.staff(session, now=now)}
    actions = audit.distinct_actions(session)

with log:
    asked = audit_filters.ask(actions, staff, now=now)
    cursor = audit_filters.cursor()
    with request_context.reading() as session:
        count = audit.count(session, asked)
        rows = audit.page(session, asked, before_id=cursor.before, limit=cursor.limit)
        names = Names.of(session, rows)
    columns = [
        tables.when("at", "Time", width=138),
        tables.text("who", "Who", value=names.who, width=124),
        tables.text("role", "Role", value=audit_labels.roles, width=84),
        tables.text("title", "What", value=lambda row: audit_labels.title(row.action), width=164),
        tables.leads("object", "Object", value=names.what, to=audit_labels.way, width=126),
        tables.text("reason", "Reason", value=lambda row: row.reason or "", width=196),
        tables.mono("action", "Action", width=172),
        tables.text("id", "Entry", value=lambda row: str(row.id), width=64),
    ]

    def entries(narrow: bool) -> int | None:
        return tables.table(
            rows,
            [column for column in columns if not narrow or column.name in BRIEF],
            key="entries",
            select=True,
            cursor=cursor,
            download=None,  # the whole log has an export of its own, with a manifest
            name="Audit entries, newest first",
        )

    side_by_side("entries", [row.id for row in rows], entries, entry.show, param="entry")

if chain.open:
    with chain:
        seal_list.show()

with figures:
    cards.kpis(
        [
            Kpi("Entries", str(count), "match the filters" if asked.given else "in the whole log"),
            *audit_verification.seals(state, now),
            audit_verification.figure(now),
        ]
    )
with buttons:
    if request_context.may(Permission.VERIFY_AUDIT):
        audit_verification.button()
    if request_context.may(Permission.EXPORT_AUDIT):
        exports.of(asked, count).button("Export", key="export")
if request_context.may(Permission.EXPORT_AUDIT):
    exports.of(asked, count).drawer()
