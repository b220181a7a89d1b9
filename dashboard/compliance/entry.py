"""One entry of the audit log, whole: who, when, why, what changed, what proves it, and where to go from here."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.audit import recorded_steps
from core.queries import audit
from core.queries.audit import LogEntry
from core.rules.references import reference
from dashboard import navigation, request_context
from dashboard.compliance import audit_labels, difference
from dashboard.compliance.audit_labels import Names
from dashboard.ui import cards, deadlines, status
from dashboard.ui.safe import html, plain
from dashboard.ui.status import Pill

ICONS = {"case": "folder_open", "project": "home_work", "holds": "lock", "people": "group", "policy": "gavel"}


def show(entry_id: int, *, alone: bool = False) -> None:
    """Reads and draws. `alone`: on a page of its own. Raises `NotFound`."""
    with request_context.reading() as session:
        entry = audit.entry(session, entry_id)
        names = Names.of(session, [entry])
        currency = audit.currency(session, entry)
    if not alone:
        _head(entry)
    _facts(entry, names, columns=4 if alone else 2)
    if entry.reason:
        st.html(f'<p class="ed-quote">{html(entry.reason)}</p>')
    _changes(entry, names, currency)
    _ways(entry, alone=alone)


def seal(entry: LogEntry) -> Pill:
    """Under which seal an entry lies. Whether it is still what was sealed, only Verify says."""
    if entry.seal is None:
        return Pill("Not sealed yet", "wait", None, "No seal covers it, so nothing proves it so far.")
    when = f"Made {deadlines.exact(entry.sealed_at)}. Verify says whether the entry is still what was sealed."
    return Pill(f"Seal {entry.seal:,}", "info", None, when)


def _head(entry: LogEntry) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.subheader(plain(audit_labels.title(entry.action)), anchor=False, width="content")
        status.show(seal(entry))


def _facts(entry: LogEntry, names: Names, *, columns: int) -> None:
    facts: dict[str, Any] = {
        "When": f"{entry.at:%-d %b %Y, %H:%M:%S} UTC",
        "Who": names.who(entry),
        "Role": audit_labels.roles(entry),
        "Object": names.what(entry),
        "Action": entry.action,
        "Entry": f"{entry.id}",
    }
    links = {
        "Project": ("P-", entry.project_id),
        "Milestone": ("M-", entry.milestone_id),
        "Case": ("D-", entry.ticket_id),
    }
    facts |= {label: f"{letter}{number}" for label, (letter, number) in links.items() if number}
    if entry.report_id:
        facts["Report"] = reference("report", entry.report_id)
    if entry.operation_key:
        facts["Operation"] = entry.operation_key
    facts["Recorded"] = f"{entry.recorded_at:%-d %b %Y, %H:%M:%S} UTC"
    facts["Transaction"] = entry.xid
    cards.facts(facts, columns=columns)


def _changes(entry: LogEntry, names: Names, currency: str | None) -> None:
    def named(field: str, value: Any) -> str | None:
        if field == recorded_steps.WHY_TWO:
            none = value == recorded_steps.digest([])
            return "Not needed" if none else f"Needed; the reasons have the SHA-256 {value}"
        if type(value) is not int:
            return None
        if field in ("mediator", "staff"):
            return names.member(value)
        return f"party {value}" if field in ("payee", "payer", "party") else None

    lines = difference.lines(entry.before, entry.after, currency=currency, named=named)
    if lines:
        st.html(difference.table(lines))
    else:
        cards.note("No further details were recorded.")


def _ways(entry: LogEntry, *, alone: bool) -> None:
    """Links to the pages that show what this is about, and to the entries around it."""
    ways: dict[str, tuple[str, dict[str, Any]]] = {}
    if found := audit_labels.way(entry):
        ways[f"Open {_noun(found[0])}"] = (found[0], dict(found[1]))
    if entry.ticket_id and "case" not in (found or ("",))[0]:
        ways[f"Case D-{entry.ticket_id}"] = ("case", {"id": entry.ticket_id})
    if entry.project_id and "project" not in (found or ("",))[0]:
        ways["Project"] = ("project", {"id": entry.project_id})
    if entry.operation_key:
        ways["Operation"] = ("operations", {"q": entry.operation_key})
    ways["All about this object"] = (
        "audit",
        {"object": audit_labels.noun(entry.object_kind), "number": entry.object_id},
    )
    if entry.milestone_id:
        ways["All about this milestone"] = ("audit", {"milestone": entry.milestone_id})
    if not alone:
        ways["Entry alone"] = ("entry", {"id": entry.id})
    with st.container(horizontal=True, gap="small"):
        for label, (page, params) in ways.items():
            if page in navigation.on_disk():
                icon = f":material/{ICONS.get(page, 'arrow_forward')}:"
                navigation.link(page, label, icon=icon, **params)


def _noun(page: str) -> str:
    return navigation.on_disk()[page].title.lower() if page in navigation.on_disk() else page
