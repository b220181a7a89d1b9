"""What Stripe's books say beside the platform's lines (`StatementLine`): payees' accounts, and payouts."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Record, one_of
from core.rules.reconciliation import StripeBook


class PayeeStatementLine(Record):
    """A balance transaction of a payee's account as Stripe last told it: compared with the payees' memo book."""

    __tablename__ = "payee_statement_lines"
    __table_args__ = (
        CheckConstraint("net = amount - fee", name="net"),
        Index("payee_statement_lines_account_idx", "account", "currency", "created_at"),
        Index("payee_statement_lines_source_idx", "source"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    account: Mapped[str]
    party_id: Mapped[int | None] = mapped_column(ForeignKey("parties.id"), default=None)
    kind: Mapped[str]
    reporting_category: Mapped[str]
    amount: Mapped[int]
    fee: Mapped[int]
    net: Mapped[int]
    currency: Mapped[str]
    source: Mapped[str]
    created_at: Mapped[datetime]
    available_at: Mapped[datetime]
    fetched_at: Mapped[datetime]


class StripePayout(Record):
    """A payout to a bank as Stripe last told it. `account` is a payee's; None: the platform's own. `status`: `pending`,
    `in_transit`, `paid`, `failed`, `canceled`."""

    __tablename__ = "stripe_payouts"
    __table_args__ = (
        CheckConstraint("amount > 0", name="amount"),
        CheckConstraint("account is not null or party_id is null", name="whose"),
        Index("stripe_payouts_account_idx", "account", "created_at"),
        Index("stripe_payouts_platform_idx", "currency", "arrival_at", postgresql_where="account is null"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    account: Mapped[str | None] = mapped_column(default=None)
    party_id: Mapped[int | None] = mapped_column(ForeignKey("parties.id"), default=None)
    amount: Mapped[int]
    currency: Mapped[str]
    status: Mapped[str]
    method: Mapped[str]
    automatic: Mapped[bool]
    created_at: Mapped[datetime]
    arrival_at: Mapped[datetime]
    balance_transaction: Mapped[str | None] = mapped_column(default=None)
    failure_balance_transaction: Mapped[str | None] = mapped_column(default=None)
    failure_code: Mapped[str | None] = mapped_column(default=None)
    destination: Mapped[str | None] = mapped_column(default=None)
    fetched_at: Mapped[datetime]


class StatementCursor(Record):
    """How far one book of one account was read; '' is the platform's account. A window that was not read to its end
    goes on after `window_after`, the last object that was kept. `failure`: why the last look ended early."""

    __tablename__ = "statement_cursors"
    __table_args__ = (
        one_of("book", StripeBook),
        CheckConstraint(
            "(window_since is null) = (window_until is null)"
            " and (window_after is null or window_since is not null)",
            name="window",
        ),
    )

    account: Mapped[str] = mapped_column(primary_key=True)
    book: Mapped[StripeBook] = mapped_column(primary_key=True)
    read_until: Mapped[datetime | None] = mapped_column(default=None)
    window_since: Mapped[datetime | None] = mapped_column(default=None)
    window_until: Mapped[datetime | None] = mapped_column(default=None)
    window_after: Mapped[str | None] = mapped_column(default=None)
    looked_at: Mapped[datetime | None] = mapped_column(default=None)
    failure: Mapped[str | None] = mapped_column(default=None)
