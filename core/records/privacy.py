"""Personal data: what must not be erased, and who was."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Record
from core.records.audit import TransactionId
from core.records.two_people import two_people
from core.rules.proposals import ProposalKind, ProposalStatus


class LegalHold(Record):
    """Nothing about this party is erased while it stands: for a lawsuit, an investigation, an authority."""

    __tablename__ = "legal_holds"
    __table_args__ = (
        CheckConstraint(
            "(lifted_at is null) = (lifted_by is null) and (lifted_at is null) = (lift_reason is null)",
            name="lifted_whole",
        ),
        CheckConstraint("reason <> '' and lift_reason <> ''", name="says_why"),
        Index("legal_holds_one_open_idx", "party_id", unique=True, postgresql_where="lifted_at is null"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    party_id: Mapped[int] = mapped_column(ForeignKey("parties.id"), index=True)
    reason: Mapped[str]
    placed_by: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    placed_at: Mapped[datetime]
    lifted_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), default=None)
    lifted_at: Mapped[datetime | None] = mapped_column(default=None)
    lift_reason: Mapped[str | None] = mapped_column(default=None)


class Erasure(Record):
    """A person is erased: proposed by one, approved by another, and done by the database in that moment.

    `counts`: by table, how many rows were overwritten; `versions`: of how many changes under seal the salt was
    destroyed; `documents_until`: their name stands in documents until then; `files_gone_at`: when the key of their
    files was destroyed. But for the last, the database alone writes these. `retention_month`: the first day of the
    month whose retention run proposed it.
    """

    __tablename__ = "erasures"
    __table_args__ = (
        *two_people(ProposalKind.ERASURE),
        CheckConstraint(
            "(erased_at is null) = (counts is null) and (erased_at is null) = (versions is null) "
            "and (erased_at is null or status = 'DONE') "
            "and (erased_at is not null or documents_until is null and files_gone_at is null)",
            name="erased_whole",
        ),
        CheckConstraint("extract(day from retention_month) = 1", name="month_begins"),
        Index(
            "erasures_one_open_idx",
            "party_id",
            unique=True,
            postgresql_where="status in ('PROPOSED', 'DONE')",
        ),
        Index("erasures_retention_idx", "retention_month", postgresql_where="retention_month is not null"),
        Index("erasures_files_idx", "id", postgresql_where="erased_at is not null and files_gone_at is null"),
        Index("erasures_documents_idx", "documents_until", postgresql_where="documents_until is not null"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    party_id: Mapped[int] = mapped_column(ForeignKey("parties.id"), index=True)
    reason: Mapped[str]
    proposed_by: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    proposed_at: Mapped[datetime]
    retention_month: Mapped[date | None] = mapped_column(default=None)
    status: Mapped[ProposalStatus] = mapped_column(default=ProposalStatus.PROPOSED, server_default="PROPOSED")
    settled_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), default=None)
    settled_at: Mapped[datetime | None] = mapped_column(default=None)
    note: Mapped[str | None] = mapped_column(default=None)
    xid: Mapped[str | None] = mapped_column(TransactionId, default=None)
    erased_at: Mapped[datetime | None] = mapped_column(default=None)
    counts: Mapped[dict[str, Any] | None] = mapped_column(JSONB, default=None)
    versions: Mapped[int | None] = mapped_column(default=None)
    documents_until: Mapped[datetime | None] = mapped_column(default=None)
    files_gone_at: Mapped[datetime | None] = mapped_column(default=None)
