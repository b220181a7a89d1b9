"""The audit log: who did what, newest first, and the proof that nobody altered it since."""

from __future__ import annotations

import streamlit as st

from core.queries import audit, people
from core.rules.permissions import Permission
from dashboard import current
from dashboard.compliance import chained, entry, export, proof, style, wanted, words
from dashboard.compliance.beside import beside
from dashboard.compliance.words import Names
from dashboard.ui import cards, header, tables
from dashboard.ui.cards import Kpi

BRIEF = ("at", "who", "title", "object")  # beside an entry, which says the rest

current.require(Permission.READ_AUDIT)
now = current.now()
style.apply()
buttons = header.page(
    "Audit log",
    "Who did what, when and why. Sealed every second, signed outside the database. Times are UTC.",
)
figures = st.container()
proof.trouble()
proof.panel(now)
log, chain = st.tabs(["Entries", "Seals"], key="show", on_change="rerun", bind="query-params")

with current.reading() as session:
    state = audit.seal_state(session)
    staff = {each.id: each.name for each in people.staff(session, now=now)}
    actions = audit.distinct_actions(session)

with log:
    asked = wanted.ask(actions, staff, now=now)
    cursor = wanted.cursor()
    with current.reading() as session:
        count = audit.count(session, asked)
        rows = audit.page(session, asked, before_id=cursor.before, limit=cursor.limit)
        names = Names.of(session, rows)
    columns = [
        tables.when("at", "Time", width=150),
        tables.text("who", "Who", value=names.who, width=124),
        tables.text("role", "Role", value=words.roles, width=92),
        tables.text("title", "What", value=lambda row: words.title(row.action), width=190),
        tables.leads("object", "Object", value=names.what, to=words.way, width=126),
        tables.text("reason", "Reason", value=lambda row: row.reason or "", width=250),
        tables.mono("action", "Action", width=200),
        tables.text("id", "Entry", value=lambda row: str(row.id), width=76),
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

    beside("entries", [row.id for row in rows], entries, entry.show, param="entry")

if chain.open:
    with chain:
        chained.show()

with figures:
    cards.kpis(
        [
            Kpi("Entries", str(count), "match the filters" if asked.given else "in the whole log"),
            *proof.seals(state, now),
            proof.figure(now),
        ]
    )
with buttons:
    if current.may(Permission.VERIFY_AUDIT):
        proof.button()
    if current.may(Permission.EXPORT_AUDIT):
        export.button()
if current.may(Permission.EXPORT_AUDIT):
    export.drawer(asked, count)
