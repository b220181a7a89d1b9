"""Fees by marketplace, project, party, payment or payout method; what one payment cost; each down to its postings.

By marketplace they are read from its daily totals, whose number does not grow with the journals; else from the journals
of the period, in one statement whatever their number: daily totals know neither project nor party. A period is of whole
days, UTC, as in `core.queries.fees`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.ledger import accounts
from core.ledger.accounts import CHART
from core.ledger.postings.year_end import YEAR_END
from core.money import Money
from core.queries.fees import LINES, PAYABLE, FeePeriod
from core.rules.payment_methods import NOT_KNOWN, in_words
from core.rules.references import reference

MOST = 200  # rows on screen: those with the largest sums


class FeeBy(StrEnum):
    PLATFORM = "platform"
    PROJECT = "project"
    PAYER = "payer"
    PAYEE = "payee"
    PAYMENT_METHOD = "payment_method"
    METHOD = "method"


@dataclass(frozen=True)
class Dimension:
    """`key` and `label` of a row in SQL, and what else has to be read for them. `of_journals`: of each journal, and
    not of its milestone only."""

    key: str
    label: str
    joined: str = ""
    of_journals: bool = False


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
BY: Mapping[FeeBy, Dimension] = {
    FeeBy.PLATFORM: Dimension("p.platform", "p.platform"),
    FeeBy.PROJECT: Dimension("p.id::text", "p.title"),
    FeeBy.PAYER: Dimension("p.payer_id::text", "q.name", "left join parties q on q.id = p.payer_id"),
    FeeBy.PAYEE: Dimension("p.payee_id::text", "q.name", "left join parties q on q.id = p.payee_id"),
    FeeBy.PAYMENT_METHOD: Dimension(
        "paid.method",
        "paid.method",
        CHARGED.format(milestone="j.milestone_id", operation="j.cause ->> 'operation'"),
        of_journals=True,
    ),
    FeeBy.METHOD: Dimension(
        "w.method",
        "w.method",
        "left join lateral (select o.method from payouts o where o.milestone_id = j.milestone_id and "
        "(o.stripe_transfer = j.cause ->> 'transfer' or o.id::text = j.cause ->> 'payout') limit 1) w on true",
        of_journals=True,
    ),
}

LEGS = """
    select j.id as journal, j.kind, j.posted_at, j.milestone_id, c.name as line, j.amount,
           coalesce({key}, '') as key, coalesce({label}, '') as label
    from (
        select id, kind, posted_at, milestone_id, cause, unnest(account_ids) as account_id, unnest(amounts) as amount
        from journals where posted_at >= :since and posted_at < :until and kind <> all(:year_end)
    ) j
    join chart c on c.line = (j.account_id >> 10 & 255)
    left join milestones m on m.id = j.milestone_id
    left join projects p on p.id = m.project_id
    {joined}
    where j.account_id = any(:accounts)
       or j.kind = 'decided' and (j.account_id >> 10 & 255) = :payable and (j.account_id & 1023) = :iso
"""
# Where a milestone says it all, its legs are summed before anything is joined.
OF_MILESTONES = """
    select c.name as line, j.amount, coalesce({key}, '') as key, coalesce({label}, '') as label
    from (
        select milestone_id, (account_id >> 10 & 255)::smallint as line, sum(amount) as amount
        from (
            select kind, milestone_id, unnest(account_ids) as account_id, unnest(amounts) as amount
            from journals where posted_at >= :since and posted_at < :until and kind <> all(:year_end)
        ) leg
        where account_id = any(:accounts)
           or kind = 'decided' and (account_id >> 10 & 255) = :payable and (account_id & 1023) = :iso
        group by 1, 2
    ) j
    join chart c on c.line = j.line
    left join milestones m on m.id = j.milestone_id
    left join projects p on p.id = m.project_id
    {joined}
