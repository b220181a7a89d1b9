"""Chargebacks, the evidence that is sent against them, and whether they are accepted."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Record, one_of
from core.money import Money
from core.rules.chargebacks import ChargebackStatus, FileOrigin
from core.rules.proposals import ProposalKind, ProposalStatus, statuses_of


class Chargeback(Record):
    """A payer's bank wants a payment back. `status`, `amount` and `due_by` are the provider's own.

    Of `taken` (net of what came back, in the currency the provider booked), `lost` is written off; the rest lies on
    `disputed_funds`. `fees` are the processor's for the dispute, in the currency of the lines that bear them: another
    one where it converted. `duplicate_id`: it is about that second payment, and nothing of the milestone's own.
    `network_code`: the reason in the words of the card network, where the provider tells it.
    """

    __tablename__ = "chargebacks"
    __table_args__ = (
        UniqueConstraint("stripe_dispute"),
        one_of("status", ChargebackStatus),
        CheckConstraint("lost_minor >= 0 and lost_minor <= taken_minor", name="lost_was_taken"),
        Index("chargebacks_milestone_idx", "milestone_id"),
        Index("chargebacks_due_idx", "due_by", postgresql_where="closed_at is null"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    milestone_id: Mapped[int] = mapped_column(ForeignKey("milestones.id"))
    duplicate_id: Mapped[int | None] = mapped_column(ForeignKey("duplicate_payments.id"), default=None)
    stripe_dispute: Mapped[str]
    stripe_charge: Mapped[str]
    status: Mapped[ChargebackStatus]
    reason: Mapped[str]
    currency: Mapped[str]
    amount_minor: Mapped[int]
    booked_currency: Mapped[str]
    taken_minor: Mapped[int] = mapped_column(default=0)
    lost_minor: Mapped[int] = mapped_column(default=0)
    fees_currency: Mapped[str]
    fees_minor: Mapped[int] = mapped_column(default=0)
    due_by: Mapped[datetime | None] = mapped_column(default=None)
    past_due: Mapped[bool] = mapped_column(default=False)
    has_evidence: Mapped[bool] = mapped_column(default=False)
    submissions: Mapped[int] = mapped_column(default=0)
    opened_at: Mapped[datetime]
    noticed_at: Mapped[datetime]
    closed_at: Mapped[datetime | None] = mapped_column(default=None)
    network: Mapped[str | None] = mapped_column(default=None)
    network_code: Mapped[str | None] = mapped_column(default=None)

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)

    @property
    def outstanding(self) -> Money:
        """What the bank has taken and nobody has borne yet."""
        return Money(self.taken_minor - self.lost_minor, self.booked_currency)


class ChargebackEvidence(Record):
    """An answer to the bank: drafted and staged by one person, sent by another. Texts and files never change.

    `files`: the provider's name of a document → the piece of evidence that is sent as it, by its number, or a file of
    the chargeback's own, as `file:12`.
    """

    __tablename__ = "chargeback_evidence"
    __table_args__ = (
        CheckConstraint("submitted_by is null or submitted_by <> drafted_by", name="maker_is_not_checker"),
        CheckConstraint("(submitted_by is null) = (submitted_at is null)", name="submitted_has_time"),
        Index("chargeback_evidence_chargeback_idx", "chargeback_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    chargeback_id: Mapped[int] = mapped_column(ForeignKey("chargebacks.id"))
    texts: Mapped[dict[str, Any]]
    files: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'"))
    drafted_by: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    drafted_at: Mapped[datetime]
    submitted_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), default=None)
    submitted_at: Mapped[datetime | None] = mapped_column(default=None)


class ChargebackFile(Record):
    """A file for the bank that is no evidence of the parties: uploaded, drawn by the desk, or a bundle of several.

    The bytes lie in the evidence store under the payer's key. `contents` of a bundle: title, first page and number of
    pages of each exhibit.
    """

    __tablename__ = "chargeback_files"
    __table_args__ = (
        UniqueConstraint("chargeback_id", "sha256"),
        one_of("origin", FileOrigin),
        CheckConstraint("size_bytes > 0 and pages > 0", name="not_empty"),
        CheckConstraint("(origin = 'BUNDLE') = (contents <> '[]')", name="bundled"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    chargeback_id: Mapped[int] = mapped_column(ForeignKey("chargebacks.id"))
    origin: Mapped[FileOrigin]
    title: Mapped[str]
    media_type: Mapped[str]
    size_bytes: Mapped[int]
    pages: Mapped[int]
    sha256: Mapped[str]
    owner_id: Mapped[int] = mapped_column(ForeignKey("parties.id"))
    contents: Mapped[list[Any]] = mapped_column(default=list, server_default=text("'[]'"))
    added_by: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    added_at: Mapped[datetime]


class ChargebackRemark(Record):
    """What a person makes of a chargeback, such as why it was lost. It is never altered; another is written."""

    __tablename__ = "chargeback_remarks"
    __table_args__ = (
        CheckConstraint("btrim(body) <> ''", name="says_something"),
        Index("chargeback_remarks_chargeback_idx", "chargeback_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    chargeback_id: Mapped[int] = mapped_column(ForeignKey("chargebacks.id"))
    body: Mapped[str]
    written_by: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    written_at: Mapped[datetime]


class ChargebackAcceptance(Record):
    """Accepting a chargeback, for good: proposed by one person, carried out by another."""

    __tablename__ = "chargeback_acceptances"
    __table_args__ = (
        one_of("status", statuses_of(ProposalKind.CHARGEBACK_ACCEPTANCE)),
        CheckConstraint(
            "(status = 'PROPOSED') = (settled_at is null) "
            "and (status in ('PROPOSED', 'RETURNED')) = (settled_by is null)",
            name="settled_by_someone",
        ),
        CheckConstraint(
            "status not in ('ACCEPTED', 'REJECTED') or settled_by <> proposed_by", name="two_people"
        ),
        Index(
            "chargeback_acceptances_one_open_idx",
            "chargeback_id",
            unique=True,
            postgresql_where="status = 'PROPOSED'",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    chargeback_id: Mapped[int] = mapped_column(ForeignKey("chargebacks.id"))
    reason: Mapped[str]
    proposed_by: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    proposed_at: Mapped[datetime]
    status: Mapped[ProposalStatus] = mapped_column(default=ProposalStatus.PROPOSED, server_default="PROPOSED")
    settled_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), default=None)
    settled_at: Mapped[datetime | None] = mapped_column(default=None)
    note: Mapped[str | None] = mapped_column(default=None)
