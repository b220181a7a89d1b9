"""The rows that are sealed, hashed from scratch: the same bytes that the sealing functions of the database hash.

A row in canonical form is PostgreSQL's binary row format: every value with its type and its length before it, texts in
UTF-8. So no two rows share a form, and every column counts. The verifier uses these expressions and no function or view
of the database, because whoever altered rows may have altered those too. `entry_bytes` makes the form of an entry where
there is no database.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from core.audit.seals import micros


@dataclass(frozen=True)
class SealedKind:
    """One kind of sealed row: its table (as `r`) and the values that its leaf covers."""

    name: str
    table: str
    values: tuple[str, ...]

    @property
    def bytes(self) -> str:
        """The row in canonical form."""
        return f"record_send(row({', '.join((_utf8(repr(self.name)), *self.values))}))"

    @property
    def leaf(self) -> str:
        return f"sha256({self.bytes})"


def _utf8(expression: str) -> str:
    return f"convert_to({expression}, 'UTF8')"


def _values(columns: str, *, text: str) -> tuple[str, ...]:
    return tuple(
        _utf8(f"r.{name}::text") if name in text.split() else f"r.{name}" for name in columns.split()
    )


ENTRY_COLUMNS = (
    "id at actor_kind actor_id role action object_kind object_id reason before after project_id milestone_id"
    " ticket_id report_id operation_key recorded_at xid"
)
ENTRY_TEXTS = "actor_kind role action object_kind object_id reason before after operation_key"
ENTRY = SealedKind("entry", "public.audit_entries", _values(ENTRY_COLUMNS, text=ENTRY_TEXTS))

JOURNAL = SealedKind(
    "journal",
    "public.journals",
    _values(
        "id key kind milestone_id party_id memo cause account_ids amounts posted_at recorded_at xid",
        text="key kind memo cause",
    ),
)

# Without the salt: it can be destroyed, and what is sealed stays provable.
CHANGE = SealedKind(
    "change",
    "public.row_changes",
    _values(
        "id relation row_key op columns before digest marks login recorded_at xid",
        text="relation row_key op columns login",
    ),
)

KINDS: Mapping[str, SealedKind] = {kind.name: kind for kind in (ENTRY, JOURNAL, CHANGE)}

# PostgreSQL's own numbers of the types: bytea, int8, timestamptz, xid8; a time counts microseconds since 2000.
BYTEA, INT8, TIMESTAMPTZ, XID8 = 17, 20, 1184, 5069
YEAR_2000 = 946_684_800_000_000
TIMES = ("at", "recorded_at")


def entry_bytes(entry: Mapping[str, str | int | None]) -> bytes:
    """The canonical form of an entry given by its columns: texts (also `before` and `after`, in PostgreSQL's own
    spelling of jsonb), whole numbers, times in ISO 8601 with their zone, the transaction as text.

    Raises KeyError, TypeError, ValueError or struct.error on anything else.
    """
    values = [_value(BYTEA, b"entry")]
    for name in ENTRY_COLUMNS.split():
        found = entry[name]
        if name == "xid":
            values.append(_value(XID8, struct.pack(">Q", int(str(found)))))
        elif name in TIMES:
            moment = micros(datetime.fromisoformat(str(found))) - YEAR_2000
            values.append(_value(TIMESTAMPTZ, struct.pack(">q", moment)))
        elif name in ENTRY_TEXTS.split():
            values.append(_value(BYTEA, None if found is None else _text(found)))
        elif found is None or type(found) is int:
            values.append(_value(INT8, None if found is None else struct.pack(">q", found)))
        else:
            raise TypeError(f"{name} is no whole number")
    return struct.pack(">i", len(values)) + b"".join(values)


def _text(value: object) -> bytes:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value.encode()


def _value(type: int, content: bytes | None) -> bytes:
    return struct.pack(">Ii", type, -1 if content is None else len(content)) + (content or b"")
