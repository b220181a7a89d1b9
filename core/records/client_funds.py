"""Client funds: what Stripe itself says it holds, look by look, and the payouts that stop where that is too little."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Record


class StripeBalance(Record):
    """One currency of one look at Stripe's own balance, beside what the ledger said was owed to others then.

    `on_its_way_minor` was asked of Stripe and not answered yet, so it may have left or not. `available_minor` of it can
    be sent now; looks from before it was read have none. Never changed.
    """

    __tablename__ = "stripe_balances"
    __table_args__ = (Index("stripe_balances_currency_idx", "currency", "looked_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    currency: Mapped[str]
    looked_at: Mapped[datetime]
    at_stripe_minor: Mapped[int]
    owed_minor: Mapped[int]
    on_its_way_minor: Mapped[int]
    available_minor: Mapped[int | None] = mapped_column(default=None)


class PayoutStop(Record):
    """Automatic payouts of a currency wait, because Stripe held less than was owed, until a person has looked."""

    __tablename__ = "payout_stops"
    __table_args__ = (
        CheckConstraint("short_minor > 0", name="short"),
        CheckConstraint(
            "(released_at is null) = (released_by is null) and (released_at is null) = (reason is null)",
            name="released_by_someone",
        ),
        Index("payout_stops_one_open_idx", "currency", unique=True, postgresql_where="released_at is null"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    currency: Mapped[str]
    short_minor: Mapped[int]
    opened_at: Mapped[datetime]
    released_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), default=None)
    released_at: Mapped[datetime | None] = mapped_column(default=None)
    reason: Mapped[str | None] = mapped_column(default=None)
