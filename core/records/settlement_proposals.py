"""Settlement proposals of the parties."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Record, one_of
from core.rules.settlement_proposals import SettlementProposalStatus


class SettlementProposal(Record):
    """A division that one party proposes to the other. Its terms never change; at most one is open in a case."""

    __tablename__ = "settlement_proposals"
    __table_args__ = (
        one_of("status", SettlementProposalStatus),
        CheckConstraint(
            "release_minor >= 0 and refund_minor >= 0 and release_minor + refund_minor > 0", name="amounts"
        ),
        CheckConstraint("(status = 'OPEN') = (ended_at is null)", name="ended"),
        CheckConstraint(
            "(status = 'ACCEPTED') = (plan is not null and plan_hash is not null)", name="accepted_has_plan"
        ),
        Index(
            "settlement_proposals_one_open_idx", "case_id", unique=True, postgresql_where="status = 'OPEN'"
        ),
        Index(
            "settlement_proposals_one_accepted_idx",
            "case_id",
            unique=True,
            postgresql_where="status = 'ACCEPTED'",
        ),
        Index("settlement_proposals_due_idx", "expires_at", postgresql_where="status = 'OPEN'"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), index=True)
    proposed_by: Mapped[int] = mapped_column(ForeignKey("parties.id"))
    currency: Mapped[str]
    release_minor: Mapped[int]
    refund_minor: Mapped[int]
    note: Mapped[str] = mapped_column(default="")
    status: Mapped[SettlementProposalStatus]
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None] = mapped_column(default=None)
    plan: Mapped[dict[str, Any] | None] = mapped_column(JSONB, default=None)
    plan_hash: Mapped[str | None] = mapped_column(default=None)
