"""Money that nobody has explained yet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.money import Money


@dataclass(frozen=True)
class Item:
    """One line of Stripe's, booked to suspense; `amount` with its sign."""

    id: int
    transaction_id: str
    source: str
    amount: Money
    found_at: datetime

    @property
    def label(self) -> str:
        return f"S-{self.id} · {self.amount.text()}"


OPEN = text(
    """
    select id, transaction_id, source, amount_minor, currency, found_at from suspense_items
    where status = 'OPEN' order by id limit :limit
    """
)


def unexplained(session: Session, *, limit: int = 200) -> list[Item]:
    """The oldest first."""
    rows = session.execute(OPEN, {"limit": limit})
    return [
        Item(row.id, row.transaction_id, row.source, Money(row.amount_minor, row.currency), row.found_at)
        for row in rows
    ]
