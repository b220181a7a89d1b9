"""Reconciliation: the provider's statement beside our ledger, run by run."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Record, one_of
from core.money import Money
from core.rules.bank_matching import MatchRule
from core.rules.breaks import BreakClass, BreakStatus, ClosedAs, Side
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
    """That a run saw a break, and with which amounts. `break_id`: the break itself, which lives on."""

    __tablename__ = "reconciliation_breaks"
    __table_args__ = (
        one_of("kind", BreakKind),
        one_of("side", Side),
        Index("reconciliation_breaks_run_idx", "run_id"),
        Index("reconciliation_breaks_break_idx", "break_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("reconciliation_runs.id"))
    kind: Mapped[BreakKind]
    side: Mapped[Side] = mapped_column(default=Side.STRIPE, server_default="STRIPE")
    break_id: Mapped[int | None] = mapped_column(ForeignKey("breaks.id"), default=None)
    transaction_id: Mapped[str | None] = mapped_column(default=None)
    journal_id: Mapped[int | None] = mapped_column(default=None)
    currency: Mapped[str]
    at_provider: Mapped[int | None] = mapped_column(default=None)
    in_ledger: Mapped[int | None] = mapped_column(default=None)


class Break(Record):
    """Where a statement and the ledger differ, across runs. `object` names it on its side: a balance transaction, a
    line or a posting of the bank, the whole balance. `theirs` is the statement's amount, `ours` the ledger's.
    `since` is when the money moved, `waits_until` a day that staff wait for."""

    __tablename__ = "breaks"
    __table_args__ = (
        UniqueConstraint("side", "object", "currency"),
        one_of("side", Side),
        one_of("kind", BreakKind),
        one_of("class", BreakClass),
        one_of("status", BreakStatus),
        one_of("closed_as", ClosedAs),
        CheckConstraint("theirs is not null or ours is not null", name="an_amount"),
        CheckConstraint(
            "(status = 'CLOSED') = (closed_at is not null and closed_as is not null)",
            name="closed_as_something",
        ),
        CheckConstraint("status = 'OPEN' or waits_until is null", name="only_open_ones_wait"),
        CheckConstraint("(kind = 'IN_SUSPENSE') <= (suspense_item_id is not null)", name="which_suspense"),
        Index("breaks_open_idx", "since", "id", postgresql_where="status = 'OPEN'"),
        Index("breaks_suspense_idx", "suspense_item_id", postgresql_where="suspense_item_id is not null"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    side: Mapped[Side]
    object: Mapped[str]
    currency: Mapped[str]
    kind: Mapped[BreakKind]
    class_: Mapped[BreakClass] = mapped_column("class")
    status: Mapped[BreakStatus] = mapped_column(default=BreakStatus.OPEN)
    theirs: Mapped[int | None] = mapped_column(default=None)
    ours: Mapped[int | None] = mapped_column(default=None)
    ours_currency: Mapped[str | None] = mapped_column(default=None)
    transaction_id: Mapped[str | None] = mapped_column(default=None)
    journal_id: Mapped[int | None] = mapped_column(default=None)
    suspense_item_id: Mapped[int | None] = mapped_column(ForeignKey("suspense_items.id"), default=None)
    bank_line_id: Mapped[int | None] = mapped_column(ForeignKey("bank_statement_lines.id"), default=None)
    since: Mapped[datetime]
    opened_at: Mapped[datetime]
    first_run_id: Mapped[int | None] = mapped_column(ForeignKey("reconciliation_runs.id"), default=None)
    last_run_id: Mapped[int | None] = mapped_column(ForeignKey("reconciliation_runs.id"), default=None)
    last_seen_at: Mapped[datetime]
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), default=None)
    remark: Mapped[str | None] = mapped_column(default=None)
    waits_until: Mapped[datetime | None] = mapped_column(default=None)
    closed_at: Mapped[datetime | None] = mapped_column(default=None)
    closed_as: Mapped[ClosedAs | None] = mapped_column(default=None)
    closed_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), default=None)

    @property
    def statement_amount(self) -> Money | None:
        return None if self.theirs is None else Money(self.theirs, self.currency)

    @property
    def ledger_amount(self) -> Money | None:
        return None if self.ours is None else Money(self.ours, self.ours_currency or self.currency)


class BankMatch(Record):
    """Lines of our bank that are postings of the ledger: both sides sum to the same, which a trigger checks at commit.
    `name` says of what the rule made it. One that was undone stays: `held_line_ids` and
    `held_journal_ids`, which the database writes then, say what it held together."""

    __tablename__ = "bank_matches"
    __table_args__ = (
        one_of("rule", MatchRule),
        CheckConstraint("(rule = 'HAND') = (made_by is not null)", name="by_a_person_or_not"),
        CheckConstraint(
            "(undone_at is null) = (undone_by is null) and (undone_at is null) = (undone_reason is null) "
            "and (undone_at is null) = (held_line_ids is null) and (undone_at is null) = (held_journal_ids is null) "
            "and (undone_at is null or rule = 'HAND')",
            name="undone_by_someone",
        ),
        Index("bank_matches_name_idx", "name"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("bank_accounts.id"))
    rule: Mapped[MatchRule]
    name: Mapped[str]
    run_id: Mapped[int | None] = mapped_column(ForeignKey("reconciliation_runs.id"), default=None)
    made_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), default=None)
    made_at: Mapped[datetime]
    undone_at: Mapped[datetime | None] = mapped_column(default=None)
    undone_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), default=None)
    undone_reason: Mapped[str | None] = mapped_column(default=None)
    held_line_ids: Mapped[list[int] | None] = mapped_column(ARRAY(BigInteger), default=None)
    held_journal_ids: Mapped[list[int] | None] = mapped_column(ARRAY(BigInteger), default=None)


class BankMatchLine(Record):
    """A line is matched once, and whole."""

    __tablename__ = "bank_match_lines"
    __table_args__ = (Index("bank_match_lines_match_idx", "match_id"),)

    line_id: Mapped[int] = mapped_column(ForeignKey("bank_statement_lines.id"), primary_key=True)
    match_id: Mapped[int] = mapped_column(ForeignKey("bank_matches.id"))


class BankMatchPosting(Record):
    """A journal's posting on `bank` in this currency is matched once, and whole."""

    __tablename__ = "bank_match_postings"
    __table_args__ = (Index("bank_match_postings_match_idx", "match_id"),)

    journal_id: Mapped[int] = mapped_column(ForeignKey("journals.id"), primary_key=True)
    currency: Mapped[str] = mapped_column(primary_key=True)
    match_id: Mapped[int] = mapped_column(ForeignKey("bank_matches.id"))
    amount_minor: Mapped[int]
