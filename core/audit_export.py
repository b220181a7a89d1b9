"""The audit log as a file: CSV, JSON Lines, Parquet, or a bundle that proves itself. Tables of the pages are
`core.table_files`.

PostgreSQL itself writes CSV and JSON Lines (COPY), so millions of rows stream through in a few megabytes of memory. A
text that a spreadsheet would take for a formula gets an apostrophe before it in CSV; every other form holds the exact
text. A bundle is one zip file with the entries in the form in which they are sealed, the proof that each stands in the
log, and the signed manifest; its proof takes some 40 bytes of memory for each row of the whole log.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO
from zipfile import ZIP_DEFLATED, ZipFile

import psycopg
from psycopg import ClientCursor
from sqlalchemy.orm import Session

from core import audit, parquet_files
from core.audit import checkpoints, entries_proof, timestamps
from core.audit.actions import AuditAction, StoredAction
from core.audit.canonical import TIMES, entry_bytes
from core.audit.export_manifest import (
    ENTRIES,
    KEY,
    MANIFEST,
    PROOF,
    TIMESTAMP,
    Format,
    Manifest,
    Marks,
    signed,
)
from core.audit.filters import AuditFilter
from core.audit.keys import PublicKey
from core.audit.merkle import leaf_hash
from core.audit.pinned_keys import ledger_name
from core.audit.seals import Seal
from core.audit.timestamps import Timestamp
from core.db import Database
from core.gateways.resumed_file import EarlierTry, Trail
from core.rules.permissions import Actor, Permission, require

# = + - @ tab, carriage return, line feed, and the full-width forms of the first four.
FORMULA_STARTS = frozenset("=+-@\t\r\n＝＋－＠")
COLUMNS = (
    "id at actor_kind actor_id role action object_kind object_id reason before after project_id milestone_id"
    " ticket_id report_id operation_key recorded_at xid"
).split()
# The other texts are held to words or numbers by the database.
FREE_TEXTS = frozenset({"role", "object_kind", "object_id", "reason", "before", "after", "operation_key"})
# As an entry is sealed: the very text of jsonb, and the transaction, whose number may be larger than JSON's, as text.
EXACT = tuple(f"{name}::text as {name}" if name in ("before", "after", "xid") else name for name in COLUMNS)
WHOLE = frozenset({"id", "actor_id", "project_id", "milestone_id", "ticket_id", "report_id"})
COUNT = "select count(*) from audit_entries where {where}"
SELECTED = "select {columns} from audit_entries where {where} order by id"
AS_CSV = "copy ({selected}) to stdout (format csv, header true)"
# JSON holds no control characters, so with these as quote and delimiter every line leaves as it is.
AS_JSON = r"copy (select row_to_json(e) from ({selected}) e) to stdout (format csv, quote e'\x01', delimiter e'\x02')"
SNAPSHOT = "set transaction isolation level repeatable read, read only"
SEALED = """
select n, encode(hash, 'hex'), nullif(hi, '18446744073709551615')::text, epoch from seals where n = %(n)s
"""
NOT_SEALED = """
select count(*) from audit_entries
where xid >= coalesce(%(hi)s, '0')::xid8
  and id > (select coalesce(max(entries_after), 0) from seal_epochs where epoch >= %(epoch)s) and {where}
