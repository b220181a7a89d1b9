"""Booking a line of the provider's ledger: once, whoever brings it (answer, webhook or reconciliation)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from core.gateways.payments import BalanceLine
from core.ledger import book
from core.ledger.journal import Journal
from core.records import BalanceTransaction


def is_booked(session: Session, line: BalanceLine) -> bool:
    return session.get(BalanceTransaction, line.id) is not None


def book_line(
    session: Session, line: BalanceLine, journal: Journal, *, now: datetime, milestone_id: int | None = None
) -> None:
    """Post the journal and tie it to the line, so that stripe_balance equals the sum of booked lines.

    Call it under the milestone's lock and after `is_booked`; the database refuses a second booking of a line.
    """
    journal_id = book.post(session, journal, now=now)
    session.add(
        BalanceTransaction(
            id=line.id,
            kind=line.type,
            reporting_category=line.reporting_category,
            amount=line.amount,
            fee=line.fee,
            net=line.net,
            currency=line.currency,
            source=line.source or "",
            milestone_id=milestone_id,
            journal_id=journal_id,
            created_at=line.created,
            booked_at=now,
        )
    )
    session.flush()
