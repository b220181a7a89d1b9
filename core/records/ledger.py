"""The ledger's tables, as the migration made them. Only `post_journal` and `roll_up` write them; read them freely.

Read postings through the views: `postings` by journal, milestone or time, `account_postings` by account,
`account_balances` for what lies on the accounts. They know what is not rolled up yet.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Computed,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Numeric,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, DOMAIN, JSONB

from core.db import Record
from core.records.audit import TransactionId

_NAME = Text(collation="C")

currencies = Table(
    "currencies",
    Record.metadata,
    Column("number", SmallInteger, primary_key=True, autoincrement=False),
    Column("code", _NAME, nullable=False, unique=True),
    Column("smallest_charge", BigInteger, nullable=False),
    Column("largest_charge", BigInteger, nullable=False),
)

chart = Table(
    "chart",
    Record.metadata,
    Column("line", SmallInteger, primary_key=True, autoincrement=False),
    Column("gl_number", SmallInteger, nullable=False, unique=True),
    Column("subtotal", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("name", _NAME, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("book", Text, nullable=False),
    Column("per", Text),
    Column("hot", Boolean, Computed("line & 128 <> 0", persisted=True), nullable=False),
    Column("non_negative", Boolean, Computed("line & 128 = 0", persisted=True), nullable=False),
    Column(
        "side",
        SmallInteger,
        Computed("case when kind in ('asset', 'expense') then 1 else -1 end", persisted=True),
        nullable=False,
    ),
)

accounts = Table(
    "accounts",
    Record.metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("code", _NAME, nullable=False),
    Column("currency", _NAME, ForeignKey("currencies.code"), nullable=False),
    Column("line", SmallInteger, ForeignKey("chart.line"), nullable=False),
    Column("object_id", BigInteger),
    Column("currency_number", SmallInteger, ForeignKey("currencies.number"), nullable=False),
    UniqueConstraint("code", "currency"),
    Index("accounts_line_idx", "line", "currency_number", "id"),
)

balances = Table(
    "balances",
    Record.metadata,
    Column("account_id", BigInteger, ForeignKey("accounts.id"), primary_key=True, autoincrement=False),
    Column("balance", DOMAIN("amount_not_below_zero", BigInteger, create_type=False), nullable=False),
    Column("side", SmallInteger, nullable=False),
)

journals = Table(
    "journals",
    Record.metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("key", _NAME, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("milestone_id", BigInteger),
    Column("party_id", BigInteger),
    Column("memo", Text, nullable=False),
    Column("cause", JSONB, nullable=False),
    Column("account_ids", ARRAY(BigInteger), nullable=False),
    Column("amounts", ARRAY(BigInteger), nullable=False),
    Column("posted_at", DateTime(timezone=True), nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False, server_default=text("clock_timestamp()")),
    Column("xid", TransactionId(), nullable=False, server_default=text("pg_current_xact_id()")),
    Index("journals_milestone_idx", "milestone_id", "id"),
    Index("journals_xid_idx", "xid"),
    Index("journals_posted_at_idx", "posted_at", postgresql_using="brin"),
)

ledger_roll_up = Table(
    "ledger_roll_up",
    Record.metadata,
    Column("only_row", Boolean, primary_key=True, server_default=text("true")),
    Column("rolled_to", TransactionId(), nullable=False, server_default=text("'0'")),
    Column("after_journal", BigInteger, nullable=False, server_default=text("0")),
)

register = Table(
    "register",
    Record.metadata,
    Column("account_id", BigInteger, primary_key=True, autoincrement=False),
    Column("journal_id", BigInteger, primary_key=True, autoincrement=False),
    Column("amount", BigInteger, nullable=False),
)

hot_balances = Table(
    "hot_balances",
    Record.metadata,
    Column("account_id", BigInteger, primary_key=True, autoincrement=False),
    Column("net", Numeric(30), nullable=False),
)

daily_totals = Table(
    "daily_totals",
    Record.metadata,
    Column("day", Date, primary_key=True),
    Column("line", SmallInteger, primary_key=True, autoincrement=False),
    Column("currency_number", SmallInteger, primary_key=True, autoincrement=False),
    Column("kind", Text, primary_key=True),
    Column("debits", Numeric(30), nullable=False),
    Column("credits", Numeric(30), nullable=False),
    Column("postings", BigInteger, nullable=False),
    Column("first_journal", BigInteger, nullable=False),
    Column("last_journal", BigInteger, nullable=False),
    Column("last_account", BigInteger, nullable=False),
)

marketplace_totals = Table(
    "marketplace_totals",
    Record.metadata,
    Column("platform", _NAME, primary_key=True),
    Column("month", Date, primary_key=True),
    Column("currency_number", SmallInteger, primary_key=True, autoincrement=False),
    Column("kind", _NAME, primary_key=True),
    Column("net", Numeric(30), nullable=False),
)

fee_totals = Table(
    "fee_totals",
    Record.metadata,
    Column("dimension", _NAME, primary_key=True),
    Column("currency_number", SmallInteger, primary_key=True, autoincrement=False),
    Column("key", _NAME, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("journals", BigInteger, nullable=False),
    Column("platform_fee_revenue", BigInteger),
    Column("processing_fee_recovery", BigInteger),
    Column("withdrawal_fee_revenue", BigInteger),
    Column("processor_fees", BigInteger),
    Column("fee_variance", BigInteger),
    Column("dispute_fees", BigInteger),
    Column("chargeback_losses", BigInteger),
    Column("refund_concession", BigInteger),
    Column("released", BigInteger),
    Index("fee_totals_day_idx", "dimension", "currency_number", "day", text("length(key)"), "key"),
)
