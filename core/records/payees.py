"""Payees' accounts at the payment provider, as they were when they were read last, and what parties had before."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Computed, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Record, one_of
from core.records.two_people import two_people
from core.rules.parties import PartyField
from core.rules.payee_accounts import BankDecision, Transfers
from core.rules.proposals import ProposalKind, ProposalStatus


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
    """Another bank account in the place of a payee's, or one in a further currency beside it; payouts wait until
    `held_until`, or until two people accept it. Where they refuse it, none goes there. Whatever is written later but
    the end in its time needs their proposal, and the database asks for it."""

    __tablename__ = "bank_changes"
    __table_args__ = (
        CheckConstraint("before_bank <> after_bank", name="another"),
        CheckConstraint("(before_bank is null) = (before_last4 is null)", name="before"),
        CheckConstraint("held_until >= at", name="held"),
        CheckConstraint("refused_at is null or ended_at is not null", name="refused_is_over"),
        Index("bank_changes_due_idx", "held_until", postgresql_where="ended_at is null"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    party_id: Mapped[int] = mapped_column(ForeignKey("payee_accounts.party_id"), index=True)
    currency: Mapped[str]
    before_bank: Mapped[str | None]
    before_last4: Mapped[str | None]
    after_bank: Mapped[str]
    after_last4: Mapped[str]
    at: Mapped[datetime]
    held_until: Mapped[datetime]
    ended_at: Mapped[datetime | None] = mapped_column(default=None)
    refused_at: Mapped[datetime | None] = mapped_column(default=None)


class BankChangeProposal(Record):
    """What one person proposes about a bank change, and another carries out: accept it before its time, let it wait
    `until` later, or refuse it."""

    __tablename__ = "bank_change_proposals"
    __table_args__ = (
        *two_people(ProposalKind.BANK_CHANGE),
        one_of("decision", BankDecision),
        CheckConstraint("(decision = 'EXTEND') = (until is not null)", name="until"),
        Index(
            "bank_change_proposals_one_open_idx",
            "bank_change_id",
            unique=True,
            postgresql_where="status = 'PROPOSED'",
        ),
        Index("bank_change_proposals_change_idx", "bank_change_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    bank_change_id: Mapped[int] = mapped_column(ForeignKey("bank_changes.id"))
    decision: Mapped[BankDecision]
    until: Mapped[datetime | None] = mapped_column(default=None)
    reason: Mapped[str]
    proposed_by: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    proposed_at: Mapped[datetime]
    status: Mapped[ProposalStatus] = mapped_column(default=ProposalStatus.PROPOSED, server_default="PROPOSED")
    settled_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), default=None)
    settled_at: Mapped[datetime | None] = mapped_column(default=None)
    note: Mapped[str | None] = mapped_column(default=None)


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
