"""Payers at the payment provider: the payment methods that they save for later."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Record, one_of
from core.rules.payment_method_setups import SetupStatus


class PaymentMethodSetup(Record):
    """A payer saves a payment method. `code` and `failure`: why it was refused last, in the provider's word and a
    sentence for the payer. The secret with which they do it is answered once, and not kept."""

    __tablename__ = "payment_method_setups"
    __table_args__ = (
        UniqueConstraint("stripe_setup_intent"),
        one_of("status", SetupStatus),
        CheckConstraint("(status = 'SAVED') = (payment_method is not null)", name="saved_method"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    party_id: Mapped[int] = mapped_column(ForeignKey("parties.id"), index=True)
    stripe_setup_intent: Mapped[str]
    status: Mapped[SetupStatus] = mapped_column(default=SetupStatus.OPEN)
    payment_method: Mapped[str | None] = mapped_column(default=None)
    code: Mapped[str | None] = mapped_column(default=None)
    failure: Mapped[str | None] = mapped_column(default=None)
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
