"""What a figure of a marketplace's statement is made of: the entries of a month's flow, or the accounts of a balance.

Each sums to its figure: the accounts are those of `core.queries.yearly_statements`, and above zero is theirs.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.db import NEWEST
from core.money import Money
from core.policy import Platform
from core.queries.journals import title
from core.queries.movements import Period
from core.queries.yearly_statements import OF, OWN, Flow
from core.rules.references import reference

ENTRIES = text(
    f"""
    select j.id, j.posted_at, j.kind, j.memo, j.milestone_id, -sum(leg.amount)::bigint as minor
    from journals j cross join lateral unnest(j.account_ids, j.amounts) as leg (account_id, amount)
    join ({OWN}) o on o.id = leg.account_id and o.currency = :currency
    where j.posted_at >= :since and j.posted_at < :until and j.id < :before
      and (j.kind = any(:kinds)) <> :others
    group by j.id having sum(leg.amount) <> 0 order by j.id desc limit :limit
    """
)
# What lies on each now, less what moved since.
BALANCES = text(
    f"""
    with own as materialized ({OWN}), since as (
        select leg.account_id, sum(leg.amount) as net
        from journals j cross join lateral unnest(j.account_ids, j.amounts) as leg (account_id, amount)
        join own o on o.id = leg.account_id
        where j.posted_at >= :until group by 1
    )
    select a.code, h.title, -(b.net - coalesce(s.net, 0))::bigint as minor
    from own o join accounts a on a.id = o.id join chart h on h.line = a.line
    join account_balances b on b.account_id = o.id left join since s on s.account_id = o.id
    where o.currency = :currency and b.net - coalesce(s.net, 0) <> 0
    order by abs(b.net - coalesce(s.net, 0)) desc, a.id limit :limit
    """
)


@dataclass(frozen=True)
class Entry:
    """A journal, and what it added to what is theirs, or took from it."""

    id: int
    posted_at: datetime
    what: str
    memo: str
    milestone_id: int | None
    amount: Money

    @property
    def reference(self) -> str:
        return reference("journal", self.id)


@dataclass(frozen=True)
class AccountBalance:
    """An account with what stood on it."""

    id: str
    title: str
    currency: str
    amount: Money


def entries(
    session: Session,
    platform: Platform,
    flow: Flow,
    *,
    currency: str,
    period: Period,
    before: int | None = None,
    limit: int | None = 51,
) -> list[Entry]:
    """The journals of this flow in the period, newest first; those below `before`, when it is given."""
    others = flow is Flow.OTHER
    values = {
        "platform": platform.value,
        "currency": currency,
        "since": period.since,
        "until": period.until,
        "before": before or NEWEST,
        "kinds": list(OF) if others else [kind for kind, of in OF.items() if of is flow],
        "others": others,
        "limit": limit,
    }
    return [
        Entry(row.id, row.posted_at, title(row.kind), row.memo, row.milestone_id, Money(row.minor, currency))
        for row in session.execute(ENTRIES, values)
    ]


def balances(
    session: Session, platform: Platform, *, currency: str, at: date, limit: int | None = None
) -> list[AccountBalance]:
    """The accounts on which something stood at the end of that day, the largest first."""
    values = {
        "platform": platform.value,
        "currency": currency,
        "until": Period(at, at).until,
        "limit": limit,
    }
    return [
        AccountBalance(row.code, row.title, currency, Money(row.minor, currency))
        for row in session.execute(BALANCES, values)
    ]
