"""The rows that are sealed, hashed from scratch: the same bytes that the sealing functions of the database hash.

A row in canonical form is PostgreSQL's binary row format: every value with its type and its length before it, texts in
UTF-8. So no two rows share a form, and every column counts. The verifier uses these expressions and no function or view
of the database, because whoever altered rows may have altered those too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class SealedKind:
    """One kind of sealed row: its table (as `r`) and the values that its leaf covers."""

    name: str
    table: str
    values: tuple[str, ...]

    @property
    def leaf(self) -> str:
        return f"sha256(record_send(row({', '.join((_utf8(repr(self.name)), *self.values))})))"


def _utf8(expression: str) -> str:
    return f"convert_to({expression}, 'UTF8')"


def _values(columns: str, *, text: str) -> tuple[str, ...]:
    return tuple(
        _utf8(f"r.{name}::text") if name in text.split() else f"r.{name}" for name in columns.split()
    )


ENTRY = SealedKind(
    "entry",
    "public.audit_entries",
    _values(
        "id at actor_kind actor_id role action object_kind object_id reason before after project_id milestone_id"
        " ticket_id report_id operation_key recorded_at xid",
        text="actor_kind role action object_kind object_id reason before after operation_key",
    ),
)

JOURNAL = SealedKind(
    "journal",
    "public.journals",
    _values(
        "id key kind milestone_id party_id memo cause account_ids amounts posted_at recorded_at xid",
        text="key kind memo cause",
    ),
)

KINDS: Mapping[str, SealedKind] = {kind.name: kind for kind in (ENTRY, JOURNAL)}
