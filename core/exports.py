"""The audit log as a file, CSV or JSON Lines. Tables of the pages are `core.table_files`.

PostgreSQL itself writes the files (COPY), so millions of rows stream through in a few megabytes of memory. A text that
a spreadsheet would take for a formula gets an apostrophe before it; JSON Lines holds the exact text.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import psycopg
from psycopg import ClientCursor

from core import audit
from core.audit import checkpoints
from core.audit.actions import AuditAction, StoredAction
from core.audit.export_manifest import Format, Manifest, Marks, signed
from core.audit.filters import AuditFilter
from core.audit.pinned_keys import ledger_name
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
select n, encode(hash, 'hex'), nullif(hi, '18446744073709551615')::text, epoch from seals where n = %(n)s
"""
NOT_SEALED = """
select count(*) from audit_entries
where xid >= coalesce(%(hi)s, '0')::xid8
  and id > (select coalesce(max(entries_after), 0) from seal_epochs where epoch >= %(epoch)s) and {where}
"""
LINES_AT_ONCE = 1000


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
) -> Manifest:
    """Stream the entries into `out`, in the order of their ids, as of one moment; the result is signed.

    Read as `auditor`; the export is recorded through `desk` (logged in as `app`) before the first byte leaves and again
    with its fingerprint at the end. `folder` holds the checkpoints. Raises `NotPermitted`.
    """
    require(actor, Permission.EXPORT_AUDIT)
    name = f"audit-{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"
    asked = {"format": format, "filter": filter.facts()}
    _record(desk, actor, AuditAction.EXPORT_START.by("audit"), name, now, asked)
    manifest = signed(_stream(auditor, filter, format, out, name, now, folder), signer)
    done = {"rows": manifest.rows, "sha256": manifest.sha256, "seal": manifest.seal}
    _record(desk, actor, AuditAction.EXPORT_FINISH.by("audit"), name, now, asked | done)
    return manifest


def csv_safe(text: str) -> str:
    """The text, with an apostrophe before it where a spreadsheet would take it for a formula."""
    return f"'{text}" if text[:1] in FORMULA_STARTS and text else text


def _record(
    desk: Database, actor: Actor, action: StoredAction, name: str, now: datetime, after: Mapping[str, Any]
) -> None:
    with desk.transaction() as session:
        audit.record(session, actor, action, object_kind="export", object_id=name, now=now, after=after)


def _stream(
    auditor: Database,
    filter: AuditFilter,
    format: Format,
    out: BinaryIO,
    name: str,
    now: datetime,
    folder: Path,
) -> dict[str, Any]:
    """Write the file; what its manifest says."""
    with auditor.reading() as session:
        ledger = ledger_name(session)
        # Read before the snapshot: the seal of this line is then in the database for certain.
        line = checkpoints.last_line(folder, ledger)
        last = checkpoints.last(folder, ledger) if line else None
    with auditor.reading() as session:
        connection = session.connection().connection.driver_connection
        assert isinstance(connection, psycopg.Connection)
        with ClientCursor(connection) as cursor:
            cursor.execute(f"{SNAPSHOT}; set local timezone = 'UTC'; set local datestyle = 'ISO'")
            query = cursor.mogrify(_query(filter, format), filter.values)
            digest, header, marks = _copy(cursor, query, format, out)
            rows = cursor.rowcount
            found = cursor.execute(SEALED, {"n": last.n if last else 0}).fetchone()
            sealed = found or (None, None, None, 1)
            bounds = {"hi": sealed[2], "epoch": sealed[3]}
            not_sealed = cursor.execute(
                NOT_SEALED.format(where=filter.where()), filter.values | bounds
            ).fetchone()
    return {
        "name": name,
        "format": format,
        "filter": filter.facts(),
        "rows": rows,
        "sha256": digest,
        "first_id": marks.first,
        "last_id": marks.last if marks.first is not None else None,
        "ledger": ledger,
        "seal": sealed[0],
        "seal_hash": sealed[1],
        "checkpoint": line.decode() if found else None,
        "not_sealed": not_sealed[0] if not_sealed else 0,
        "exported_at": now.isoformat(),
        "header_sha256": header,
        "lines": marks.packed(),
    }


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
) -> tuple[str, str | None, Marks]:
    """Write the file; its sha256, that of its first line where it has names of columns, and a mark for each row."""
    digest, header, marks = hashlib.sha256(), None, Marks()
    with cursor.copy(query.encode()) as copy:
        if format is Format.CSV:
            names = bytes(next(iter(copy)))
            header = hashlib.sha256(names).hexdigest()
            digest.update(names)
            out.write(names)
        while lines := [bytes(line) for line in islice(copy, LINES_AT_ONCE)]:
            content = b"".join(lines)
            digest.update(content)
            out.write(content)
            for line in lines:
                marks.add(_id(line), line)
    return digest.hexdigest(), header, marks


def _id(line: bytes) -> int:
    """PostgreSQL sends a row at a time, and its id comes first in both formats."""
    found = re.match(rb'(?:\{"id":)?(\d+)', line)
    assert found
    return int(found[1])
