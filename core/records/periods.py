"""Closed days, months and fiscal years of the books, with what was signed of them, and what two people reopened."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, DateTime, ForeignKey, Index, Table, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Record, one_of
from core.records.two_people import two_people
from core.rules.periods import PeriodKind, PeriodStatus
from core.rules.proposals import ProposalKind, ProposalStatus

# One row: what was posted before `open_from` is closed. Only the triggers of `periods` move it.
ledger_lock = Table(
    "ledger_lock",
    Record.metadata,
    Column("only_row", Boolean, primary_key=True, server_default=text("true")),
    Column("open_from", DateTime(timezone=True), nullable=False, server_default=text("'-infinity'")),
)


class Period(Record):
    """A day, month or year that was closed: `summary` is signed, and stays as it was when the period is reopened."""

    __tablename__ = "periods"
    __table_args__ = (
        one_of("kind", PeriodKind),
        one_of("status", PeriodStatus),
        CheckConstraint("(status = 'REOPENED') = (reopening_id is not null)", name="reopened"),
        CheckConstraint("closed_by is not null or closed_via is not null", name="by_someone"),
        CheckConstraint(
            "case kind when 'DAY' then first_day = last_day "
            "when 'MONTH' then first_day = date_trunc('month', first_day)::date "
            "and last_day = (date_trunc('month', first_day) + interval '1 month - 1 day')::date "
            "else first_day = date_trunc('month', first_day)::date "
            "and last_day = (date_trunc('month', first_day) + interval '1 year - 1 day')::date end",
            name="whole",
        ),
        CheckConstraint("closed_at >= (last_day + 1)::timestamp at time zone 'UTC'", name="over"),
        Index(
            "periods_closed_once_idx", "kind", "first_day", unique=True, postgresql_where="status = 'CLOSED'"
        ),
        Index("periods_last_idx", "last_day"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[PeriodKind]
    first_day: Mapped[date]
    last_day: Mapped[date]
    status: Mapped[PeriodStatus]
    closed_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), default=None)
    closed_via: Mapped[str | None] = mapped_column(default=None)
    closed_at: Mapped[datetime]
    explanation: Mapped[str]
    last_journal: Mapped[int]
    summary: Mapped[dict[str, Any]]
    reopening_id: Mapped[int | None] = mapped_column(default=None)


class YearEndEntry(Record):
    """The closing entry of a fiscal year in one currency; `reversal_id` reversed it when the year was reopened."""

    __tablename__ = "year_end_entries"
    __table_args__ = (Index("year_end_entries_period_idx", "period_id"),)

    journal_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("journals.id"), primary_key=True, autoincrement=False
    )
    period_id: Mapped[int] = mapped_column(ForeignKey("periods.id"))
    reversal_id: Mapped[int | None] = mapped_column(ForeignKey("journals.id"), unique=True, default=None)


class PeriodReminder(Record):
    """Finance was reminded that this day is not closed. Never changed."""

    __tablename__ = "period_reminders"

    day: Mapped[date] = mapped_column(primary_key=True)
    sent_at: Mapped[datetime]


class PeriodReopening(Record):
    """One person asks for a closed period to be reopened, another agrees."""

    __tablename__ = "period_reopenings"
    __table_args__ = (
        *two_people(ProposalKind.PERIOD_REOPENING),
        Index(
            "period_reopenings_one_open_idx", "period_id", unique=True, postgresql_where="status = 'PROPOSED'"
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    period_id: Mapped[int] = mapped_column(ForeignKey("periods.id"))
    reason: Mapped[str]
    proposed_by: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    proposed_at: Mapped[datetime]
    status: Mapped[ProposalStatus] = mapped_column(default=ProposalStatus.PROPOSED, server_default="PROPOSED")
    settled_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), default=None)
    settled_at: Mapped[datetime | None] = mapped_column(default=None)
    note: Mapped[str | None] = mapped_column(default=None)
