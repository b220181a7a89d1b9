"""Every posting of a period as a file, made beside the page; it lies in a temporary file without a name until it is
fetched, for half an hour."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from threading import Lock
from typing import IO

import streamlit as st

from core import ledger_export
from core.errors import DeskError
from core.ledger import accounts
from core.ledger_export import LedgerFilter, LedgerFormat
from core.rules.permissions import Permission
from dashboard import background_job, request_context
from dashboard.background_job import Progress, Work
from dashboard.downloads import SPOOLED
from dashboard.ui import cards, confirm, download, errors

WORK = DRAWER = "ledger-export"
FORMATS: Mapping[LedgerFormat, str] = {
    LedgerFormat.XLSX: "XLSX, for Excel",
    LedgerFormat.CSV: "CSV",
    LedgerFormat.PARQUET: "Parquet, for programs",
}
TYPES: Mapping[LedgerFormat, str] = {
    LedgerFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    LedgerFormat.CSV: "text/csv; charset=utf-8",
    LedgerFormat.PARQUET: "application/vnd.apache.parquet",
}


@dataclass(frozen=True)
class Finished:
    """A finished export. `file` is open, and read by one at a time: they share the place in it."""

    done: ledger_export.Exported
    wanted: LedgerFilter
    format: LedgerFormat
    file: IO[bytes]
    lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        weakref.finalize(self, self.file.close)

    def copy(self, out: IO[bytes]) -> None:
        with self.lock:
            self.file.seek(0)
            shutil.copyfileobj(self.file, out)


def button() -> None:
    st.button(
        "Export the ledger",
        key="export-ledger",
        icon=":material/download:",
        on_click=confirm.open_drawer,
        args=(DRAWER,),
    )


def drawer() -> None:
    if confirm.drawer(DRAWER) is not None:
        _drawer()


@st.dialog("Export the ledger", position="right", on_dismiss=confirm.close_drawer)
def _drawer() -> None:
    work: Work[Finished] | None = background_job.of(WORK) or _begun()
    if work is None:
        return
    if work.running:
        background_job.watch(work, lambda each: f"{each.done:,} of {each.total:,} postings written …")
        cards.note("You can leave this page while the file is made, and come back to it.")
    else:
        _offer(work)


def _begun() -> Work[Finished] | None:
    place = st.empty()
    with place.container():
        chosen = _choose()
    if chosen is None:
        return None
    place.empty()
    return _begin(*chosen)


def _choose() -> tuple[LedgerFilter, LedgerFormat] | None:
    days = st.date_input(
        "Period (UTC)", value=[], key="ledger-days", help="Without it, from the first posting on."
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
    pressed = confirm.pressed(
        "Prepare the file", key="ledger-begin", icon=":material/play_arrow:", disabled=not whole
    )
    return (_filter(days, line, currency), format) if pressed and whole else None


def _filter(days: Sequence[date], line: str | None, currency: str | None) -> LedgerFilter:
    first, last = days or (None, None)
    return LedgerFilter(since=first, until=last, line=line, currency=currency)


def _begin(wanted: LedgerFilter, format: LedgerFormat) -> Work[Finished]:
    desk, actor, now = request_context.desk(), request_context.actor(), request_context.now()

    def export(progress: Progress) -> Finished:
        file = tempfile.SpooledTemporaryFile(SPOOLED)  # noqa: SIM115 (closed when it is offered no more)
        done = ledger_export.export_ledger(
            desk.reports, wanted, format, file, desk=desk.database, actor=actor, now=now, progress=progress
        )
        return Finished(done, wanted, format, file)

    return background_job.begin(WORK, export)


def _offer(ended: Work[Finished]) -> None:
    if isinstance(ended.error, DeskError):
        errors.show(ended.error)
    elif ended.error:
        background_job.forget(WORK)
        raise ended.error
    if (finished := ended.result) is not None:
        facts = {name.capitalize(): value for name, value in finished.wanted.facts().items()}
        cards.facts({"Postings": finished.done.rows, **facts}, columns=2)
        st.caption("SHA-256 of the file")
        st.code(finished.done.sha256, language=None, wrap_lines=True)
        download.file(
            f"Download {finished.done.name}",
            key="ledger-file",
            permission=Permission.EXPORT_LEDGER,
            name=finished.done.name,
            media_type=TYPES[finished.format],
            write=lambda actor, now, out: finished.copy(out),
            look="primary",
        )
    st.button("Export something else", type="tertiary", on_click=background_job.forget, args=(WORK,))
