"""Short ways to say a journal."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from core.db import Database
from core.ledger import journal_store, postings
from core.ledger.journals import Journal
from core.money import Money

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def usd(minor: int) -> Money:
    return Money(minor, "USD")


def charge(milestone_id: int, *, amount: int = 100_000, key: str | None = None) -> Journal:
    """A milestone of `amount` paid with the 2.5 % platform fee and a processor fee of 3.00 that was 3.10 in the end."""
    fee = usd(amount).portion(250)
    return postings.charge_settled(
        key=key or f"charge:{milestone_id}",
        milestone_id=milestone_id,
        party_id=1,
        charge=usd(amount) + fee + usd(300),
        milestone=usd(amount),
        platform_fee=fee,
        actual_fee=usd(310),
        cause={"charge": f"ch_{milestone_id}"},
    )


def release(milestone_id: int, *, amount: int, payee_id: int = 5, key: str | None = None) -> Journal:
    return postings.decided(
        key=key or f"release:{milestone_id}:{amount}",
        milestone_id=milestone_id,
        payee_id=payee_id,
        release=usd(amount),
        refund=usd(0),
        fee_kept=usd(amount).portion(250),
        fee_returned=usd(0),
        concession=usd(0),
        cause={"decision": milestone_id},
    )


Post = Callable[[Journal], int]


@pytest.fixture
def post(database: Database) -> Post:
    """Each journal in a transaction of its own."""

    def run(journal: Journal) -> int:
        return database.run(lambda session: journal_store.post(session, journal, now=NOW))

    return run