"""
# What was committed when that snapshot was taken; older epochs count transactions otherwise, and had ended before.
VISIBLE = """(pg_visible_in_snapshot(xid, %(snapshot)s::pg_snapshot)
  or id <= (select max(entries_after) from seal_epochs))"""
RESUMABLE = frozenset({Format.CSV, Format.JSONL})
"""A zip file and Parquet cannot be gone on with: they have at their end where each part lies."""
LINES_AT_ONCE = 1000
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Exported:
    """The manifest, and the SHA-256 of the whole file (in a bundle the manifest's own is that of the entries)."""

    manifest: Manifest
    sha256: str

    @property
    def fingerprint(self) -> str:
        """Of the key that signed it."""
        public = PublicKey.of(bytes.fromhex(self.manifest.key))
        assert public is not None  # we signed with it
        return public.fingerprint

    @property
    def name(self) -> str:
        return f"{self.manifest.name}.{self.manifest.format.ending}"


def export_audit(
    auditor: Database,
    filter: AuditFilter,
    format: Format,
    out: BinaryIO,
    *,
    desk: Database,
    actor: Actor,
    now: datetime,
    signer: audit.Signer,
    folder: Path,
) -> Exported:
    """Stream the entries into `out`, in the order of their ids, as of one moment; the result is signed.

    Read as `auditor`; the export is recorded through `desk` (logged in as `app`) before the first byte leaves and again
    with its fingerprint at the end. `folder` holds the checkpoints. Raises `NotPermitted`, for a bundle also
    `NothingSigned`, `NoBundle`.
    """
    require(actor, Permission.EXPORT_AUDIT)
    name = a_name("audit", now)
    asked = {"format": format, "filter": filter.facts()}
    record(desk, actor, AuditAction.EXPORT_START.by("audit"), name, now, asked)
    made = make(auditor, filter, format, out, name=name, now=now, signer=signer, folder=folder)
    record(desk, actor, AuditAction.EXPORT_FINISH.by("audit"), name, now, asked | finished(made))
    return made


def finished(made: Exported) -> dict[str, Any]:
    """What the log says of it at its end."""
    return {"rows": made.manifest.rows, "sha256": made.sha256, "seal": made.manifest.seal}


def a_name(what: str, now: datetime) -> str:
    return f"{what}-{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"


def csv_safe(text: str) -> str:
    """The text, with an apostrophe before it where a spreadsheet would take it for a formula."""
    return f"'{text}" if text[:1] in FORMULA_STARTS and text else text


def record(
    desk: Database, actor: Actor, action: StoredAction, name: str, now: datetime, after: Mapping[str, Any]
) -> None:
    with desk.transaction() as session:
        audit.record(session, actor, action, object_kind="export", object_id=name, now=now, after=after)


def make(
    auditor: Database,
    filter: AuditFilter,
    format: Format,
    out: Any,
    *,
    name: str,
    now: datetime,
    signer: audit.Signer,
    folder: Path,
    progress: Progress = lambda done, total: None,
    trail: Trail | None = None,
) -> Exported:
    """The file, without a word to the audit log: `export_audit` and `core.processes.exports` see to that.

    With a `trail` CSV and JSON Lines go on where an earlier try ended, as of its moment.
    """
    with auditor.reading() as session:
        ledger = ledger_name(session)
        # Read before the snapshot: the seal of this line is then in the database for certain.
        line = checkpoints.last_line(folder, ledger)
        last = Seal.of(json.loads(line)) if line else None
    hashed = Hashed(out)
    with auditor.reading() as session:
        connection = session.connection().connection.driver_connection
        assert isinstance(connection, psycopg.Connection)
        with ClientCursor(connection) as cursor:
            cursor.execute(f"{SNAPSHOT}; set local timezone = 'UTC'; set local datestyle = 'ISO'")
            wanted = _Entries.of(cursor, filter, trail if format in RESUMABLE else None)
            rows, sealed, not_sealed = _counted(cursor, wanted, last.n if last else 0)
            progress(0, rows)
            facts = {
                "name": name,
                "format": format,
                "filter": filter.facts(),
                "rows": rows,
                "ledger": ledger,
                "seal": sealed[0],
                "seal_hash": sealed[1],
                "checkpoint": line.decode() if sealed[0] else None,
                "not_sealed": not_sealed,
                "exported_at": now.isoformat(),
            }
            reading = _Reading(session, cursor, wanted, rows, progress)
            if format is Format.BUNDLE:
                stamp = timestamps.newest(folder, ledger)
                manifest = _bundle(reading, hashed, facts, line, signer, stamp)
            elif format is Format.PARQUET:
                marks = _parquet(reading, hashed)
                manifest = signed(facts | _range(marks) | {"sha256": hashed.hexdigest}, signer)
            else:
                digest, header, marks = _copy(reading, _query(wanted, format), format, hashed)
                also = {"sha256": digest, "header_sha256": header, "lines": marks.packed()}
                manifest = signed(facts | _range(marks) | also, signer)
    return Exported(manifest, hashed.hexdigest)


@dataclass
class Hashed:
    """Passes bytes on, and keeps their SHA-256. Never read and never gone back in."""

    out: Any
    written: int = 0
    closed: bool = False
    digest: Any = field(default_factory=hashlib.sha256)

    def write(self, content: Any) -> int:
        piece = bytes(content)
        self.digest.update(piece)
        self.out.write(piece)
        self.written += len(piece)
        return len(piece)

    def tell(self) -> int:
        return self.written

    def flush(self) -> None:
        pass

    def close(self) -> None:
        self.closed = True

    @property
    def hexdigest(self) -> str:
        return str(self.digest.hexdigest())


@dataclass(frozen=True)
class _Reading:
    """One reading of the entries, as of one moment."""

    session: Session
    cursor: ClientCursor[Any]
    filter: _Entries
    rows: int
    progress: Progress


@dataclass(frozen=True)
class _Entries:
    """The entries that match, as of the moment at which an earlier try read them, if there was one. Rows are never
    changed, so what was visible then is what it would have gone on to write."""

    filter: AuditFilter
    earlier: EarlierTry | None = None

    @classmethod
    def of(cls, cursor: ClientCursor[Any], filter: AuditFilter, trail: Trail | None) -> _Entries:
        if trail is None:
            return cls(filter)
        now = cursor.execute("select pg_current_snapshot()::text").fetchone()
        assert now is not None
        trail.begin(trail.earlier.snapshot if trail.earlier else now[0])
        return cls(filter, trail.earlier)

    def where(self, also: str = "") -> str:
        visible = f" and {VISIBLE}" if self.earlier else ""
        return f"{self.filter.where()}{visible}{also}"

    @property
    def values(self) -> dict[str, Any]:
        return self.filter.values | {"snapshot": self.earlier and self.earlier.snapshot}


def _counted(cursor: ClientCursor[Any], filter: _Entries, last: int) -> tuple[int, Any, int]:
    """How many rows it is, the last signed seal, and how many of the rows that does not cover."""
    sealed = cursor.execute(SEALED, {"n": last}).fetchone() or (None, None, None, 1)
    bounds = {"hi": sealed[2], "epoch": sealed[3]}
    rows = cursor.execute(COUNT.format(where=filter.where()), filter.values).fetchone()
    open = cursor.execute(NOT_SEALED.format(where=filter.where()), filter.values | bounds).fetchone()
    return rows[0] if rows else 0, sealed, open[0] if open else 0


def _range(marks: Marks) -> dict[str, int | None]:
    return {"first_id": marks.first, "last_id": marks.last if marks.first is not None else None}


def _parquet(reading: _Reading, out: Any) -> Marks:
    query = SELECTED.format(columns=", ".join(EXACT), where=reading.filter.where())
    marks, kinds = Marks(), [("time" if name in TIMES else "text") for name in COLUMNS]
    kinds = ["whole" if name in WHOLE else kind for name, kind in zip(COLUMNS, kinds, strict=True)]

    def batches() -> Iterator[list[tuple[Any, ...]]]:
        done = 0
        with reading.cursor.connection.cursor("audit_export") as cursor:
            cursor.itersize = LINES_AT_ONCE
            cursor.execute(query.encode(), reading.filter.values)
            while rows := cursor.fetchmany(LINES_AT_ONCE):
                for row in rows:
                    marks.add(row[0], b"")
                yield rows
                done += len(rows)
                reading.progress(done, reading.rows)

    parquet_files.write(out, list(zip(COLUMNS, kinds, strict=True)), batches())
    return marks


def _bundle(
    reading: _Reading,
    out: Any,
    facts: Mapping[str, Any],
    line: bytes,
    signer: audit.Signer,
    stamp: Timestamp | None,
) -> Manifest:
    """`facts`: of the manifest, as far as they are known before the rows are read."""
    leaves: dict[int, bytes] = {}

    def keep(id: int, row: bytes) -> None:
        leaves[id] = leaf_hash(entry_bytes(json.loads(row)))

    selected = SELECTED.format(columns=", ".join(EXACT), where=reading.filter.where())
    with ZipFile(out, "w", ZIP_DEFLATED) as bundle:
        with bundle.open(ENTRIES, "w", force_zip64=True) as file:
            query = AS_JSON.format(selected=selected)
            digest, _, marks = _copy(reading, query, Format.JSONL, file, keep)
        proof, dated = entries_proof.made(
            reading.session,
            line,
            leaves,
            not_sealed=facts["not_sealed"],
            alive=lambda: reading.progress(reading.rows, reading.rows),
            stamp=stamp,
        )
        files = {PROOF: proof, KEY: signer.public.pem, **({TIMESTAMP: dated} if dated else {})}
        hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
        also = {"sha256": digest, "lines": marks.packed(), "files": hashes}
        manifest = signed({**facts, **_range(marks), **also}, signer)
        for name, content in (files | {MANIFEST: manifest.json()}).items():
            bundle.writestr(name, content)
    return manifest


def _query(filter: _Entries, format: Format) -> str:
    columns = (
        _safe(column) if format is Format.CSV and column in FREE_TEXTS else column for column in COLUMNS
    )
    after = " and id > %(after)s" if filter.earlier else ""
    selected = SELECTED.format(columns=", ".join(columns), where=filter.where(after))
    return (AS_CSV if format is Format.CSV else AS_JSON).format(selected=selected)


def _safe(column: str) -> str:
    starts = ", ".join(str(ord(start)) for start in sorted(FORMULA_STARTS))
    text = f"{column}::text"
    return f"case when ascii({text}) in ({starts}) then '''' || {text} else {text} end as {column}"


def _copy(
    reading: _Reading,
    statement: str,
    format: Format,
    out: Any,
    keep: Callable[[int, bytes], None] = lambda id, line: None,
) -> tuple[str, str | None, Marks]:
    """Write the file; its sha256, that of its first line where it has names of columns, and a mark for each row."""
    digest, header, marks, done = hashlib.sha256(), None, Marks(), 0

    def written(rows: Iterator[bytes]) -> None:
        nonlocal header, done
        if format is Format.CSV and (names := next(rows, None)) and header is None:
            header = hashlib.sha256(names).hexdigest()
            digest.update(names)
            out.write(names)
        while lines := list(islice(rows, LINES_AT_ONCE)):
            content = b"".join(lines)
            digest.update(content)
            out.write(content)
            for line in lines:
                id = _id(line)
                marks.add(id, line)
                keep(id, line)
            done += len(lines)
            reading.progress(done, reading.rows)

    if reading.filter.earlier:
        written(reading.filter.earlier.rows(quoted=format is Format.CSV))
    query = reading.cursor.mogrify(statement, reading.filter.values | {"after": marks.last})
    with reading.cursor.copy(query.encode()) as copy:
        written(bytes(line) for line in copy)
    return digest.hexdigest(), header, marks


def _id(line: bytes) -> int:
    """PostgreSQL sends a row at a time, and its id comes first in both formats."""
    found = re.match(rb'(?:\{"id":)?(\d+)', line)
    assert found
    return int(found[1])
