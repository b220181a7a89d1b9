"""Which cases correct which: read from either side."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.records import Decision, Ticket
from core.rules.approvals import DecisionStatus


@dataclass(frozen=True)
class Corrections:
    """`of`: the decision that this case corrects. `by`: the cases that correct this one, oldest first."""

    of: Decision | None
    by: tuple[Ticket, ...]


def around(session: Session, ticket: Ticket) -> Corrections:
    corrected = None
    if ticket.corrects_id is not None:
        corrected = session.scalars(
            select(Decision).where(
                Decision.ticket_id == ticket.corrects_id, Decision.status == DecisionStatus.EXECUTED
            )
        ).one_or_none()
    by = session.scalars(select(Ticket).where(Ticket.corrects_id == ticket.id).order_by(Ticket.id))
    return Corrections(corrected, tuple(by))
