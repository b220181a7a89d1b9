"""Fees by marketplace, project, party, payment or payout method; what one payment cost; each down to its postings.

They are read from the fee totals, which the roll-up keeps of each of them by day, and from the journals that are not
rolled up yet. A list has the rows that moved last first, page by page: what a page costs does not grow with the ledger.
A period is of whole days, UTC, as in `core.queries.fees`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.ledger import accounts
from core.ledger.accounts import CHART
from core.money import Money
from core.queries.fees import LINES, PAYABLE, FeePeriod
from core.rules.payment_methods import NOT_KNOWN, in_words
from core.rules.references import reference

MOST = 200  # rows on screen


class FeeBy(StrEnum):
    PLATFORM = "platform"
    PROJECT = "project"
    PAYER = "payer"
    PAYEE = "payee"
    PAYMENT_METHOD = "payment_method"
    METHOD = "method"


# The charge that an entry is of, else the one that funded its milestone.
CHARGED = """
    left join lateral (
        select json_build_array(c.method_kind, c.card_brand, c.card_funding, c.method_country)::text as method
        from charges c join outgoing_operations o on o.id = c.operation_id
        left join payment_orders f on f.milestone_id = c.milestone_id
        where c.milestone_id = {milestone} and c.status = 'SUCCEEDED'
        order by o.key = coalesce({operation}, '') desc,
                 o.provider_id is not distinct from f.stripe_payment_intent desc, c.id
        limit 1
    ) paid on true
"""
# What a row is called, of its key.
LABELS: Mapping[FeeBy, str] = {
    FeeBy.PROJECT: "(select title from projects where id = nullif(s.key, '')::bigint)",
    FeeBy.PAYER: "(select name from parties where id = nullif(s.key, '')::bigint)",
    FeeBy.PAYEE: "(select name from parties where id = nullif(s.key, '')::bigint)",
}
ALL, COLUMNS = (*LINES, PAYABLE), (*LINES, "released")
TAIL = """
    tail as materialized (
        select f.* from fees_of_journals f
        where f.journal_id = any(array(select id from journals_not_rolled_up()))
          and f.dimension = :by and f.currency_number = :iso and f.day between :first and :last
    )
"""
# Each key stands at the last day on which it moved; the page before ended at `before`. What was moved to another key
# afterwards left nothing here.
PAGE = f"""
    with {TAIL}, added as materialized (
        select key, max(day) as day from tail group by key
    ), page as materialized (
        select day, key from (
        (select t.day, t.key from fee_totals t
         where t.dimension = :by and t.currency_number = :iso and t.day between :first and :last
           and (t.day, length(t.key), t.key) < (:before_day, :before_length, :before_key)
           and t.key <> all (array(select key from added))
           and t.day = (
               select max(n.day) from fee_totals n
               where n.dimension = :by and n.currency_number = :iso and n.key = t.key and n.day <= :last
                 and n.journals > 0
           )
         order by t.day desc, length(t.key) desc, t.key desc limit :limit)
        union all
        (select greatest(a.day, l.day) as day, a.key from added a cross join lateral (
             select max(n.day) as day from fee_totals n
             where n.dimension = :by and n.currency_number = :iso and n.key = a.key
               and n.day between :first and :last and n.journals > 0
         ) l
         where (greatest(a.day, l.day), length(a.key), a.key) < (:before_day, :before_length, :before_key))
        ) either order by day desc, length(key) desc, key desc limit :limit
    )
    select s.day, s.key, coalesce({{label}}, s.key) as label, f.*
    from page s cross join lateral (
        select {", ".join(f"sum(n.{each})::bigint as {each}" for each in COLUMNS)} from (
            select {", ".join(COLUMNS)} from fee_totals
            where dimension = :by and currency_number = :iso and key = s.key and day between :first and :last
            union all
            select {", ".join(COLUMNS)} from tail where key = s.key
        ) n
    ) f
    order by s.day desc, length(s.key) desc, s.key desc
