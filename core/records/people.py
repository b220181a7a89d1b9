"""People: the parties of the marketplace, the staff of the desk, and who is tied to whom."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Record, one_of, search_index
from core.policy import Platform, WithdrawalMethod
from core.rules.languages import Language
from core.rules.parties import PartyRole
from core.rules.permissions import Role


class Installation(Record):
    """One row: which desk this database belongs to. `name` prefixes every key sent to the provider."""

    __tablename__ = "installation"
    __table_args__ = (CheckConstraint("id = 1", name="single"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str]
    demo: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]


class Party(Record):
    """A customer of the marketplace: payer (homeowner, client) or payee (contractor, attorney).

    `method_kind` and what is beside it: what a payer pays with, in the provider's words, as far as it said so;
    `method_saved_at`: when they saved it for charges while they are away, or paid with it while they were there.
    """

    __tablename__ = "parties"
    __table_args__ = (
        one_of("withdrawal_method", WithdrawalMethod),
        one_of("role", PartyRole),
        one_of("platform", Platform),
        one_of("language", Language),
        UniqueConstraint("platform", "external_id"),
        CheckConstraint(
            "method_kind is not null or (method_brand is null and method_last4 is null)", name="method"
        ),
        CheckConstraint("payment_method is not null or method_saved_at is null", name="saved_method"),
        Index("parties_stripe_account_idx", "stripe_account"),
        Index("parties_stripe_customer_idx", "stripe_customer"),
        search_index("parties_search_idx", "searched((((name || ' ') || email) || ' ') || external_id)"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    platform: Mapped[Platform]
    external_id: Mapped[str]
    role: Mapped[PartyRole]
    name: Mapped[str]
    email: Mapped[str]
    city: Mapped[str] = mapped_column(default="")
    country: Mapped[str] = mapped_column(default="US")
    language: Mapped[Language] = mapped_column(default=Language.ENGLISH, server_default="en")
    stripe_customer: Mapped[str | None] = mapped_column(default=None)
    payment_method: Mapped[str | None] = mapped_column(default=None)
    method_kind: Mapped[str | None] = mapped_column(default=None)
    method_brand: Mapped[str | None] = mapped_column(default=None)
    method_last4: Mapped[str | None] = mapped_column(default=None)
    method_saved_at: Mapped[datetime | None] = mapped_column(default=None)
    stripe_account: Mapped[str | None] = mapped_column(default=None)
    account_currency: Mapped[str | None] = mapped_column(default=None)
    bank_token_sha256: Mapped[str | None] = mapped_column(default=None)
    withdrawal_method: Mapped[WithdrawalMethod] = mapped_column(default=WithdrawalMethod.STANDARD)
    auto_withdraw: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime | None] = mapped_column(default=None)


class Staff(Record):
    """Someone who works at the desk. Known by (issuer, subject) of the sign-in provider, never by e-mail."""

    __tablename__ = "staff"
    __table_args__ = (UniqueConstraint("issuer", "subject"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    issuer: Mapped[str]
    subject: Mapped[str]
    name: Mapped[str]
    email: Mapped[str]
    title: Mapped[str] = mapped_column(default="")
    skills: Mapped[list[str]] = mapped_column(default=list)
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]


class StaffRole(Record):
    __tablename__ = "staff_roles"
    __table_args__ = (one_of("role", Role),)

    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), primary_key=True)
    role: Mapped[Role] = mapped_column(primary_key=True)


class StaffSession(Record):
    """A signed-in browser. Only the hash of its token is stored; idle and absolute limits end it."""

    __tablename__ = "staff_sessions"
    __table_args__ = (UniqueConstraint("token_hash"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), index=True)
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    authenticated_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None] = mapped_column(default=None)


class StaffTie(Record):
    """A reason why this member of staff must not decide about this party."""

    __tablename__ = "staff_ties"

    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), primary_key=True)
    party_id: Mapped[int] = mapped_column(ForeignKey("parties.id"), primary_key=True)
    reason: Mapped[str]
    declared_at: Mapped[datetime]
