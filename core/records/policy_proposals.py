"""Proposals for another version of a policy profile."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Record, one_of
from core.rules.proposals import ProposalKind, ProposalStatus, statuses_of


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
