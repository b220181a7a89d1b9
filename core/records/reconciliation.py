"""Reconciliation: the provider's statement beside our ledger, run by run, and the money that nobody explains."""

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
from core.rules.suspense import SettledAs, SuspenseStatus


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


class SuspenseItem(Record):
    """A line of the provider's ledger that nothing on the desk explains, until one person says what it was and another
    agrees. With a `journal_id`, only what its statement differs by from what was booked. Or a line of our bank
    (`bank_line_id`), or what it differs by from its match, with the journal that booked it. `target_id` is the
    milestone, party, write-off or refund that the proposal is about.
    """

    __tablename__ = "suspense_items"
    __table_args__ = (
        one_of("settled_as", SettledAs),
        one_of("proposed_as", SettledAs),
        CheckConstraint(
            "(transaction_id is null) <> (bank_line_id is null) and (bank_line_id is null or journal_id is not null)",
            name="one_line",
        ),
        one_of("status", SuspenseStatus),
        CheckConstraint(
            "(status = 'SETTLED') = (settled_as is not null and reason is not null and settled_by is not null "
            "and settled_at is not null)",
            name="settled_by_someone",
        ),
        CheckConstraint(
            "(proposed_as is null) = (proposed_by is null) and (proposed_as is null) = (proposed_at is null) "
            "and (proposed_as is null) = (proposed_reason is null)",
            name="proposed_by_someone",
        ),
        CheckConstraint(
            "status <> 'SETTLED' or (proposed_by is not null and settled_by <> proposed_by)",
            name="two_people",
        ),
        CheckConstraint(
            "case when coalesce(settled_as, proposed_as) in ('CONCESSION', 'REFUND_OWED', 'PAYEE_OWES', "
            "'OTHER_EXPENSE') then amount_minor < 0 when coalesce(settled_as, proposed_as) in ('RETURN_TO_PAYER', "
            "'PAYEE_DEBT', 'DEBT_RECOVERED', 'REFUND_CAME_BACK', 'INTEREST', 'OTHER_INCOME') then amount_minor > 0 "
            "else true end",
            name="direction",
        ),
        Index("suspense_items_open_idx", "id", postgresql_where="status = 'OPEN'"),
        Index(
            "suspense_items_whole_line_key",
            "transaction_id",
            unique=True,
            postgresql_where="journal_id is null",
        ),
        Index(
            "suspense_items_one_open_key", "transaction_id", unique=True, postgresql_where="status = 'OPEN'"
        ),
        Index("suspense_items_transaction_idx", "transaction_id"),
        Index(
            "suspense_items_recovered_idx",
            "target_id",
            postgresql_where="coalesce(settled_as, proposed_as) = 'DEBT_RECOVERED'",
        ),
        Index(
            "suspense_items_bank_line_id_key",
            "bank_line_id",
            unique=True,
            postgresql_where="status <> 'REVERSED'",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    transaction_id: Mapped[str | None] = mapped_column(default=None)
    bank_line_id: Mapped[int | None] = mapped_column(ForeignKey("bank_statement_lines.id"), default=None)
    journal_id: Mapped[int | None] = mapped_column(ForeignKey("journals.id"), default=None)
    source: Mapped[str]
    currency: Mapped[str]
    amount_minor: Mapped[int]
    status: Mapped[SuspenseStatus] = mapped_column(default=SuspenseStatus.OPEN)
    settled_as: Mapped[SettledAs | None] = mapped_column(default=None)
    reason: Mapped[str | None] = mapped_column(default=None)
    settled_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), default=None)
    found_at: Mapped[datetime]
    settled_at: Mapped[datetime | None] = mapped_column(default=None)
    why: Mapped[str | None] = mapped_column(default=None)
    payment_intent: Mapped[str | None] = mapped_column(default=None)
    milestone_id: Mapped[int | None] = mapped_column(ForeignKey("milestones.id"), default=None)
    proposed_as: Mapped[SettledAs | None] = mapped_column(default=None)
    target_id: Mapped[int | None] = mapped_column(default=None)
    proposed_reason: Mapped[str | None] = mapped_column(default=None)
    proposed_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), default=None)
    proposed_at: Mapped[datetime | None] = mapped_column(default=None)
