"""Export of the audit log: the filtered entries as a file with its manifest, or as a bundle that proves them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

import streamlit as st

from core.audit.export_manifest import Format
from core.audit.filters import AuditFilter
from core.queries.audit import EntryCount
from core.queries.exports import ExportView
from core.rules.exports import ExportKind
from dashboard.export_jobs import ExportChoice, ExportDrawer
from dashboard.ui import cards, confirm, deadlines
from dashboard.ui.status import in_words

FORMATS = {
    Format.CSV: "CSV, for a spreadsheet",
    Format.JSONL: "JSON Lines, exact",
    Format.PARQUET: "Parquet, for programs",
    Format.BUNDLE: "Signed bundle: proves that each entry stands in the log",
}
TYPES: Mapping[str, str] = {
    Format.CSV: "text/csv",
    Format.JSONL: "application/x-ndjson",
    Format.PARQUET: "application/vnd.apache.parquet",
    Format.BUNDLE: "application/zip",
}


def of(filter: AuditFilter, count: EntryCount) -> ExportDrawer:
    """For the entries that the page shows."""
    return ExportDrawer(
        kind=ExportKind.AUDIT,
        title="Export the audit log",
        noun="entries",
        media_types=TYPES,
        choose=partial(_choose, filter, count),
        facts=_facts,
        manifest_for=frozenset(TYPES) - {Format.BUNDLE},
    )


def _choose(filter: AuditFilter, count: EntryCount) -> tuple[str, ExportChoice] | None:
    st.markdown(f"**{count} entries** match the filters of the page, and all of them are exported.")
    if facts := filter.facts():
        cards.facts({in_words(name): str(value) for name, value in facts.items()}, columns=2)
    else:
        cards.note("No filter is set: this is the whole log.")
    chosen = st.radio("Format", list(FORMATS), format_func=FORMATS.__getitem__, key="export-format")
    cards.note(
        "The log records the export and its download, with the file's fingerprint. The manifest is signed by the desk "
        "and marks every row: “escrow-desk audit verify-export” names offline what is off. It holds the last signed "
        "seal, if there is one. A bundle holds manifest, entries and their proof in one zip file."
    )
    intent = confirm.pressed("Prepare the file", key="export-begin", icon=":material/play_arrow:")
    return (intent, ExportChoice(chosen.value, chosen.ending, facts)) if intent else None


def _facts(found: ExportView) -> Mapping[str, Any]:
    facts = found.facts or {}
    first, last = (None if facts[name] is None else str(facts[name]) for name in ("first_id", "last_id"))
    return {
        "Entries": facts["rows"],
        "Seal": f"#{facts['seal']}" if facts["seal"] else "None yet",
        "First entry": first,
        "Last entry": last,
        "Not sealed yet": facts["not_sealed"],
        "Exported": deadlines.exact(datetime.fromisoformat(facts["exported_at"])),
        "Signed by key": facts["key"],
        **{in_words(name): str(value) for name, value in found.filter.items()},
    }
