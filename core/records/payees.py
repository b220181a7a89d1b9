"""Payees' accounts at the payment provider, as they were when they were read last, and what parties had before."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Computed, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Record, one_of
from core.rules.parties import PartyField
from core.rules.payee_accounts import Transfers


class PayeeAccount(Record):
    """What Stripe says of a payee's account. `banks` names the bank of each currency: `{"USD": {"id", "called",
    "last4", "usable"}}`; one that is gone stays, not usable. `can_be_paid` is the database's own word."""

    __tablename__ = "payee_accounts"
    __table_args__ = (one_of("transfers", Transfers), UniqueConstraint("account"))

    party_id: Mapped[int] = mapped_column(ForeignKey("parties.id"), primary_key=True, autoincrement=False)
    account: Mapped[str]
    transfers: Mapped[Transfers]
    payouts_enabled: Mapped[bool]
    can_be_paid: Mapped[bool] = mapped_column(
        Computed("transfers = 'active' AND payouts_enabled", persisted=True)
    )
    details_submitted: Mapped[bool]
    currently_due: Mapped[list[str]]
    past_due: Mapped[list[str]]
    pending_verification: Mapped[list[str]]
    disabled_reason: Mapped[str | None] = mapped_column(default=None)
    due_at: Mapped[datetime | None] = mapped_column(default=None)
    banks: Mapped[dict[str, Any]]
    read_at: Mapped[datetime]


class BankChange(Record):
    """Another bank account in the place of a payee's; payouts wait until `held_until`. Only its end is ever written."""

    __tablename__ = "bank_changes"
    __table_args__ = (
        CheckConstraint("before_bank <> after_bank", name="another"),
        CheckConstraint("held_until >= at", name="held"),
        CheckConstraint("ended_at >= held_until", name="not_earlier"),
        Index("bank_changes_due_idx", "held_until", postgresql_where="ended_at is null"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    party_id: Mapped[int] = mapped_column(ForeignKey("payee_accounts.party_id"), index=True)
    currency: Mapped[str]
    before_bank: Mapped[str]
    before_last4: Mapped[str]
    after_bank: Mapped[str]
    after_last4: Mapped[str]
    at: Mapped[datetime]
    held_until: Mapped[datetime]
    ended_at: Mapped[datetime | None] = mapped_column(default=None)


class PartyChange(Record):
    """What a party had before. The database writes it with the change itself; `field` is the column's name."""

    __tablename__ = "party_changes"
    __table_args__ = (one_of("field", PartyField), CheckConstraint("before <> after", name="another"))

    id: Mapped[int] = mapped_column(primary_key=True)
    party_id: Mapped[int] = mapped_column(ForeignKey("parties.id"), index=True)
    field: Mapped[PartyField]
    before: Mapped[str]
    after: Mapped[str]
    at: Mapped[datetime]
