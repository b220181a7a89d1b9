"""One account in a period: what lay on it before, each posting with the balance after it, and what lay on it then.

Postings stand in the order in which they were booked, so the running balance leads from the opening to the closing
balance also where one was booked late for an earlier day.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.ledger import accounts
from core.ledger.accounts import Side
from core.money import Money
from core.queries.ledger import NEWEST, AccountEntry, sides
from core.queries.movements import DAWN, DAY, Period, moved

# The journals of a period lie together, so their numbers bound what is read of a long register. They are found by day:
# asked for the least number alone, the database would walk all journals from the first. Each branch is read from its
# newest posting on, and no further than the page.
ENTRIES = text(
    """
    with period as materialized (
        select id from journals where posted_at >= :since and posted_at < :until
    ), span as materialized (
        select min(id) as lo, least(max(id), :before - 1) as hi from period
    ), tail as materialized (
        select t.journal_id, t.amount from posting_tail t where t.account_id = :account
    )
    (select j.id, p.amount, j.posted_at, j.kind, j.memo, j.key
     from register p
     join journals j on j.id = p.journal_id and j.posted_at >= :since and j.posted_at < :until
     where p.account_id = :account and p.journal_id between (select lo from span) and (select hi from span)
     order by p.journal_id desc limit :limit)
    union all
    (select j.id, p.amount, j.posted_at, j.kind, j.memo, j.key
     from tail p
     join journals j on j.id = p.journal_id and j.posted_at >= :since and j.posted_at < :until
     where p.journal_id between (select lo from span) and (select hi from span)
     order by p.journal_id desc limit :limit)
    order by id desc limit :limit
    """
)
NET = text(
    """
    select coalesce(sum(p.amount), 0)::bigint from account_postings p
    join journals j on j.id = p.journal_id and j.posted_at >= :since and j.posted_at < :until
    where p.account_id = :account and p.journal_id >= :from_journal
    """
)


@dataclass(frozen=True)
class Activity:
    """Balances on the side on which the account grows; `entries` newest first."""

    period: Period
    opening: Money
    closing: Money
    entries: list[AccountEntry]


def activity(
    session: Session, code: str, currency: str, period: Period, *, before: int | None = None, limit: int = 51
) -> Activity:
    """Raises `AccountUnknown` or `UnknownCurrency`."""
    grows = 1 if accounts.account_type(code).side is Side.DEBIT else -1
    opening, within = _nets(session, code, currency, period)
    below = _net(session, code, currency, period, from_journal=before) if before else 0
    values = {
        "account": accounts.number(code, currency),
        "since": period.since,
        "until": period.until,
        "before": before or NEWEST,
        "limit": limit,
    }
    rows = session.execute(ENTRIES, values).all()

    def entries() -> Iterator[AccountEntry]:
        net = opening + within - below
        for row in rows:
            debit, credit = sides(Money(row.amount, currency))
            balance = Money(net * grows, currency)
            yield AccountEntry(row.id, row.posted_at, row.kind, row.memo, row.key, debit, credit, balance)
            net -= row.amount

    return Activity(
        period, Money(opening * grows, currency), Money((opening + within) * grows, currency), list(entries())
    )


def _nets(session: Session, code: str, currency: str, period: Period) -> tuple[int, int]:
    """Debits less credits before the period, and in it. For an account type with one account, from the daily totals."""
    earlier = Period(DAWN, period.first - DAY)
    line = accounts.account_type(code)
    if line.per is None:
        found = moved(session, [earlier, period], line=line)
        opening, within = (each[code, currency].net if (code, currency) in each else 0 for each in found)
        return opening, within
    return _net(session, code, currency, earlier), _net(session, code, currency, period)


def _net(
    session: Session, code: str, currency: str, period: Period, *, from_journal: int | None = None
) -> int:
    values = {
        "account": accounts.number(code, currency),
        "since": period.since,
        "until": period.until,
        "from_journal": from_journal or 0,
    }
    return int(session.execute(NET, values).scalar_one())
