"""Opening an item of suspense: money that was booked and that nobody has explained yet, whichever statement it is on.

The one place that does so; from then on it is a break, which two people explain (`suspense`).
"""

from __future__ import annotations

from datetime import UTC, date, datetime

from sqlalchemy.orm import Session

from core import audit
from core.actions.reconciliation import breaks
from core.audit.actions import AuditAction
from core.gateways.payments import BalanceLine
from core.money import Money
from core.records import BalanceTransaction, BankLine, SuspenseItem
from core.rules.permissions import SYSTEM


def of_stripe(session: Session, line: BalanceLine, *, now: datetime, why: str | None = None) -> SuspenseItem:
    """A line of Stripe's that was booked to suspense."""
    amount = Money(line.amount, line.currency)
    return _open(session, amount, SuspenseItem(transaction_id=line.id, source=line.source or ""), why, now)


def of_difference(
    session: Session, transaction_id: str, amount: Money, *, journal_id: int, why: str, now: datetime
) -> SuspenseItem:
    """What Stripe states of a booked line beyond what was booked, as this journal booked it to suspense."""
    item = SuspenseItem(transaction_id=transaction_id, journal_id=journal_id, source="")
    return _open(session, amount, item, why, now)


def of_bank(
    session: Session, line: BankLine, amount: Money, *, journal_id: int, why: str, now: datetime
) -> SuspenseItem:
    """A line of our bank's, or what it differs by from its match, that was booked to suspense by this journal."""
    item = SuspenseItem(bank_line_id=line.id, journal_id=journal_id, source=line.reference)
    return _open(session, amount, item, why, now)


def day(session: Session, item: SuspenseItem) -> date:
    """The day of its line, UTC: what is booked for it says so where that day is closed."""
    if item.transaction_id is None:
        return session.get_one(BankLine, item.bank_line_id).booked_on
    return session.get_one(BalanceTransaction, item.transaction_id).created_at.astimezone(UTC).date()


def _open(
    session: Session, amount: Money, item: SuspenseItem, why: str | None, now: datetime
) -> SuspenseItem:
    item.amount_minor, item.currency = amount.minor, amount.currency
    item.why, item.found_at = why, now
    session.add(item)
    session.flush()
    audit.record(
        session,
        SYSTEM,
        AuditAction.SUSPENSE_FIND.by("system"),
        object_kind="suspense",
        object_id=item.id,
        now=now,
        reason=why,
        after={
            "amount": amount.minor,
            "currency": amount.currency,
            "source": item.source,
            "balance_transaction": item.transaction_id,
            "bank_line": item.bank_line_id,
        },
    )
    breaks.line_in_suspense(session, item, now=now)
    return item
