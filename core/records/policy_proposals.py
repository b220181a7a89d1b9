"""The rule book's own papers: the signed legal checklist, and proposals for another version of a profile."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Record, one_of
from core.policy import Platform
from core.rules.legal_checklist import Item
from core.rules.proposals import ProposalKind, ProposalStatus, statuses_of


class LegalCheck(Record):
    """One signed item of a platform's checklist (payment-escrow-rules, Compliance / Legal Review Checklist)."""

    __tablename__ = "legal_checks"
    __table_args__ = (
        one_of("platform", Platform),
        one_of("item", Item),
    )

    platform: Mapped[Platform] = mapped_column(primary_key=True)
    item: Mapped[Item] = mapped_column(primary_key=True)
    note: Mapped[str]
    signed_by: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    signed_at: Mapped[datetime]


class PolicyProposal(Record):
    """A revised profile, proposed by one administrator and published by another. What is proposed never changes."""

    __tablename__ = "policy_proposals"
    __table_args__ = (
        one_of("status", statuses_of(ProposalKind.POLICY_CHANGE)),
        CheckConstraint(
            "(status = 'PROPOSED') = (settled_at is null) "
            "and (status in ('PROPOSED', 'RETURNED')) = (settled_by is null)",
            name="settled_by_someone",
        ),
        CheckConstraint("status <> 'PUBLISHED' or settled_by <> proposed_by", name="two_people"),
        Index(
            "policy_proposals_one_open_idx", "profile", unique=True, postgresql_where="status = 'PROPOSED'"
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    profile: Mapped[str]
    based_on: Mapped[int] = mapped_column(ForeignKey("policy_versions.id"))
    snapshot: Mapped[dict[str, Any]]
    reason: Mapped[str]
    effective_at: Mapped[datetime | None] = mapped_column(default=None)
    proposed_by: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    proposed_at: Mapped[datetime]
    status: Mapped[ProposalStatus] = mapped_column(default=ProposalStatus.PROPOSED)
    settled_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), default=None)
    settled_at: Mapped[datetime | None] = mapped_column(default=None)
    note: Mapped[str | None] = mapped_column(default=None)