"""
# What is rolled up, and the short tail that is not yet.
OF_MARKETPLACES = """
    select c.name as line, t.net as amount, t.marketplace as key, t.marketplace as label
    from (
        select line, currency_number, kind, marketplace, net from marketplace_totals
        where day >= cast(:since as date) and day < cast(:until as date)
        union all
        select (l.account_id >> 10 & 255)::smallint, (l.account_id & 1023)::smallint, j.kind,
               marketplace_of(j.milestone_id), l.amount
        from ledger_roll_up r
        join journals j on j.xid >= r.rolled_to and j.id > r.after_journal
        cross join lateral unnest(j.account_ids, j.amounts) as l (account_id, amount)
        where j.posted_at >= :since and j.posted_at < :until
    ) t
    join chart c on c.line = t.line
    where t.currency_number = :iso and t.kind <> all(:year_end)
      and (t.line = any(:lines) or t.line = :payable and t.kind = 'decided')
"""
SUMS = """
    with legs as ({legs}), sums as (
        select key, max(label) as label, line, sum(amount)::bigint as net from legs group by key, line
        having sum(amount) <> 0
    ), largest as (
        select key from sums group by key order by sum(abs(net)) desc, key limit :limit
    )
    select s.key, s.label, s.line, s.net from sums s join largest using (key) order by s.label, s.key
"""
POSTINGS = """
    select journal, kind, posted_at, milestone_id, line, amount from ({legs}) l
    where key = :of and line <> 'payee_payable' order by posted_at desc, journal desc limit :limit
"""


@dataclass(frozen=True)
class FeeRow:
    """The fees of one marketplace, project, party or payout method in a period."""

    id: str
    label: str
    fees: FeePeriod


def rows(
    session: Session, by: FeeBy, *, currency: str, since: datetime, until: datetime, limit: int | None = MOST
) -> list[FeeRow]:
    """In one currency, by name; with a limit those with the largest sums."""
    source = LEGS if BY[by].of_journals else OF_MILESTONES
    legs = OF_MARKETPLACES if by is FeeBy.PLATFORM else _legs(by, source)
    statement = text(SUMS.format(legs=legs))
    found: dict[str, tuple[str, dict[str, Money]]] = {}
    for row in session.execute(statement, {**_known(currency, since, until), "limit": limit}):
        grown = row.net if CHART[row.line].side is accounts.Side.DEBIT else -row.net
        found.setdefault(row.key, (row.label, {}))[1][row.line] = Money(grown, currency)
    return [
        FeeRow(key, label, FeePeriod(since.date(), currency, amounts))
        for key, (label, amounts) in found.items()
    ]


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
    known = {**_known(currency, since, until), "of": of, "limit": limit}
    return [
        FeePosting(
            f"{row.journal}-{number}",
            row.journal,
            row.kind,
            row.posted_at,
            row.milestone_id,
            row.line,
            Money(row.amount if CHART[row.line].side is accounts.Side.DEBIT else -row.amount, currency),
        )
        for number, row in enumerate(session.execute(text(POSTINGS.format(legs=_legs(by))), known))
    ]


def method_in_words(method: str | None) -> str:
    """Of what was charged, as the statements of this page have it."""
    return in_words(*json.loads(method)) if method else NOT_KNOWN


def _legs(by: FeeBy, source: str = LEGS) -> str:
    wanted = BY[by]
    return source.format(key=wanted.key, label=wanted.label, joined=wanted.joined)


def _known(currency: str, since: datetime, until: datetime) -> dict[str, object]:
    return {
        "since": datetime.combine(since.date(), time(), UTC),
        "until": datetime.combine(until.date() + timedelta(days=1), time(), UTC),
        "lines": [CHART[line].number for line in LINES],
        "accounts": [accounts.number(line, currency) for line in LINES],
        "payable": CHART[PAYABLE].number,
        "iso": accounts.ISO_NUMBERS[currency],
        "year_end": list(YEAR_END),
    }


ACTUAL = text(
    f"""
    select j.milestone_id, k.code as currency, max(paid.method) as method,
           coalesce(sum(leg.amount) filter (where c.name = 'processor_fees'), 0)::bigint as estimated,
           coalesce(sum(leg.amount) filter (where c.name = 'fee_variance'), 0)::bigint as variance
    from journals j cross join lateral unnest(j.account_ids, j.amounts) as leg (account_id, amount)
    join chart c on c.line = (leg.account_id >> 10 & 255) join currencies k on k.number = (leg.account_id & 1023)
    {CHARGED.format(milestone="j.milestone_id", operation="j.cause ->> 'operation'")}
    where j.milestone_id = any(:milestones) and j.kind = 'charge_settled'
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
