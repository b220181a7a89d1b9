"""Payees' accounts at the payment provider, as they were when they were read last."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Computed, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Record, one_of
from core.rules.payee_accounts import Transfers


class PayeeAccount(Record):
    """What Stripe says of a payee's account. `banks` names the bank of each currency: `{"USD": {"id", "last4",
    "usable"}}`; one that is gone stays, not usable. `can_be_paid` is the database's own word."""

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
