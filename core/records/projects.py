"""Projects: an accepted bid, its engagement, and the snapshot of the policy that it lives under."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Record


class Project(Record):
    """`funding` AHEAD: the payer may pay for milestones before it is their turn (the project's own setting)."""

    __tablename__ = "projects"
    __table_args__ = (
        CheckConstraint("status in ('ACTIVE', 'COMPLETED', 'CANCELED')", name="status"),
        CheckConstraint("funding in ('IN_TURN', 'AHEAD')", name="funding"),
        CheckConstraint("total_minor > 0", name="total_positive"),
        CheckConstraint("payer_id <> payee_id", name="two_parties"),
        UniqueConstraint("platform", "bid_reference"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    platform: Mapped[str]
    bid_reference: Mapped[str]
    title: Mapped[str]
    scope: Mapped[str]
    project_type: Mapped[str]
    size: Mapped[str]
    fee_mode: Mapped[str]
    payer_id: Mapped[int] = mapped_column(ForeignKey("parties.id"), index=True)
    payee_id: Mapped[int] = mapped_column(ForeignKey("parties.id"), index=True)
    currency: Mapped[str]
    total_minor: Mapped[int]
    status: Mapped[str] = mapped_column(default="ACTIVE")
    funding: Mapped[str] = mapped_column(default="IN_TURN")
    policy_version_id: Mapped[int] = mapped_column(ForeignKey("policy_versions.id"))
    created_at: Mapped[datetime]
    completed_at: Mapped[datetime | None] = mapped_column(default=None)


class Engagement(Record):
    """EngagementConfirmation: no payment before it is ACTIVE (payment-escrow-rules, Preconditions)."""

    __tablename__ = "engagements"
    __table_args__ = (CheckConstraint("status in ('DRAFT', 'ACTIVE', 'ENDED')", name="status"),)

    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"), primary_key=True)
    status: Mapped[str] = mapped_column(default="DRAFT")
    scope_confirmed_by_payer_at: Mapped[datetime | None] = mapped_column(default=None)
    scope_confirmed_by_payee_at: Mapped[datetime | None] = mapped_column(default=None)
    fee_confirmed_at: Mapped[datetime | None] = mapped_column(default=None)
    conflict_check_required: Mapped[bool] = mapped_column(default=False)
    conflict_check_acknowledged_at: Mapped[datetime | None] = mapped_column(default=None)
    disclaimers_acknowledged_at: Mapped[datetime | None] = mapped_column(default=None)
    activated_at: Mapped[datetime | None] = mapped_column(default=None)


class PolicyVersion(Record):
    """A published version of a policy profile. Projects point at one, so a change never touches money in flight."""

    __tablename__ = "policy_versions"
    __table_args__ = (
        UniqueConstraint("profile", "version"),
        CheckConstraint("approved_by is null or approved_by <> proposed_by", name="two_people"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    profile: Mapped[str]
    version: Mapped[int]
    snapshot: Mapped[dict[str, Any]]
    proposed_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), default=None)
    approved_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), default=None)
    effective_at: Mapped[datetime]
