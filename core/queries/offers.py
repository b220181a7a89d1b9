"""Settlement proposals of a case."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.money import Money
from core.records import Offer, Party


@dataclass(frozen=True)
class Offered:
    """One proposal and who made it."""

    record: Offer
    proposer: str
    proposer_role: str

    @property
    def release(self) -> Money:
        return Money(self.record.release_minor, self.record.currency)

    @property
    def refund(self) -> Money:
        return Money(self.record.refund_minor, self.record.currency)

    @property
    def status(self) -> str:
        return self.record.status

    @property
    def made_at(self) -> datetime:
        return self.record.made_at


def of_case(session: Session, case_id: int) -> list[Offered]:
    """Every proposal of a case, newest first."""
    rows = session.execute(
        select(Offer, Party.name, Party.role)
        .join(Party, Party.id == Offer.proposed_by)
        .where(Offer.case_id == case_id)
        .order_by(Offer.id.desc())
    )
    return [Offered(offer, name, role) for offer, name, role in rows]
