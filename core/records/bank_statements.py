"""The platform's own bank accounts, and what the bank says of them: files, statements, lines.

`StatementLine` is another thing: a line of Stripe's. Nothing here is changed once it is written, but for the name and
the number of an account.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, Date, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Record, one_of
from core.rules.bank_statements import Balances, StatementFormat

ONCE = "repeats_id is null"


class BankAccount(Record):
    """`code` is what people call it, `identifier` the IBAN or account number as the bank writes it, without blanks.
    There is one for each currency, as there is one account `bank` in the ledger."""

    __tablename__ = "bank_accounts"
    __table_args__ = (
        UniqueConstraint("id", "currency"),
        CheckConstraint("code ~ '^[a-z0-9][a-z0-9-]{0,39}$' AND code <> 'stripe'", name="code_is_plain"),
        CheckConstraint("identifier ~ '^[A-Z0-9]{4,40}$'", name="identifier_is_plain"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    currency: Mapped[str] = mapped_column(unique=True)
    identifier: Mapped[str]
    opened_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), default=None)
    opened_at: Mapped[datetime]


class CsvMapping(Record):
    """How the columns of a bank's CSV are read (`core.rules.csv_mappings`); the newest version of a name counts."""

    __tablename__ = "csv_mappings"
    __table_args__ = (UniqueConstraint("name", "version"), CheckConstraint("version > 0", name="counted"))

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    version: Mapped[int]
    definition: Mapped[dict[str, Any]]
    made_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), default=None)
    made_at: Mapped[datetime]


class BankStatementFile(Record):
    """A file as the bank sent it; its bytes lie in the store of files by `sha256`."""

    __tablename__ = "bank_statement_files"
    __table_args__ = (
        one_of("format", StatementFormat),
        CheckConstraint("sha256 ~ '^[0-9a-f]{64}$' AND size_bytes > 0", name="hashed"),
        CheckConstraint("(format = 'CSV') = (mapping_id is not null)", name="mapped"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    sha256: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    format: Mapped[StatementFormat]
    size_bytes: Mapped[int]
    mapping_id: Mapped[int | None] = mapped_column(ForeignKey("csv_mappings.id"), default=None)
    imported_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), default=None)
    imported_via: Mapped[str | None] = mapped_column(default=None)
    imported_at: Mapped[datetime]


class BankStatement(Record):
    """One statement of a file: opening + lines = closing, to the minor unit. `number` is its place in the file,
    `reference` what the bank calls it. The lines are written first; the statement closes them."""

    __tablename__ = "bank_statements"
    __table_args__ = (
        UniqueConstraint("file_id", "number"),
        UniqueConstraint("id", "account_id", "currency"),
        ForeignKeyConstraint(["account_id", "currency"], ["bank_accounts.id", "bank_accounts.currency"]),
        one_of("balances", Balances),
        CheckConstraint("first_on <= last_on AND number > 0 AND lines >= 0", name="in_order"),
        Index("bank_statements_account_idx", "account_id", "last_on", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    file_id: Mapped[int] = mapped_column(ForeignKey("bank_statement_files.id"))
    account_id: Mapped[int]
    number: Mapped[int]
    reference: Mapped[str]
    currency: Mapped[str]
    first_on: Mapped[date] = mapped_column(Date)
    last_on: Mapped[date] = mapped_column(Date)
    opening_minor: Mapped[int]
    closing_minor: Mapped[int]
    balances: Mapped[Balances]
    lines: Mapped[int]
    lines_hash: Mapped[str]


class BankLine(Record):
    """A line of a bank statement; above zero money came into the bank account. `odd`: what could not be read as it
    should, in sentences. `repeats_id`: the same line in an earlier statement, which is the one that counts."""

    __tablename__ = "bank_statement_lines"
    __table_args__ = (
        UniqueConstraint("statement_id", "number"),
        ForeignKeyConstraint(
            ["statement_id", "account_id", "currency"],
            ["bank_statements.id", "bank_statements.account_id", "bank_statements.currency"],
            deferrable=True,
            initially="DEFERRED",
        ),
        CheckConstraint("repeats_id < id", name="repeats_another"),
        Index("bank_statement_lines_reference_idx", "reference", postgresql_where="reference <> ''"),
        Index("bank_statement_lines_once_idx", "account_id", "key", unique=True, postgresql_where=ONCE),
        Index("bank_statement_lines_day_idx", "account_id", "booked_on", "id", postgresql_where=ONCE),
        Index(
            "bank_statement_lines_amount_idx",
            "account_id",
            "amount_minor",
            "booked_on",
            postgresql_where=ONCE,
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    statement_id: Mapped[int]
    account_id: Mapped[int]
    currency: Mapped[str]
    number: Mapped[int]
    booked_on: Mapped[date] = mapped_column(Date)
    value_on: Mapped[date | None] = mapped_column(Date, default=None)
    amount_minor: Mapped[int]
    reference: Mapped[str]
    counterparty: Mapped[str]
    text: Mapped[str]
    odd: Mapped[list[str]]
    key: Mapped[str]
    repeats_id: Mapped[int | None] = mapped_column(ForeignKey("bank_statement_lines.id"), default=None)


class BankChargeRule(Record):
    """A line that took at most `most_minor` from this account, and whose text contains `words`, is proposed to be a
    bank charge. It books nothing, and what it says never changes: it is ended, and another is saved."""

    __tablename__ = "bank_charge_rules"
    __table_args__ = (
        CheckConstraint("length(btrim(words)) between 3 and 80 and most_minor > 0", name="recognises"),
        CheckConstraint("(ended_by is null) = (ended_at is null)", name="ended_by_someone"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("bank_accounts.id"))
    words: Mapped[str]
    most_minor: Mapped[int]
    made_by: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    made_at: Mapped[datetime]
    ended_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), default=None)
    ended_at: Mapped[datetime | None] = mapped_column(default=None)
