"""The receipts, invoices and credit notes of a project."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from core.money import Money
from core.queries.documents import refunds_of
from core.records import Milestone, Receipt
from core.rules.documents import TITLES, since
from core.rules.refunds import RefundStatus


@dataclass(frozen=True)
class ReceiptRow:
    id: int
    number: str
    kind: str
    milestone: str
    total: Money
    at: datetime
    scope_hash: str
    refund: RefundStatus | None

    @property
    def since(self) -> str | None:
        """What became of a credit note's refund; None where the payer has it."""
        return since(self.refund) if self.refund else None


def of_milestone(session: Session, milestone_id: int) -> list[ReceiptRow]:
    """Oldest first."""
    return _rows(session, Receipt.milestone_id == milestone_id)


def of_project(session: Session, project_id: int) -> list[ReceiptRow]:
    """Oldest first."""
    return _rows(session, Milestone.project_id == project_id)


def _rows(session: Session, which: ColumnElement[bool]) -> list[ReceiptRow]:
    rows = session.execute(
        select(Receipt, Milestone.title)
        .join(Milestone, Milestone.id == Receipt.milestone_id)
        .where(which)
        .order_by(Receipt.id)
    ).all()
    refunds = refunds_of(session, [row for row, _ in rows])
    return [
        ReceiptRow(
            row.id,
            row.number,
            TITLES[row.kind],
            title,
            Money(row.total_minor, row.currency),
            row.at,
            row.scope_hash,
            refunds.get(row.id),
        )
        for row, title in rows
    ]
