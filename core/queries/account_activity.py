"""One account in a period: what lay on it before, each posting with the balance after it, and what lay on it then.

Postings stand in the order in which they were booked, so the running balance leads from the opening to the closing
balance also where one was booked late for an earlier day.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.db import NEWEST
from core.ledger import accounts
from core.ledger.accounts import Side
from core.money import Money
from core.queries.ledger import AccountEntry, sides
from core.queries.movements import DAWN, DAY, Period, moved

# Between which journals a period was posted is known from the daily totals, so that of a long register only the page is
# read. The tail is not rolled up yet, and read whole.
SPAN = """
    with span as materialized (
        select min(first_journal) as lo, max(last_journal) as hi from daily_totals
        where day between :first and :last and line = :line and currency_number = :iso
    )
"""
ENTRIES = text(
    SPAN
    + """
    (select j.id, p.amount, j.posted_at, j.kind, j.memo, j.key
     from register p
     join journals j on j.id = p.journal_id and j.posted_at >= :since and j.posted_at < :until
     where p.account_id = :account
       and p.journal_id between (select lo from span) and (select least(hi, :before - 1) from span)
     order by p.journal_id desc limit :limit)
    union all
    (select j.id, p.amount, j.posted_at, j.kind, j.memo, j.key
     from posting_tail p
     join journals j on j.id = p.journal_id and j.posted_at >= :since and j.posted_at < :until
     where p.account_id = :account and p.journal_id < :before
     order by p.journal_id desc limit :limit)
    order by id desc limit :limit
    """
)
NET = text(
    SPAN
    + """
    select coalesce(sum(p.amount), 0)::bigint
    from (
        select journal_id, amount from register
        where account_id = :account
          and journal_id between (select greatest(lo, :from_journal) from span) and (select hi from span)
        union all
        select journal_id, amount from posting_tail where account_id = :account and journal_id >= :from_journal
    ) p
    join journals j on j.id = p.journal_id and j.posted_at >= :since and j.posted_at < :until
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
    values = {**_asked(code, currency, period), "before": before or NEWEST, "limit": limit}
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
        found = moved(session, [earlier, period], lines=[line])
        opening, within = (each[code, currency].net if (code, currency) in each else 0 for each in found)
        return opening, within
    return _net(session, code, currency, earlier), _net(session, code, currency, period)


def _net(
    session: Session, code: str, currency: str, period: Period, *, from_journal: int | None = None
) -> int:
    values = {**_asked(code, currency, period), "from_journal": from_journal or 0}
    return int(session.execute(NET, values).scalar_one())


def _asked(code: str, currency: str, period: Period) -> dict[str, object]:
    return {
        "account": accounts.number(code, currency),
        "line": accounts.account_type(code).number,
        "iso": accounts.ISO_NUMBERS[currency],
        "first": period.first,
        "last": period.last,
        "since": period.since,
        "until": period.until,
    }
