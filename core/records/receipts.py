"""Receipts: payer, payee, amount, time and scope of each payment (payment-escrow-rules, Records)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Record, one_of
from core.rules.receipts import LETTERS, ReceiptKind


class Receipt(Record):
    """A receipt (FUNDING), an invoice (RELEASE) or a credit note (REFUND). `lines` are [label, minor units] pairs.

    `scope` is what was agreed when it was written, and `scope_hash` the SHA-256 of its canonical JSON.
    """

    __tablename__ = "receipts"
    __table_args__ = (
        one_of("kind", ReceiptKind),
        CheckConstraint("total_minor > 0", name="total_positive"),
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

    @property
    def number(self) -> str:
        """R-2026-000017: the letter of its kind, the year, and its place among all."""
        return f"{LETTERS[self.kind]}-{self.at.year}-{self.id:06}"
