"""Receipts: payer, payee, amount, time and scope of each payment (payment-escrow-rules, Records)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Computed, FetchedValue, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Record, one_of
from core.rules.documents import ReceiptKind


class Receipt(Record):
    """A receipt (FUNDING), an invoice (RELEASE) or a credit note (REFUND). `lines` are [label, minor units] pairs.

    The database gives the number, the next one of its series and year, and the names that the parties bear as it is
    issued. `issuer_…` and the tax rate are the marketplace's of that day, `tax_minor` is included in the total, and
    `original_id` is the receipt of the payment that an invoice or a credit note refers to. `scope` is what was agreed
    when it was written, and `scope_hash` the SHA-256 of its canonical JSON.
    """

    __tablename__ = "receipts"
    __table_args__ = (
        one_of("kind", ReceiptKind),
        CheckConstraint("total_minor > 0", name="total_positive"),
        CheckConstraint("year = extract(year from at at time zone 'utc')", name="of_its_year"),
        CheckConstraint(
            "tax_bps between 0 and 9999 and tax_minor"
            " = div(2 * total_minor::numeric * tax_bps + 10000 + tax_bps, 2 * (10000 + tax_bps))",
            name="tax",
        ),
        CheckConstraint("kind <> 'FUNDING' or original_id is null", name="original"),
        UniqueConstraint("number", name="receipts_number_key"),
        UniqueConstraint("series", "year", "place", name="receipts_place_key"),
        Index("receipts_at_idx", "at", "id"),
        Index("receipts_payer_idx", "payer_id", "id"),
        Index("receipts_payee_idx", "payee_id", "id"),
        Index("receipts_total_idx", "total_minor"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[ReceiptKind]
    milestone_id: Mapped[int] = mapped_column(ForeignKey("milestones.id"), index=True)
    payer_id: Mapped[int] = mapped_column(ForeignKey("parties.id"))
    payee_id: Mapped[int] = mapped_column(ForeignKey("parties.id"))
    currency: Mapped[str]
    total_minor: Mapped[int]
    lines: Mapped[list[Any]]
    scope: Mapped[dict[str, Any]]
    scope_hash: Mapped[str]
    at: Mapped[datetime]
    series: Mapped[str] = mapped_column(FetchedValue())
    year: Mapped[int] = mapped_column(FetchedValue())
    place: Mapped[int] = mapped_column(FetchedValue())
    payer_name: Mapped[str] = mapped_column(FetchedValue())
    payee_name: Mapped[str] = mapped_column(FetchedValue())
    issuer_name: Mapped[str | None] = mapped_column(default=None)
    issuer_address: Mapped[str | None] = mapped_column(default=None)
    issuer_tax_id: Mapped[str | None] = mapped_column(default=None)
    tax_bps: Mapped[int] = mapped_column(default=0, server_default="0")
    tax_minor: Mapped[int] = mapped_column(default=0, server_default="0")
    payment_method: Mapped[str | None] = mapped_column(default=None)
    original_id: Mapped[int | None] = mapped_column(ForeignKey("receipts.id"), default=None)
    number: Mapped[str] = mapped_column(
        Computed(
            "series || '-' || year::text || '-' || lpad(place::text, greatest(6, length(place::text)), '0')",
            persisted=True,
        )
    )


class DocumentSeries(Record):
    """The last number that a series has given in a year. Only the trigger that numbers a document counts it up."""

    __tablename__ = "document_series"
    __table_args__ = (CheckConstraint("last > 0", name="counts"),)

    series: Mapped[str] = mapped_column(primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True)
    last: Mapped[int]
