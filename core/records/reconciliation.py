"""Reconciliation: the provider's statement beside our ledger, run by run."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Record, one_of
from core.rules.reconciliation import BreakKind, RunStatus


class ReconciliationRun(Record):
    """Three counts of lines that are never netted: `matched` (booked as what they are), `in_suspense` (booked, but
    nobody has explained them), `unmatched` (on one side only, or with other amounts). None: not counted then."""

    __tablename__ = "reconciliation_runs"
    __table_args__ = (
        one_of("status", RunStatus),
        CheckConstraint(
            "status <> 'CLEAN' or (breaks = 0 and coalesce(unmatched, 0) = 0 and coalesce(in_suspense, 0) = 0)",
            name="clean",
        ),
        CheckConstraint("in_suspense >= 0 and unmatched >= 0", name="counted"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    status: Mapped[RunStatus] = mapped_column(default=RunStatus.RUNNING)
    started_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), default=None)
    started_from: Mapped[str | None] = mapped_column(default=None)
    until: Mapped[datetime]
    lines: Mapped[int] = mapped_column(default=0)
    matched: Mapped[int] = mapped_column(default=0)
    in_suspense: Mapped[int | None] = mapped_column(default=None)
    unmatched: Mapped[int | None] = mapped_column(default=None)
    breaks: Mapped[int] = mapped_column(default=0)
    totals: Mapped[list[Any]] = mapped_column(default=list)
    error: Mapped[str | None] = mapped_column(default=None)
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None] = mapped_column(default=None)


class StatementLine(Record):
    """A balance transaction as the provider last told it."""

    __tablename__ = "statement_lines"
    __table_args__ = (CheckConstraint("net = amount - fee", name="net"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    reporting_category: Mapped[str]
    amount: Mapped[int]
    fee: Mapped[int]
    net: Mapped[int]
    currency: Mapped[str]
    source: Mapped[str]
    created_at: Mapped[datetime]
    fetched_at: Mapped[datetime]


class ReconciliationBreak(Record):
    __tablename__ = "reconciliation_breaks"
    __table_args__ = (
        one_of("kind", BreakKind),
        Index("reconciliation_breaks_run_idx", "run_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("reconciliation_runs.id"))
    kind: Mapped[BreakKind]
    transaction_id: Mapped[str | None] = mapped_column(default=None)
    journal_id: Mapped[int | None] = mapped_column(default=None)
    currency: Mapped[str]
    at_provider: Mapped[int | None] = mapped_column(default=None)
    in_ledger: Mapped[int | None] = mapped_column(default=None)
