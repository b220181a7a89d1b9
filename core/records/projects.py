"""Projects: an accepted bid and its engagement."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Record, one_of, search_index
from core.policy import Platform
from core.rules.engagement import EngagementStatus
from core.rules.projects import Funding, ProjectStatus
from core.rules.schedule import FeeMode
from core.rules.templates import ProjectType, Size


class Project(Record):
    """`funding` AHEAD: the payer may pay for milestones before it is their turn (the project's own setting)."""

    __tablename__ = "projects"
    __table_args__ = (
        one_of("size", Size),
        one_of("project_type", ProjectType),
        one_of("platform", Platform),
        one_of("fee_mode", FeeMode),
        one_of("status", ProjectStatus),
        one_of("funding", Funding),
        CheckConstraint("total_minor > 0", name="total_positive"),
        CheckConstraint("payer_id <> payee_id", name="two_parties"),
        UniqueConstraint("platform", "bid_reference"),
        search_index("projects_search_idx", "searched((title || ' ') || bid_reference)"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    platform: Mapped[Platform]
    bid_reference: Mapped[str]
    title: Mapped[str]
    scope: Mapped[str]
    project_type: Mapped[ProjectType]
    size: Mapped[Size]
    fee_mode: Mapped[FeeMode]
    payer_id: Mapped[int] = mapped_column(ForeignKey("parties.id"), index=True)
    payee_id: Mapped[int] = mapped_column(ForeignKey("parties.id"), index=True)
    currency: Mapped[str]
    total_minor: Mapped[int]
    status: Mapped[ProjectStatus] = mapped_column(default=ProjectStatus.ACTIVE)
    funding: Mapped[Funding] = mapped_column(default=Funding.IN_TURN)
    policy_version_id: Mapped[int] = mapped_column(ForeignKey("policy_versions.id"))
    created_at: Mapped[datetime]
    completed_at: Mapped[datetime | None] = mapped_column(default=None)


class Engagement(Record):
    """EngagementConfirmation: no payment before it is ACTIVE (payment-escrow-rules, Preconditions)."""

    __tablename__ = "engagements"
    __table_args__ = (one_of("status", EngagementStatus),)

    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"), primary_key=True)
    status: Mapped[EngagementStatus] = mapped_column(default=EngagementStatus.DRAFT)
    scope_confirmed_by_payer_at: Mapped[datetime | None] = mapped_column(default=None)
    scope_confirmed_by_payee_at: Mapped[datetime | None] = mapped_column(default=None)
    fee_confirmed_at: Mapped[datetime | None] = mapped_column(default=None)
    conflict_check_required: Mapped[bool] = mapped_column(default=False)
    conflict_check_acknowledged_at: Mapped[datetime | None] = mapped_column(default=None)
    disclaimers_acknowledged_at: Mapped[datetime | None] = mapped_column(default=None)
    activated_at: Mapped[datetime | None] = mapped_column(default=None)
