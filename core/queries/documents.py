"""Receipts, invoices and credit notes of the whole desk, newest first, and how far each series has counted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, aliased

from core.money import Money
from core.queries.movements import Period
from core.records import DocumentSeries, Milestone, OutgoingOperation, Project, Receipt, Refund
from core.rules.documents import SERIES, TITLES, ReceiptKind, since
from core.rules.references import reference
from core.rules.refunds import RefundStatus

_ORIGINAL = aliased(Receipt)


@dataclass(frozen=True)
class Narrowed:
    """What narrows the list; None is everything. `party` is a payer or a payee."""

    kind: ReceiptKind | None = None
    platform: str | None = None
    party: int | None = None
    period: Period | None = None


@dataclass(frozen=True)
class Document:
    id: int
    number: str
    kind: str
    total: Money
    tax: Money
    tax_bps: int
    payer: str
    payee: str
    at: datetime
    payment_method: str | None
    refers_to: str | None
    milestone_id: int
    refund: RefundStatus | None

    @property
    def since(self) -> str | None:
        """What became of a credit note's refund; None where the payer has it."""
        return since(self.refund) if self.refund else None

    @property
    def milestone(self) -> str:
        return reference("milestone", self.milestone_id)


def documents(session: Session, wanted: Narrowed, before: int | None, size: int) -> list[Document]:
    """A page of them; `before` is the id of the last one of the page before."""
    query = (
        select(Receipt, _ORIGINAL.number)
        .outerjoin(_ORIGINAL, _ORIGINAL.id == Receipt.original_id)
        .where(*_conditions(wanted))
        .order_by(Receipt.id.desc())
        .limit(size)
    )
    if wanted.platform:
        query = query.join(Milestone, Milestone.id == Receipt.milestone_id)
        query = query.join(Project, Project.id == Milestone.project_id).where(
            Project.platform == wanted.platform
        )
    if before is not None:
        query = query.where(Receipt.id < before)
    found = session.execute(query).all()
    refunds = refunds_of(session, [row for row, _ in found])
    return [_document(row, original, refunds.get(row.id)) for row, original in found]


def refunds_of(session: Session, rows: Iterable[Receipt]) -> dict[int, RefundStatus]:
    """By the id of each credit note among them, what is so of its refund now."""
    of = ReceiptKind.REFUND
    notes = {row.key.removeprefix(f"{of.lower()}."): row.id for row in rows if row.kind == of}
    if not notes:
        return {}
    wanted = select(OutgoingOperation.key, Refund.status).join(
        Refund, Refund.operation_id == OutgoingOperation.id
    )
    found = session.execute(wanted.where(OutgoingOperation.key.in_(notes)))
    return {notes[key]: RefundStatus(status) for key, status in found}


def _conditions(wanted: Narrowed) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.kind:
        found.append(Receipt.kind == wanted.kind)
    if wanted.party is not None:
        found.append((Receipt.payer_id == wanted.party) | (Receipt.payee_id == wanted.party))
    if wanted.period:
        found += [Receipt.at >= wanted.period.since, Receipt.at < wanted.period.until]
    return found


def _document(row: Receipt, original: str | None, refund: RefundStatus | None) -> Document:
    return Document(
        row.id,
        row.number,
        TITLES[row.kind],
        Money(row.total_minor, row.currency),
        Money(row.tax_minor, row.currency),
        row.tax_bps,
        row.payer_name,
        row.payee_name,
        row.at,
        row.payment_method,
        original,
        row.milestone_id,
        refund,
    )


@dataclass(frozen=True)
class Series:
    """One series in one year: the marketplace and kind that it is for, and the numbers that it has given."""

    series: str
    platform: str
    kind: str
    year: int
    last: int


def series(session: Session) -> Sequence[Series]:
    """Each that has begun, the newest year first."""
    known = {letters: (platform, TITLES[kind]) for (platform, kind), letters in SERIES.items()}
    rows = session.scalars(select(DocumentSeries).order_by(DocumentSeries.year.desc(), DocumentSeries.series))
    return [Series(row.series, *known[row.series], row.year, row.last) for row in rows]
