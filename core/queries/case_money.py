"""The money of one milestone: its journals with debits and credits, and its operations at Stripe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Row, select, text
from sqlalchemy.orm import Session

from core.ledger import accounts
from core.money import Money
from core.records import OutgoingOperation

# The memo book knows no milestone: its journals are found by the operation that they follow.
JOURNALS = text(
    """
    with found as (
        select * from journals where milestone_id = :milestone
        union
        select * from journals where key = any(:keys)
    )
    select j.id, j.key, j.kind, j.memo, j.posted_at, a.code, a.currency, leg.amount
    from found j
    cross join lateral unnest(j.account_ids, j.amounts) with ordinality as leg (account_id, amount, n)
    join accounts a on a.id = leg.account_id
    order by j.id, leg.amount < 0, leg.n
    """
)
FOLLOWED_BY = ("arrived", "sent", "paid", "failed")


@dataclass(frozen=True)
class Leg:
    """One posting of a journal; the column on the other side is None."""

    account: str
    debit: Money | None
    credit: Money | None

    @property
    def title(self) -> str:
        return accounts.account_type(self.account).title


@dataclass(frozen=True)
class CaseJournal:
    """A posted journal. Both columns of `legs` have the same sum."""

    id: int
    key: str
    kind: str
    memo: str
    posted_at: datetime
    legs: tuple[Leg, ...]


@dataclass(frozen=True)
class Sent:
    """An outgoing operation. `reason`: why it is not done, in Stripe's words or ours."""

    id: int
    key: str
    kind: str
    amount: Money
    status: str
    tries: int
    attempt: int
    provider_id: str | None
    reason: str | None
    next_try_at: datetime
    created_at: datetime
    finished_at: datetime | None


def leg(account: str, amount: Money) -> Leg:
    """A posting as a row; a debit is above zero."""
    return Leg(account, amount, None) if amount.is_positive else Leg(account, None, -amount)


def journals(session: Session, milestone_id: int) -> list[CaseJournal]:
    """Every journal of a milestone, in the order in which it was posted."""
    operations = session.scalars(
        select(OutgoingOperation.key).where(OutgoingOperation.milestone_id == milestone_id)
    )
    keys = [f"{key}.{what}" for key in operations for what in FOLLOWED_BY]
    rows = session.execute(JOURNALS, {"milestone": milestone_id, "keys": keys}).all()
    return [_booked(list(lines)) for _, lines in groupby(rows, key=lambda row: row.id)]


def _booked(lines: Sequence[Row[Any]]) -> CaseJournal:
    first = lines[0]
    return CaseJournal(
        id=first.id,
        key=first.key,
        kind=first.kind,
        memo=first.memo,
        posted_at=first.posted_at,
        legs=tuple(leg(line.code, Money(line.amount, line.currency)) for line in lines),
    )


def operations(session: Session, milestone_id: int) -> list[Sent]:
    """What Stripe was asked to do for a milestone, in order."""
    wanted = select(OutgoingOperation).where(OutgoingOperation.milestone_id == milestone_id)
    return [sent(each) for each in session.scalars(wanted.order_by(OutgoingOperation.id))]


def sent(each: OutgoingOperation) -> Sent:
    """An operation as the case shows it: what was asked of Stripe, how often, and how it stands."""
    return Sent(
        id=each.id,
        key=each.key,
        kind=each.kind,
        amount=Money(each.amount_minor, each.currency),
        status=each.status,
        tries=each.tries,
        attempt=each.attempt,
        provider_id=each.provider_id,
        reason=each.last_error,
        next_try_at=each.next_try_at,
        created_at=each.created_at,
        finished_at=each.finished_at,
    )
