"""Manual journals: proposed by one person, posted when another approves, never edited."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Record, one_of
from core.rules.proposals import ProposalKind, ProposalStatus, statuses_of


class ManualJournal(Record):
    """`amounts` beside `account_codes`: debits > 0. `reverses_journal_id`: the journal that this one reverses, and
    `reverses_id` the manual journal that posted it, where one did. `break_id`: the break on a payee's side that it
    explains."""

    __tablename__ = "manual_journals"
    __table_args__ = (
        one_of("status", statuses_of(ProposalKind.MANUAL_JOURNAL)),
        CheckConstraint(
            "(status = 'PROPOSED') = (settled_at is null) "
            "and (status in ('PROPOSED', 'RETURNED')) = (settled_by is null)",
            name="settled_by_someone",
        ),
        CheckConstraint(
            "status not in ('POSTED', 'REJECTED') or settled_by <> proposed_by", name="two_people"
        ),
        CheckConstraint("(status = 'POSTED') = (journal_id is not null)", name="posted"),
        CheckConstraint(
            "cardinality(account_codes) = cardinality(amounts) and cardinality(amounts) >= 2", name="lines"
        ),
        CheckConstraint("(attachment_name is null) = (attachment_sha256 is null)", name="attached"),
        CheckConstraint("reverses_id < id", name="reverses_another"),
        CheckConstraint(
            "reverses_id is null or reverses_journal_id is not null", name="reverses_what_was_posted"
        ),
        Index(
            "manual_journals_reversed_once_idx",
            "reverses_journal_id",
            unique=True,
            postgresql_where="status in ('PROPOSED', 'POSTED')",
        ),
        Index(
            "manual_journals_break_idx",
            "break_id",
            unique=True,
            postgresql_where="status = 'PROPOSED' and break_id is not null",
        ),
        Index("manual_journals_waiting_idx", "posted_on", postgresql_where="status = 'PROPOSED'"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    currency: Mapped[str]
    posted_on: Mapped[date]
    memo: Mapped[str]
    reason: Mapped[str]
    account_codes: Mapped[list[str]] = mapped_column(ARRAY(String))
    amounts: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    reverses_id: Mapped[int | None] = mapped_column(ForeignKey("manual_journals.id"), default=None)
    reverses_journal_id: Mapped[int | None] = mapped_column(ForeignKey("journals.id"), default=None)
    break_id: Mapped[int | None] = mapped_column(ForeignKey("breaks.id"), default=None)
    attachment_name: Mapped[str | None] = mapped_column(default=None)
    attachment_sha256: Mapped[str | None] = mapped_column(default=None)
    proposed_by: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    proposed_at: Mapped[datetime]
    status: Mapped[ProposalStatus] = mapped_column(default=ProposalStatus.PROPOSED, server_default="PROPOSED")
    settled_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), default=None)
    settled_at: Mapped[datetime | None] = mapped_column(default=None)
    note: Mapped[str | None] = mapped_column(default=None)
    journal_id: Mapped[int | None] = mapped_column(ForeignKey("journals.id"), unique=True, default=None)
