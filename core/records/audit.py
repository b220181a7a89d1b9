"""The audit log and its seals, as they are read. They are written by the functions of the database alone."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, DateTime, Identity, String, Table
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import UserDefinedType

from core.db import Record


class TransactionId(UserDefinedType[str]):
    """PostgreSQL's xid8: 64 bits, never used twice in one cluster."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        return "xid8"


Instant = DateTime(timezone=True)
Exact = String(collation="C")

audit_entries = Table(
    "audit_entries",
    Record.metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("at", Instant, nullable=False),
    Column("actor_kind", String, nullable=False),
    Column("actor_id", BigInteger),
    Column("role", String),
    Column("action", Exact, nullable=False),
    Column("object_kind", Exact, nullable=False),
    Column("object_id", Exact, nullable=False),
    Column("reason", String),
    Column("before", JSONB),
    Column("after", JSONB),
    Column("project_id", BigInteger),
    Column("milestone_id", BigInteger),
    Column("ticket_id", BigInteger),
    Column("report_id", BigInteger),
    Column("operation_key", String),
    Column("recorded_at", Instant, nullable=False),
    Column("xid", TransactionId, nullable=False),
)
