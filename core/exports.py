"""What leaves the house as a file: audit entries as CSV or JSON Lines, and the tables of the pages as CSV.

PostgreSQL itself writes the files (COPY), so millions of rows stream through in a few megabytes of memory. A text that
a spreadsheet would take for a formula gets an apostrophe before it; JSON Lines holds the exact text.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import psycopg
from psycopg import ClientCursor

from core import audit
from core.audit.filters import AuditFilter
from core.db import Database
from core.rules.permissions import Actor, Permission, require

# = + - @ tab, carriage return, line feed, and the full-width forms of the first four.
FORMULA_STARTS = frozenset("=+-@\t\r\n＝＋－＠")
COLUMNS = (
    "id at actor_kind actor_id role action object_kind object_id reason before after project_id milestone_id"
    " ticket_id report_id operation_key recorded_at xid"
).split()
# The other texts are held to words or numbers by the database.
FREE_TEXTS = frozenset({"role", "object_kind", "object_id", "reason", "before", "after", "operation_key"})
SELECTED = "select {columns} from audit_entries where {where} order by id"
AS_CSV = "copy ({selected}) to stdout (format csv, header true)"
# JSON holds no control characters, so with these as quote and delimiter every line leaves as it is.
AS_JSON = r"copy (select row_to_json(e) from ({selected}) e) to stdout (format csv, quote e'\x01', delimiter e'\x02')"
SNAPSHOT = "set transaction isolation level repeatable read, read only"
SEALED = """
select n, encode(hash, 'hex'), nullif(hi, '18446744073709551615')::text, epoch from seals order by n desc limit 1
"""
NOT_SEALED = """
select count(*) from audit_entries
where xid >= coalesce(%(hi)s, '0')::xid8
  and id > (select coalesce(max(entries_after), 0) from seal_epochs where epoch >= %(epoch)s) and {where}
"""
LINES_AT_ONCE = 1000


class Format(StrEnum):
    CSV = "csv"
    JSONL = "jsonl"


@dataclass(frozen=True)
class Manifest:
    """What an export holds and what proves it. `seal` is the last one at that moment; it covers all but `not_sealed`
    rows."""

    name: str
    format: Format
    filter: Mapping[str, Any]
    rows: int
    sha256: str
    first_id: int | None
    last_id: int | None
    seal: int | None
    seal_hash: str | None
    not_sealed: int
    exported_at: str

    def json(self) -> bytes:
        return json.dumps(asdict(self), indent=2).encode() + b"\n"

    def write(self, path: Path) -> Path:
        """Beside the export: `audit.csv` gets `audit.csv.manifest.json`."""
        sidecar = path.with_name(f"{path.name}.manifest.json")
        sidecar.write_bytes(self.json())
        return sidecar


def export_audit(
    auditor: Database,
    filter: AuditFilter,
    format: Format,
    out: BinaryIO,
    *,
    desk: Database,
    actor: Actor,
    now: datetime,
) -> Manifest:
    """Stream the entries into `out`, in the order of their ids, as of one moment.

    Read as `auditor`; the export is recorded through `desk` (logged in as `app`) before the first byte leaves and again
    with its fingerprint at the end. Raises `NotPermitted`.
    """
    require(actor, Permission.EXPORT_AUDIT)
    name = f"audit-{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"
    asked = {"format": format, "filter": filter.facts()}
    _record(desk, actor, "audit:export:start", name, now, asked)
    manifest = _stream(auditor, filter, format, out, name, now)
    done = {"rows": manifest.rows, "sha256": manifest.sha256, "seal": manifest.seal}
    _record(desk, actor, "audit:export:finish", name, now, asked | done)
    return manifest


def csv_safe(text: str) -> str:
    """The text, with an apostrophe before it where a spreadsheet would take it for a formula."""
    return f"'{text}" if text[:1] in FORMULA_STARTS and text else text


def table_csv(rows: Iterable[Mapping[str, Any] | Sequence[Any]], columns: Sequence[str]) -> bytes:
    """A small table as CSV in UTF-8, for downloads from a page. Rows are mappings by column, or in column order."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([csv_safe(column) for column in columns])
    for row in rows:
        cells = [row[column] for column in columns] if isinstance(row, Mapping) else row
        writer.writerow([csv_safe(cell) if isinstance(cell, str) else cell for cell in cells])
    return out.getvalue().encode()


def _record(
    desk: Database, actor: Actor, action: str, name: str, now: datetime, after: Mapping[str, Any]
) -> None:
    with desk.transaction() as session:
        audit.record(session, actor, action, object_kind="export", object_id=name, now=now, after=after)


def _stream(
    auditor: Database, filter: AuditFilter, format: Format, out: BinaryIO, name: str, now: datetime
) -> Manifest:
    with auditor.reading() as session:
        connection = session.connection().connection.driver_connection
        assert isinstance(connection, psycopg.Connection)
        with ClientCursor(connection) as cursor:
            cursor.execute(f"{SNAPSHOT}; set local timezone = 'UTC'; set local datestyle = 'ISO'")
            digest, first, last = _copy(
                cursor, cursor.mogrify(_query(filter, format), filter.values), format, out
            )
            rows = cursor.rowcount
            sealed = cursor.execute(SEALED).fetchone() or (None, None, None, 1)
            bounds = {"hi": sealed[2], "epoch": sealed[3]}
            query = NOT_SEALED.format(where=filter.where())
            not_sealed = cursor.execute(query, filter.values | bounds).fetchone()
    return Manifest(
        name=name,
        format=format,
        filter=filter.facts(),
        rows=rows,
        sha256=digest,
        first_id=first,
        last_id=last,
        seal=sealed[0],
        seal_hash=sealed[1],
        not_sealed=not_sealed[0] if not_sealed else 0,
        exported_at=now.isoformat(),
    )


def _query(filter: AuditFilter, format: Format) -> str:
    columns = (
        _safe(column) if format is Format.CSV and column in FREE_TEXTS else column for column in COLUMNS
    )
    selected = SELECTED.format(columns=", ".join(columns), where=filter.where())
    return (AS_CSV if format is Format.CSV else AS_JSON).format(selected=selected)


def _safe(column: str) -> str:
    starts = ", ".join(str(ord(start)) for start in sorted(FORMULA_STARTS))
    text = f"{column}::text"
    return f"case when ascii({text}) in ({starts}) then '''' || {text} else {text} end as {column}"


def _copy(
    cursor: ClientCursor[Any], query: str, format: Format, out: BinaryIO
) -> tuple[str, int | None, int | None]:
    """Write the file; the result is its sha256 and the first and the last id in it."""
    digest = hashlib.sha256()
    first = last = None
    with cursor.copy(query.encode()) as copy:
        if format is Format.CSV:
            header = bytes(next(iter(copy)))
            digest.update(header)
            out.write(header)
        while lines := list(islice(copy, LINES_AT_ONCE)):
            content = b"".join(lines)
            digest.update(content)
            out.write(content)
            first, last = first or _id(lines[0]), _id(lines[-1])
    return digest.hexdigest(), first, last


def _id(line: bytes | bytearray | memoryview) -> int:
    """PostgreSQL sends a row at a time, and its id comes first in both formats."""
    found = re.match(rb'(?:\{"id":)?(\d+)', bytes(line))
    assert found
    return int(found[1])
