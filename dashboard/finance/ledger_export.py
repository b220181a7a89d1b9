"""Every posting of a period as a file, made by the worker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import streamlit as st

from core.ledger import accounts
from core.ledger_export import LedgerFilter, LedgerFormat
from core.queries.exports import ExportView
from core.rules.exports import ExportKind
from dashboard.export_jobs import ExportChoice, ExportDrawer
from dashboard.ui import cards, confirm

FORMATS: Mapping[LedgerFormat, str] = {
    LedgerFormat.XLSX: "XLSX, for Excel",
    LedgerFormat.CSV: "CSV",
    LedgerFormat.PARQUET: "Parquet, for programs",
}
TYPES: Mapping[str, str] = {
    LedgerFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    LedgerFormat.CSV: "text/csv; charset=utf-8",
    LedgerFormat.PARQUET: "application/vnd.apache.parquet",
}


def _choose() -> tuple[str, ExportChoice] | None:
    days = st.date_input(
        "Period (UTC)",
        value=[],
        format="YYYY-MM-DD",
        key="ledger-days",
        help="Without it, from the first posting on.",
    )
    lines = {line.name: f"{line.gl_number} {line.title}" for line in accounts.IN_ORDER}
    line = st.selectbox(
        "Account",
        [None, *lines],
        format_func=lambda each: lines.get(each or "", "Every account"),
        key="ledger-line",
    )
    currency = st.selectbox(
        "Currency",
        [None, *accounts.ISO_NUMBERS],
        format_func=lambda each: each or "Every currency",
        key="ledger-currency",
    )
    format = st.radio("Format", list(FORMATS), format_func=FORMATS.__getitem__, key="ledger-format")
    cards.note(
        "One row a posting, in the order in which they were posted. The audit log records who took it."
    )
    whole = not days or len(days) == 2
    if not whole:
        cards.note("Choose the last day as well.")
    intent = confirm.pressed(
        "Prepare the file", key="ledger-begin", icon=":material/play_arrow:", disabled=not whole
    )
    if intent is None or not whole:
        return None
    return intent, ExportChoice(format.value, format.value, _filter(days, line, currency).facts())


def _filter(days: Sequence[date], line: str | None, currency: str | None) -> LedgerFilter:
    first, last = days or (None, None)
    return LedgerFilter(since=first, until=last, line=line, currency=currency)


def _facts(found: ExportView) -> Mapping[str, Any]:
    asked = {name.capitalize(): value for name, value in found.filter.items()}
    return {"Postings": (found.facts or {})["rows"], **asked}


DRAWER = ExportDrawer(
    kind=ExportKind.LEDGER,
    title="Export the ledger",
    noun="postings",
    media_types=TYPES,
    choose=_choose,
    facts=_facts,
)


def button() -> None:
    DRAWER.button("Export the ledger", key="export-ledger")


def drawer() -> None:
    DRAWER.drawer()