"""
# For the file, the largest first.
WHOLE = f"""
    with {TAIL}, sums as (
        select key, max(day) as day, {", ".join(f"sum({each})::bigint as {each}" for each in COLUMNS)} from (
            select key, day, {", ".join(COLUMNS)} from fee_totals
            where dimension = :by and currency_number = :iso and day between :first and :last
            union all
            select key, day, {", ".join(COLUMNS)} from tail
        ) n group by key having count(*) > 0
    )
    select s.*, coalesce({{label}}, s.key) as label from sums s
    where {" or ".join(f"s.{each} <> 0" for each in COLUMNS)}
    order by {" + ".join(f"abs(coalesce(s.{each}, 0))" for each in COLUMNS)} desc, s.key
"""
# The journals of a project or party are found by its milestones. Of the others there are few and they have many: only
# the last days are read, as many as it takes.
OWNED: Mapping[FeeBy, str] = {
    FeeBy.PROJECT: "p.id = :number",
    FeeBy.PAYER: "p.payer_id = :number",
    FeeBy.PAYEE: "p.payee_id = :number",
}
OF_ITS_MILESTONES = """
    select f.* from projects p join milestones m on m.project_id = p.id
    join fees_of_journals f on f.milestone_id = m.id
    where {owned} and f.dimension = :by and f.currency_number = :iso
      and f.posted_at >= :since and f.posted_at < :until
"""
OF_ITS_DAYS = f"""
    with {TAIL}, days as materialized (
        select day from (
            select day, sum(journals) over (order by day desc) - journals as later from fee_totals
            where dimension = :by and currency_number = :iso and key = :of and day between :first and :last
        ) d where cast(:limit as bigint) is null or later < :limit
    )
    (select f.* from fees_of_journals f
     where f.dimension = :by and f.currency_number = :iso and f.key = :of
       and f.posted_at >= (select min(day)::timestamp at time zone 'UTC' from days) and f.posted_at < :until
       and f.journal_id between
               (select min(first_journal) from daily_totals where day between (select min(day) from days) and :last)
           and (select max(last_journal) from daily_totals where day between (select min(day) from days) and :last)
     order by f.journal_id desc limit :limit)
    union all
    select f.* from tail f
    where f.key = :of and f.posted_at < coalesce((select min(day)::timestamp at time zone 'UTC' from days), :until)
"""
POSTINGS = """
    select f.journal_id as journal, j.kind, f.posted_at, f.milestone_id, c.name as line, l.amount
    from ({journals}) f
    join journals j on j.id = f.journal_id
    cross join lateral unnest(j.account_ids, j.amounts) as l (account_id, amount)
    join chart c on c.line = (l.account_id >> 10 & 255)
    where l.account_id = any(:accounts)
    order by f.posted_at desc, journal desc limit :limit
