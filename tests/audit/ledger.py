"""A journal to seal."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from core.ledger import accounts, journal_store
from core.ledger.journals import Journal, Posting
from core.money import Money


def post(session: Session, key: str, *, now: datetime) -> int:
    """5.00 USD from one hot account to another."""
    amount = Money(500, "USD")
    postings = (Posting(accounts.STRIPE_BALANCE, amount), Posting(accounts.PLATFORM_FEE_REVENUE, -amount))
    return journal_store.post(
        session, Journal(key, "test", postings, milestone_id=5, memo="m", cause={"a": 1}), now=now
    )
