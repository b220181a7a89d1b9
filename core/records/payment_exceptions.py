"""When the ordinary way is closed: another method offered to a payee, a refund that goes outside the provider."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Record, one_of
from core.policy import WithdrawalMethod
from core.rules.payouts import PayoutOfferStatus
from core.rules.proposals import ProposalKind, ProposalStatus, statuses_of
from core.rules.refunds import ReturnWay


class PayoutOffer(Record):
    """Methods that staff offer to a payee whose payout failed, and the one that the payee chose.

    `fee_waived`: whoever offered them let the method's fee go.
    """

    __tablename__ = "payout_offers"
    __table_args__ = (
        one_of("chosen_method", WithdrawalMethod),
        one_of("status", PayoutOfferStatus),
        CheckConstraint("(status = 'CHOSEN') = (chosen_method is not null)", name="chosen_has_method"),
        CheckConstraint("(status = 'OPEN') = (settled_at is null)", name="settled_has_time"),
        Index("payout_offers_one_open_idx", "payout_id", unique=True, postgresql_where="status = 'OPEN'"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    payout_id: Mapped[int] = mapped_column(ForeignKey("payouts.id"))
    methods: Mapped[list[str]]
    fee_waived: Mapped[bool] = mapped_column(default=False, server_default="false")
    reason: Mapped[str]
    offered_by: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    offered_at: Mapped[datetime]
    status: Mapped[PayoutOfferStatus] = mapped_column(default=PayoutOfferStatus.OPEN, server_default="OPEN")
    chosen_method: Mapped[WithdrawalMethod | None] = mapped_column(default=None)
    settled_at: Mapped[datetime | None] = mapped_column(default=None)


class RefundReturn(Record):
    """A refund that came back from the payer's card or account, sent from our bank: one says so, another confirms."""

    __tablename__ = "refund_returns"
    __table_args__ = (
        one_of("way", ReturnWay),
        one_of("status", statuses_of(ProposalKind.REFUND_RETURN)),
        CheckConstraint(
            "(status = 'PROPOSED') = (settled_by is null) and (settled_by is null) = (settled_at is null)",
            name="settled_by_someone",
        ),
        CheckConstraint("status not in ('DONE', 'REJECTED') or settled_by <> proposed_by", name="two_people"),
        Index(
            "refund_returns_one_open_idx", "refund_id", unique=True, postgresql_where="status = 'PROPOSED'"
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    refund_id: Mapped[int] = mapped_column(ForeignKey("refunds.id"))
    way: Mapped[ReturnWay]
    reference: Mapped[str]
    reason: Mapped[str]
    proposed_by: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    proposed_at: Mapped[datetime]
    status: Mapped[ProposalStatus] = mapped_column(default=ProposalStatus.PROPOSED, server_default="PROPOSED")
    settled_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), default=None)
    settled_at: Mapped[datetime | None] = mapped_column(default=None)
    note: Mapped[str | None] = mapped_column(default=None)


class FailedReturn(Record):
    """A refund sent from our bank that came back, or never left: the journal that booked it, and the one by which the
    debt to the payer is open again, as two people said."""

    __tablename__ = "failed_returns"

    return_id: Mapped[int] = mapped_column(ForeignKey("refund_returns.id"), primary_key=True)
    sent_journal_id: Mapped[int] = mapped_column(ForeignKey("journals.id"), unique=True)
    journal_id: Mapped[int] = mapped_column(ForeignKey("journals.id"), unique=True)
    at: Mapped[datetime]
