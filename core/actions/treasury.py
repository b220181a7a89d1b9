"""The platform's own movements at the provider: top-ups of its balance, and fees that belong to no payment."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.actions import booking
from core.gateways.payments import BalanceLine
from core.ledger import postings
from core.ledger.journal import Journal
from core.money import Money
from core.records import BalanceTransaction, StatementLine

OWN = ("topup", "fee")


def book_own_lines(session: Session, *, now: datetime) -> int:
    """Book the statement's lines that only the platform itself can have caused; returns how many."""
    unbooked = session.scalars(
        select(StatementLine)
        .outerjoin(BalanceTransaction, BalanceTransaction.id == StatementLine.id)
        .where(BalanceTransaction.id.is_(None), StatementLine.reporting_category.in_(OWN))
        .order_by(StatementLine.created_at, StatementLine.id)
    ).all()
    for stated in unbooked:
        line = line_of(stated)
        booking.book_line(session, line, _journal(line), now=now)
    return len(unbooked)


def line_of(stated: StatementLine) -> BalanceLine:
    return BalanceLine(
        id=stated.id,
        type=stated.kind,
        reporting_category=stated.reporting_category,
        amount=stated.amount,
        fee=stated.fee,
        net=stated.net,
        currency=stated.currency,
        source=stated.source,
        created=stated.created_at,
        available_on=stated.created_at,
        status="available",
    )


def _journal(line: BalanceLine) -> Journal:
    cause = {"balance_transaction": line.id}
    if line.reporting_category == "topup":
        return postings.topped_up(key=f"topup.{line.id}", amount=Money(line.net, line.currency), cause=cause)
    return postings.processor_fee(key=f"fee.{line.id}", amount=Money(-line.net, line.currency), cause=cause)
