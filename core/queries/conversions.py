"""What Stripe converted: what was paid or taken in one currency, and what that came to on the balance in another."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from core.money import Money

LINES: dict[str, str] = {
    "charge": "Charge",
    "payment": "Charge",
    "refund": "Refund",
    "payment_refund": "Refund",
    "refund_failure": "Refund that came back",
    "payment_failure_refund": "Refund that came back",
    "adjustment": "Chargeback",
}


@dataclass(frozen=True)
class Conversion:
    """One converted balance transaction. `key`: the journal in the payment's currency."""

    key: str
    kind: str
    paid: Money
    settled: Money
    rate: str | None
    at: datetime

    @property
    def sentence(self) -> str:
        """`Charge: €1,061.00, converted by Stripe at 1.0973 to $1,164.24.`"""
        what = LINES.get(self.kind, self.kind.replace("_", " ").capitalize())
        rate = f" at {self.rate}" if self.rate else ""
        return f"{what}: {abs(self.paid).text()}, converted by Stripe{rate} to {abs(self.settled).text()}."


CONVERTED = """
select b.kind, b.for_minor, b.for_currency, b.amount, b.currency, b.exchange_rate as rate, b.booked_at as at,
       j.key as there
from balance_transactions b join journals j on j.id = b.journal_id
where b.for_currency is not null and {where} order by b.created_at, b.id
"""
OF_MILESTONES = text(CONVERTED.format(where="b.milestone_id = any(:milestones)"))
# The journal at Stripe's own rate is named after the one beside it (`postings.exchanged`); the line hangs on it.
EXCHANGED = ".exchanged"
OF_JOURNAL = text(CONVERTED.format(where="j.key = any(:keys)"))


def of_milestones(session: Session, *milestones: int) -> list[Conversion]:
    """Oldest first."""
    return _read(session, OF_MILESTONES, milestones=list(milestones))


def of_journal(session: Session, key: str) -> Conversion | None:
    """By either of the two journals that a converted line has."""
    found = _read(session, OF_JOURNAL, keys=[key, key + EXCHANGED])
    return found[0] if found else None


def _read(session: Session, query: TextClause, **values: list[int] | list[str]) -> list[Conversion]:
    rows = session.execute(query, values).mappings()
    return [
        Conversion(
            key=row["there"].removesuffix(EXCHANGED),
            kind=row["kind"],
            paid=Money(row["for_minor"], row["for_currency"]),
            settled=Money(row["amount"], row["currency"]),
            rate=row["rate"],
            at=row["at"],
        )
        for row in rows
    ]
