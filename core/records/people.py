"""People: the parties of the marketplace, the staff of the desk, and who is tied to whom."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    UniqueConstraint,
    column,
    select,
    table,
    text,
    union_all,
)
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Record, one_of, search_index
from core.policy import Platform, WithdrawalMethod
from core.records.two_people import two_people
from core.rules.languages import Language
from core.rules.parties import PartyRole
from core.rules.permissions import Role
from core.rules.proposals import ProposalKind, ProposalStatus

ROLES = """'["mediator", "finance", "compliance", "administrator"]'"""


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
        Index("parties_email_idx", text("lower(email)")),
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
    erased_at: Mapped[datetime | None] = mapped_column(default=None)


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


class GroupRole(Record):
    """Which role the members of a group of the sign-in provider have, until `ended_at`. Written as the owner alone."""

    __tablename__ = "group_roles"
    __table_args__ = (
        one_of("role", Role),
        CheckConstraint("group_name <> ''", name="named"),
        CheckConstraint("ended_at >= added_at", name="ends_later"),
        Index(
            "group_roles_one_open_idx",
            "group_name",
            "role",
            unique=True,
            postgresql_where=text("ended_at is null"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    group_name: Mapped[str]
    role: Mapped[Role]
    added_at: Mapped[datetime]
    ended_at: Mapped[datetime | None] = mapped_column(default=None)


class ProviderRole(Record):
    """A role that a colleague has, or had until `ended_at`, by a group of the sign-in provider. Written by
    `apply_group_roles` alone. `held_before`: it had been given otherwise, and stays when the group is left."""

    __tablename__ = "provider_roles"
    __table_args__ = (
        one_of("role", Role),
        Index(
            "provider_roles_one_open_idx",
            "staff_id",
            "role",
            unique=True,
            postgresql_where=text("ended_at is null"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    role: Mapped[Role]
    group_name: Mapped[str]
    held_before: Mapped[bool]
    given_at: Mapped[datetime]
    ended_at: Mapped[datetime | None] = mapped_column(default=None)


class StaffPreference(Record):
    """How a member of staff likes to work. `blind`: whether names are hidden in cases; None: as the policy says."""

    __tablename__ = "staff_preferences"

    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), primary_key=True)
    blind: Mapped[bool | None] = mapped_column(default=None)
    updated_at: Mapped[datetime]


class RoleGrant(Record):
    """Roles for a colleague: proposed by one administrator, given when another approves. The database gives them."""

    __tablename__ = "role_grants"
    __table_args__ = (
        *two_people(ProposalKind.ROLE_GRANT),
        CheckConstraint(
            f"jsonb_typeof(roles) = 'array' and roles <> '[]' and roles <@ {ROLES}", name="some_roles"
        ),
        CheckConstraint(
            "staff_id <> proposed_by and (settled_by is null or staff_id <> settled_by)", name="not_ones_own"
        ),
        Index("role_grants_one_open_idx", "staff_id", unique=True, postgresql_where="status = 'PROPOSED'"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    roles: Mapped[list[str]]
    reason: Mapped[str]
    proposed_by: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    proposed_at: Mapped[datetime]
    status: Mapped[ProposalStatus] = mapped_column(default=ProposalStatus.PROPOSED, server_default="PROPOSED")
    settled_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), default=None)
    settled_at: Mapped[datetime | None] = mapped_column(default=None)
    note: Mapped[str | None] = mapped_column(default=None)


class EmergencyGrant(Record):
    """A role that one administrator gave alone; the database gives it, and takes it where `stands` is settled as false.

    `reviewed_by`: another administrator, or nobody where it ended because nobody did by `review_by`.
    """

    __tablename__ = "emergency_grants"
    __table_args__ = (
        one_of("role", Role),
        CheckConstraint("role <> 'administrator'", name="no_administrator"),
        CheckConstraint("reason <> ''", name="says_why"),
        CheckConstraint("staff_id <> given_by", name="not_ones_own"),
        CheckConstraint("reviewed_by <> given_by and reviewed_by <> staff_id", name="reviewed_by_another"),
        CheckConstraint(
            "review_by > given_at and review_by <= given_at + interval '24 hours'", name="within_a_day"
        ),
        CheckConstraint(
            "(settled_at is null) = (stands is null) "
            "and (settled_at is not null or reviewed_by is null and note is null) "
            "and (stands is not true or reviewed_by is not null) and (reviewed_by is null) = (note is null)",
            name="settled_whole",
        ),
        Index(
            "emergency_grants_one_open_idx",
            "staff_id",
            "role",
            unique=True,
            postgresql_where="settled_at is null",
        ),
        Index("emergency_grants_review_idx", "review_by", postgresql_where="settled_at is null"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    role: Mapped[Role]
    reason: Mapped[str]
    given_by: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    given_at: Mapped[datetime]
    review_by: Mapped[datetime]
    stands: Mapped[bool | None] = mapped_column(default=None)
    reviewed_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), default=None)
    settled_at: Mapped[datetime | None] = mapped_column(default=None)
    note: Mapped[str | None] = mapped_column(default=None)


class StaffInvitation(Record):
    """Someone asked to join. Only the hash of the link's token is stored; whoever signs in with it is `staff_id`, or an
    administrator called it off (`ended_by`)."""

    __tablename__ = "staff_invitations"
    __table_args__ = (
        UniqueConstraint("token_hash"),
        CheckConstraint(
            "(ended_at is null) = (staff_id is null and ended_by is null) and (staff_id is null or ended_by is null)",
            name="ended_once",
        ),
        CheckConstraint(f"jsonb_typeof(roles) = 'array' and roles <@ {ROLES}", name="some_roles"),
        Index(
            "staff_invitations_one_open_idx",
            text("lower(email)"),
            unique=True,
            postgresql_where="ended_at is null",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str]
    name: Mapped[str]
    title: Mapped[str]
    skills: Mapped[list[str]]
    roles: Mapped[list[str]]
    reason: Mapped[str]
    token_hash: Mapped[bytes] = mapped_column(LargeBinary)
    invited_by: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    invited_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), default=None)
    ended_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), default=None)
    ended_at: Mapped[datetime | None] = mapped_column(default=None)


class StaffSession(Record):
    """A signed-in browser. Only the hash of its token is stored; idle and absolute limits end it. `address` and
    `browser` are what was said when it began; `provider_session` is the sign-in provider's name for it. `proof_hash` is
    that of what the token proves to the audit log."""

    __tablename__ = "staff_sessions"
    __table_args__ = (
        UniqueConstraint("token_hash"),
        Index(
            "staff_sessions_provider_idx",
            "provider_session",
            postgresql_where="provider_session is not null",
        ),
        CheckConstraint("expires_at <= created_at + interval '8 hours'", name="eight_hours"),
        CheckConstraint("authenticated_at <= expires_at and last_seen_at <= expires_at", name="while_open"),
        CheckConstraint("length(proof_hash) = 32", name="proof_hash"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), index=True)
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    authenticated_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None] = mapped_column(default=None)
    address: Mapped[str] = mapped_column(default="", server_default="")
    browser: Mapped[str] = mapped_column(default="", server_default="")
    provider_session: Mapped[str | None] = mapped_column(default=None)
    proof_hash: Mapped[bytes] = mapped_column(LargeBinary)


class StaffTie(Record):
    """A reason why this member of staff must not decide about this party."""

    __tablename__ = "staff_ties"

    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), primary_key=True)
    party_id: Mapped[int] = mapped_column(ForeignKey("parties.id"), primary_key=True)
    reason: Mapped[str]
    declared_at: Mapped[datetime]


class TieRuledOut(Record):
    """A tie that was found and that an administrator has declared wrong."""

    __tablename__ = "ties_ruled_out"
    __table_args__ = (CheckConstraint("ruled_by <> staff_id", name="by_another"),)

    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), primary_key=True)
    party_id: Mapped[int] = mapped_column(ForeignKey("parties.id"), primary_key=True)
    reason: Mapped[str]
    ruled_by: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    ruled_at: Mapped[datetime]


# A view of the database: whom an e-mail address ties to a party, while nobody has confirmed it or ruled it out.
found_ties = table("found_ties", column("staff_id", BigInteger), column("party_id", BigInteger))

# What keeps a colleague from a party's matters: declared, or found and not yet ruled out.
ties_that_bar = union_all(
    select(StaffTie.staff_id, StaffTie.party_id), select(found_ties.c.staff_id, found_ties.c.party_id)
).subquery("ties_that_bar")
