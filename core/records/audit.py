"""The audit log and its seals, as they are read. They are written by the functions of the database alone."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID
from sqlalchemy.types import UserDefinedType

from core.db import Record


class TransactionId(UserDefinedType[str]):
    """PostgreSQL's xid8: 64 bits, never used twice in one cluster."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        return "xid8"


Instant = DateTime(timezone=True)
Exact = Text(collation="C")

audit_entries = Table(
    "audit_entries",
    Record.metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("at", Instant, nullable=False),
    Column("actor_kind", Text, nullable=False),
    Column("actor_id", BigInteger),
    Column("role", Text),
    Column("action", Exact, nullable=False),
    Column("object_kind", Exact, nullable=False),
    Column("object_id", Exact, nullable=False),
    Column("reason", Text),
    Column("before", JSONB),
    Column("after", JSONB),
    Column("project_id", BigInteger),
    Column("milestone_id", BigInteger),
    Column("ticket_id", BigInteger),
    Column("report_id", BigInteger),
    Column("operation_key", Text),
    Column("recorded_at", Instant, nullable=False),
    Column("xid", TransactionId, nullable=False, server_default=text("pg_current_xact_id()")),
)

Index("audit_entries_xid_idx", audit_entries.c.xid)
Index("audit_entries_at_idx", audit_entries.c.at, audit_entries.c.id)
Index("audit_entries_object_idx", audit_entries.c.object_kind, audit_entries.c.object_id)
Index(
    "audit_entries_actor_idx",
    *(audit_entries.c.actor_kind, audit_entries.c.actor_id, audit_entries.c.at, audit_entries.c.id),
)
Index(
    "audit_entries_sha256_idx",
    audit_entries.c.after["sha256"].astext,
    postgresql_where=text("after ? 'sha256'"),
)
Index("audit_entries_action_idx", audit_entries.c.action, audit_entries.c.at, audit_entries.c.id)
Index(
    "audit_entries_role_idx",
    *(audit_entries.c.role, audit_entries.c.at, audit_entries.c.id),
    postgresql_where=text("role is not null"),
)
for _noun in ("project", "milestone", "ticket", "report"):
    Index(
        f"audit_entries_{_noun}_idx",
        audit_entries.c[f"{_noun}_id"],
        postgresql_where=text(f"{_noun}_id is not null"),
    )

seal_epochs = Table(
    "seal_epochs",
    Record.metadata,
    Column("epoch", BigInteger, primary_key=True, autoincrement=False),
    Column("ledger", UUID, nullable=False),
    Column("system_identifier", BigInteger, nullable=False),
    Column("entries_after", BigInteger, nullable=False),
    Column("journals_after", BigInteger, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("changes_after", BigInteger, nullable=False, server_default=text("0")),
)

# Written by triggers alone: what each transaction did to the rows that are under seal, as hashes.
row_changes = Table(
    "row_changes",
    Record.metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("relation", Exact, nullable=False),
    Column("row_key", Exact, nullable=False),
    Column("op", Exact, nullable=False),
    Column("columns", Text),
    Column("before", LargeBinary),
    Column("digest", LargeBinary),
    Column("marks", LargeBinary),
    Column("salt", UUID),
    Column("login", Text, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("xid", TransactionId, nullable=False),
    Index("row_changes_xid_idx", "xid"),
    Index("row_changes_row_idx", "relation", "row_key", "id"),
    Index("row_changes_erased_idx", "relation", "row_key", postgresql_where="salt is null"),
)

signing_keys = Table(
    "signing_keys",
    Record.metadata,
    Column("n", BigInteger, primary_key=True, autoincrement=False),
    Column("public_key", LargeBinary, nullable=False, unique=True),
    Column("pinned_at", Instant, nullable=False),
    Column("after_seal", BigInteger, nullable=False),
    Column("after_hash", LargeBinary, nullable=False),
    Column("by_itself", LargeBinary, nullable=False),
    Column("by_previous", LargeBinary),
)

# Written by the migration alone: rows that had their words before entries kept the hashes of words.
unhashed_content = Table(
    "unhashed_content",
    Record.metadata,
    Column("part", Exact, primary_key=True),
    Column("row_id", Exact, primary_key=True),
)

seals = Table(
    "seals",
    Record.metadata,
    Column("n", BigInteger, primary_key=True, autoincrement=False),
    Column("epoch", BigInteger, ForeignKey("seal_epochs.epoch"), nullable=False),
    Column("lo", TransactionId, nullable=False),
    Column("hi", TransactionId, nullable=False),
    Column("entries_after", BigInteger, nullable=False),
    Column("journals_after", BigInteger, nullable=False),
    Column("entries", BigInteger, nullable=False),
    Column("journals", BigInteger, nullable=False),
    Column("root", LargeBinary, nullable=False),
    Column("leaves", LargeBinary, nullable=False),
    Column("prev", LargeBinary, nullable=False, unique=True),
    Column("hash", LargeBinary, nullable=False),
    Column("sealed_at", Instant, nullable=False),
    Column("changes_after", BigInteger),
    Column("changes", BigInteger),
    Index("seals_range_idx", "epoch", "hi", unique=True),
)