"""


@dataclass(frozen=True)
class FeeRow:
    """The fees of one marketplace, project, party or method in a period; `last`: the day on which they last moved."""

    id: str
    label: str
    fees: FeePeriod
    last: date

    @property
    def position(self) -> int:
        """Where it stands among all rows of numbers, which are paged by it."""
        return position(self.last, self.id)


NUMBER_BITS = 40


def position(day: date, key: str) -> int:
    return (day.toordinal() << NUMBER_BITS) | (int(key) if key.isdecimal() else 0)


def _before(place: int | None) -> dict[str, object]:
    """The row at this position; before the first, what is after all rows."""
    day, number = divmod(place, 1 << NUMBER_BITS) if place else (date.max.toordinal(), 0)
    key = str(number or "")
    last = date.fromordinal(max(1, min(day, date.max.toordinal())))
    return {"before_day": last, "before_length": len(key), "before_key": key}


def rows(
    session: Session,
    by: FeeBy,
    *,
    currency: str,
    since: datetime,
    until: datetime,
    before: int | None = None,
    limit: int | None = MOST,
) -> list[FeeRow]:
    """In one currency, those that moved last first, below the position `before`; with no limit all of them, the largest
    first."""
    values = _known(by, currency, since, until) | _before(before) | {"limit": limit}
    statement = (PAGE if limit else WHOLE).format(label=LABELS.get(by, "s.key"))
    return [_row(row._asdict(), currency, since) for row in session.execute(text(statement), values)]


def _row(found: Mapping[str, Any], currency: str, since: datetime) -> FeeRow:
    amounts = {
        line: Money(CHART[line].grown(minor), currency)
        for line, minor in ((line, found[column]) for line, column in zip(ALL, COLUMNS, strict=True))
        if minor
    }
    return FeeRow(found["key"], found["label"], FeePeriod(since.date(), currency, amounts), found["day"])


@dataclass(frozen=True)
class FeePosting:
    """A posting on an account of fees. `amount` on the side on which the account grows."""

    id: str
    journal_id: int
    kind: str
    at: datetime
    milestone_id: int | None
    line: str
    amount: Money

    @property
    def reference(self) -> str:
        return reference("journal", self.journal_id)

    @property
    def title(self) -> str:
        return CHART[self.line].title


def postings(
    session: Session,
    by: FeeBy,
    of: str,
    *,
    currency: str,
    since: datetime,
    until: datetime,
    limit: int | None = MOST,
) -> list[FeePosting]:
    """What a row is made of, newest first."""
    owned = OWNED.get(by) if of else None
    journals = OF_ITS_MILESTONES.format(owned=owned) if owned else OF_ITS_DAYS
    known = _known(by, currency, since, until) | {
        "of": of,
        "number": int(of) if owned else None,
        "limit": limit,
        "accounts": [accounts.number(line, currency) for line in LINES],
    }
    return [
        FeePosting(
            f"{row.journal}-{number}",
            row.journal,
            row.kind,
            row.posted_at,
            row.milestone_id,
            row.line,
            Money(CHART[row.line].grown(row.amount), currency),
        )
        for number, row in enumerate(session.execute(text(POSTINGS.format(journals=journals)), known))
    ]


def method_in_words(method: str | None) -> str:
    """Of what was charged, as the statements of this page have it."""
    return in_words(*json.loads(method)) if method else NOT_KNOWN


def _known(by: FeeBy, currency: str, since: datetime, until: datetime) -> dict[str, object]:
    first, last = since.date(), until.date()
    return {
        "by": by.value,
        "iso": accounts.ISO_NUMBERS[currency],
        "first": first,
        "last": last,
        "since": datetime.combine(first, time(), UTC),
        "until": datetime.combine(last + timedelta(days=1), time(), UTC),
    }


ACTUAL = text(
    f"""
    select j.milestone_id, k.code as currency, max(paid.method) as method,
           coalesce(sum(leg.amount) filter (where c.name = 'processor_fees'), 0)::bigint as estimated,
           coalesce(sum(leg.amount) filter (where c.name = 'fee_variance'), 0)::bigint as variance
    from journals j cross join lateral unnest(j.account_ids, j.amounts) as leg (account_id, amount)
    join chart c on c.line = (leg.account_id >> 10 & 255) join currencies k on k.number = (leg.account_id & 1023)
    {CHARGED.format(milestone="j.milestone_id", operation="j.cause ->> 'operation'")}
    where j.milestone_id = any(:milestones)
      and (j.kind = 'charge_settled' or j.kind = 'suspense_settled' and exists (
          select from balance_transactions t join journals b on b.id = t.journal_id
          where t.id = j.cause ->> 'balance_transaction' and b.kind = 'charge_settled'
      ))
      and c.name in ('processor_fees', 'fee_variance')
    group by j.milestone_id, k.code
    """
)


@dataclass(frozen=True)
class ActualFee:
    """What the processor took of a payment, beside what the payer paid for it; `method`: what was paid with."""

    estimated: Money
    actual: Money
    method: str | None = None

    @property
    def sentence(self) -> str:
        more = self.actual - self.estimated
        way = "more" if more.is_positive else "less"
        beside = "as estimated" if more.is_zero else f"{abs(more).text()} {way} than estimated"
        paid_with = method_in_words(self.method)
        with_ = "It is not known what was paid with" if paid_with == NOT_KNOWN else f"Paid with: {paid_with}"
        return f"Stripe took {self.actual.text()}, {beside}. {with_}."


def actual(session: Session, milestone_ids: list[int]) -> dict[int, ActualFee]:
    """By milestone, of those whose payment is booked."""
    return {
        row.milestone_id: ActualFee(
            Money(row.estimated, row.currency), Money(row.estimated + row.variance, row.currency), row.method
        )
        for row in session.execute(ACTUAL, {"milestones": milestone_ids})
    }
