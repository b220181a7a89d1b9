"""Export: the filtered entries as a file with its manifest, written beside the page by PostgreSQL itself.

The bytes lie in a temporary file without a name: when the session ends it is gone, and nothing is left on the disk.
"""

from __future__ import annotations

import shutil
import tempfile
import weakref
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from typing import IO, Any, cast

import streamlit as st

from core import audit
from core.audit.export_manifest import Format, Manifest
from core.audit.filters import AuditFilter
from core.errors import DeskError
from core.exports import export_audit
from core.queries.audit import EntryCount
from core.rules.permissions import Permission
from dashboard import background_job, request_context
from dashboard.background_job import Progress, Work
from dashboard.downloads import SPOOLED
from dashboard.ui import cards, confirm, download, errors
from dashboard.ui.status import in_words

WORK, DRAWER = "audit:export", "audit-export"
FORMATS = {Format.CSV: "CSV, for a spreadsheet", Format.JSONL: "JSON Lines, exact"}
TYPES = {Format.CSV: "text/csv", Format.JSONL: "application/x-ndjson"}


@dataclass(frozen=True)
class Exported:
    """A finished export. `file` is open, and read only when it is asked for."""

    manifest: Manifest
    file: IO[bytes]
    lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        weakref.finalize(self, self.file.close)

    @property
    def name(self) -> str:
        return f"{self.manifest.name}.{self.manifest.format.value}"

    def copy(self, out: IO[bytes]) -> None:
        """Piece by piece, by one reader at a time: they share the place in the file."""
        with self.lock:
            self.file.seek(0)
            shutil.copyfileobj(self.file, out)


class Counting:
    """Passes bytes on and says how many."""

    def __init__(self, file: IO[bytes], progress: Progress) -> None:
        self.file, self.progress, self.written = file, progress, 0

    def write(self, content: bytes) -> int:
        self.written += len(content)
        self.progress(self.written, 0)
        return self.file.write(content)


def button() -> None:
    st.button("Export", key="export", icon=":material/download:", on_click=_open)


def drawer(filter: AuditFilter, count: EntryCount) -> None:
    if confirm.drawer(DRAWER) is not None:
        _drawer(filter, count)


@st.dialog("Export the audit log", position="right", on_dismiss=confirm.close_drawer)
def _drawer(filter: AuditFilter, count: EntryCount) -> None:
    work: Work[Exported] | None = background_job.of(WORK) or _begun(filter, count)
    if work and work.running:
        _wait(work)
    elif work:
        _offer(work)


def _begun(filter: AuditFilter, count: EntryCount) -> Work[Exported] | None:
    place = st.empty()
    with place.container():
        chosen = _choose(filter, count)
    if chosen is None:
        return None
    place.empty()
    return _begin(filter, chosen)


def _choose(filter: AuditFilter, count: EntryCount) -> Format | None:
    st.markdown(f"**{count} entries** match the filters of the page, and all of them are exported.")
    if facts := filter.facts():
        cards.facts({in_words(name): str(value) for name, value in facts.items()}, columns=2)
    else:
        cards.note("No filter is set: this is the whole log.")
    chosen = st.radio("Format", list(FORMATS), format_func=FORMATS.__getitem__, key="export-format")
    cards.note(
        "The log records the export, with the file's fingerprint. The manifest is signed by the desk and marks every "
        "row: “escrow-desk audit verify-export” names offline what is off. It holds the last signed seal, if there is "
        "one."
    )
    return (
        chosen
        if confirm.pressed("Prepare the file", key="export-begin", icon=":material/play_arrow:")
        else None
    )


def _begin(filter: AuditFilter, format: Format) -> Work[Exported]:
    desk, actor, now = request_context.desk(), request_context.actor(), request_context.now()

    def export(progress: Progress) -> Exported:
        return _export(desk, actor, filter, format, now, progress)

    return background_job.begin(WORK, export)


def _export(
    desk: Any, actor: Any, filter: AuditFilter, format: Format, now: datetime, progress: Progress
) -> Exported:
    file = tempfile.SpooledTemporaryFile(SPOOLED)  # noqa: SIM115 (closed when the session offers it no more)
    out = cast(Any, Counting(file, progress))
    home = desk.settings.home
    made = export_audit(
        desk.auditor,
        filter,
        format,
        out,
        desk=desk.database,
        actor=actor,
        now=now,
        signer=audit.desk_signer(desk.database, home, now=now),
        folder=home / "checkpoints",
    )
    return Exported(made.manifest, file)


def _wait(running: Work[Exported]) -> None:
    @st.fragment(run_every=background_job.POLL)
    def written() -> None:
        if not running.running:
            st.rerun()
        st.progress(0.0 if not running.done else 0.5, text=f"{running.done / 1e6:,.1f} MB written …")

    written()


def _offer(ended: Work[Exported]) -> None:
    if isinstance(ended.error, DeskError):
        errors.show(ended.error)
    elif ended.error:
        background_job.forget(WORK)
        raise ended.error
    if (done := ended.result) is None:
        return
    manifest = done.manifest
    cards.facts(
        {
            "Entries": manifest.rows,
            "Seal": f"#{manifest.seal}" if manifest.seal else "None yet",
            "First entry": None if manifest.first_id is None else str(manifest.first_id),
            "Last entry": None if manifest.last_id is None else str(manifest.last_id),
            "Not sealed yet": manifest.not_sealed,
            "Exported": manifest.exported_at[:19].replace("T", " ") + " UTC",
        },
        columns=2,
    )
    st.caption("SHA-256 of the file")
    st.code(manifest.sha256, language=None, wrap_lines=True)
    download.file(
        f"Download {done.name}",
        key="audit-export",
        permission=Permission.EXPORT_AUDIT,
        name=done.name,
        media_type=TYPES[manifest.format],
        write=lambda actor, now, out: done.copy(out),
        look="primary",
    )
    download.button(
        "Download its manifest",
        key="audit-manifest",
        permission=Permission.EXPORT_AUDIT,
        name=f"{done.name}.manifest.json",
        media_type="application/json",
        content=lambda actor, now: manifest.json(),
    )
    st.button("Export something else", type="tertiary", on_click=background_job.forget, args=(WORK,))


def _open() -> None:
    known: Work[Exported] | None = background_job.of(WORK)
    if known and not known.running:
        background_job.forget(WORK)
    confirm.open_drawer(DRAWER)
