"""What a row of words says, as one hash: the entry about the row keeps it, and whoever verifies computes it again.

One function for everybody: `audit.record(…, contents=[row])` writes it, verification and `check` hold the rows of today
against it, a case file proves its texts by it without the database. Columns that change by law (a status, a try) are
no part of it. Rows from before there were hashes are counted, and never called intact.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import rfc8785
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core.db import Record

LATER = frozenset({"notifications"})  # a letter's words are hashed when it is sent
KEPT_IN = "content"  # the name in an entry's `after`: {"messages:12": "9f2c…"}

COLUMNS: Mapping[str, tuple[str, ...]] = {
    table: tuple(columns.split())
    for table, columns in {
        "messages": "id milestone_id ticket_id author_kind author_id audience body at",
        "evidence": "id milestone_id ticket_id uploaded_by kind file_name media_type size_bytes sha256 caption at",
        "evidence_notes": "id evidence_id staff_id body at area page",
        "party_requests": "id ticket_id party_id kind question asked_by asked_at due_at",
        "offers": "id ticket_id proposed_by currency release_minor refund_minor note made_at",
        "decisions": "id ticket_id outcome ground reasons currency release_minor refund_minor plan_hash maker_id"
        " made_at",
        "notifications": "id template party_id staff_id subject text html created_at",
    }.items()
}


NOUNS: Mapping[str, str] = {
    "messages": "message",
    "evidence": "evidence",
    "evidence_notes": "note",
    "party_requests": "request to a party",
    "offers": "offer",
    "decisions": "decision",
    "notifications": "letter",
}


@dataclass(frozen=True)
class Other:
    """A row that is not what its entry says. `how`: altered, removed, or without an entry though all after it have."""

    table: str
    id: str
    how: str
    entry: int | None = None

    @property
    def words(self) -> str:
        return f"{NOUNS[self.table].capitalize()} {self.id}"


def name(table: str, number: object) -> str:
    return f"{table}:{number}"


def digest(table: str, row: Mapping[str, Any]) -> str:
    """SHA-256 of the row's words in canonical JSON. `row` by column, as the database or a case file has it."""
    values = {column: _plain(column, row[column]) for column in COLUMNS[table]}
    return hashlib.sha256(rfc8785.dumps({"table": table, "row": values})).hexdigest()


def hashes(*rows: Record) -> dict[str, str]:
    """For an entry's `after`: the name and the hash of each row. They are flushed already."""
    return {
        name(table := row.__tablename__, row.__dict__["id"]): digest(
            table, {column: getattr(row, column) for column in COLUMNS[table]}
        )
        for row in rows
    }


KNOWN = text(
    "select kept.key, kept.value, e.id from audit_entries e, jsonb_each_text(e.after -> 'content') kept"
    " where e.after ? 'content' order by e.id"
)


def others(session: Session) -> Iterator[Other]:
    """Every row that is not what the log says of it, table by table."""
    known: dict[str, tuple[str, int]] = {}
    for row in session.execute(
        KNOWN
    ):  # words do not change, so the first entry counts, and a later one must agree
        if known.setdefault(row.key, (row.value, row.id))[0] != row.value:
            table, _, number = row.key.partition(":")
            yield Other(table, number, "altered", known[row.key][1])
    for table in COLUMNS:
        ours = {key.partition(":")[2]: kept for key, kept in known.items() if key.partition(":")[0] == table}
        yield from _of(session, table, ours)


def older(session: Session) -> int:
    """How many rows were recorded before entries kept hashes, so that none proves them; of letters, those sent."""
    first: dict[str, int] = {}
    letters = 0
    for row in session.execute(KNOWN):
        table, _, number = row.key.partition(":")
        first[table] = min(int(number), first.get(table, int(number)))
        letters += table in LATER
    counted = 0
    for table in COLUMNS:
        bound = f"id < {first[table]}" if table in first else "true"
        where = "status = 'SENT'" if table in LATER else bound
        found = int(session.execute(text(f"select count(*) from {table} where {where}")).scalar_one())
        counted += max(found - letters, 0) if table in LATER else found
    return counted


def _of(session: Session, table: str, known: Mapping[str, tuple[str, int]]) -> Iterator[Other]:
    first = min(map(int, known), default=None)
    seen = set()
    columns = [text(column) for column in COLUMNS[table]]
    rows = session.execute(select(*columns).select_from(text(table)).order_by(text("id")))
    for row in rows.mappings():
        number = str(row["id"])
        seen.add(number)
        kept = known.get(number)
        if kept is not None and kept[0] != digest(table, dict(row)):
            yield Other(table, number, "altered", kept[1])
        elif kept is None and first is not None and int(number) > first and table not in LATER:
            yield Other(table, number, "unknown")
    for number in sorted(known.keys() - seen, key=int):
        yield Other(table, number, "removed", known[number][1])


def _plain(column: str, value: Any) -> Any:
    if isinstance(value, str) and column.endswith("at"):
        value = datetime.fromisoformat(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return str(value) if isinstance(value, str) else value
