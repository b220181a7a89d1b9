"""The legal checklist of a platform: the items that compliance signed, each with its document and its last day."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Computed, ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Record, one_of
from core.policy import Platform
from core.rules.legal_checklist import Item


class LegalSignature(Record):
    """One signed item of a platform's checklist (payment-escrow-rules, Compliance / Legal Review Checklist), in a
    country or, with ALL, in every jurisdiction. The newest counts, to its last day, unless it was withdrawn. What
    was signed before documents were attached has none."""

    __tablename__ = "legal_signatures"
    __table_args__ = (
        one_of("platform", Platform),
        one_of("item", Item),
        CheckConstraint("jurisdiction ~ '^([A-Z]{2}|ALL)$'", name="jurisdiction"),
        CheckConstraint("(document is null) = (document_name is null)", name="document"),
        CheckConstraint(
            "(withdrawn_at is null) = (withdrawn_by is null) and (withdrawn_at is null) = (withdrawal_reason is null)",
            name="withdrawn_by_someone",
        ),
        CheckConstraint("review_on <= valid_until", name="review"),
        Index("legal_signatures_of_idx", "platform", "item", "jurisdiction", "id"),
        Index(
            "legal_signatures_review_idx",
            "review_on",
            postgresql_where="reminded_at is null and withdrawn_at is null",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    platform: Mapped[Platform]
    jurisdiction: Mapped[str]
    item: Mapped[Item]
    note: Mapped[str]
    document_name: Mapped[str | None] = mapped_column(default=None)
    document: Mapped[bytes | None] = mapped_column(LargeBinary, default=None, deferred=True)
    document_sha256: Mapped[str | None] = mapped_column(
        Computed("encode(sha256(document), 'hex')", persisted=True)
    )
    signed_by: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    signed_at: Mapped[datetime]
    valid_until: Mapped[date | None] = mapped_column(default=None)
    review_on: Mapped[date | None] = mapped_column(default=None)
    reminded_at: Mapped[datetime | None] = mapped_column(default=None)
    withdrawn_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), default=None)
    withdrawn_at: Mapped[datetime | None] = mapped_column(default=None)
    withdrawal_reason: Mapped[str | None] = mapped_column(default=None)
