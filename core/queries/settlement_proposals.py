"""Settlement proposals of a case."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.money import Money
from core.records import Party, SettlementProposal


@dataclass(frozen=True)
class ProposalOfParty:
    """One proposal and who made it."""

    record: SettlementProposal
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


def of_case(session: Session, case_id: int) -> list[ProposalOfParty]:
    """Every proposal of a case, newest first."""
    rows = session.execute(
        select(SettlementProposal, Party.name, Party.role)
        .join(Party, Party.id == SettlementProposal.proposed_by)
        .where(SettlementProposal.case_id == case_id)
        .order_by(SettlementProposal.id.desc())
    )
    return [ProposalOfParty(proposal, name, role) for proposal, name, role in rows]
