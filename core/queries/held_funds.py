"""Client funds held: by marketplace and age, milestone by milestone, and how they and the cash at Stripe moved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.ledger import accounts
from core.ledger.accounts import CHART
from core.money import Money, shown_order
from core.policy import Platform
from core.rules.held_age import STEPS, HeldAge

BOUND = 10_000

_ALARM_AT = "o.funded_at + make_interval(secs => (v.snapshot ->> 'held_age_alarm')::bigint)"
AGE = f"""case when {_ALARM_AT} <= :now then '{HeldAge.ALARM}'
    when o.funded_at < :now - interval '{STEPS[1]} days' then '{HeldAge.OVER_60}'
    when o.funded_at < :now - interval '{STEPS[0]} days' then '{HeldAge.OVER_30}' else '{HeldAge.NEW}' end"""
HELD = """
from payment_orders o
join milestones m on m.id = o.milestone_id
join projects p on p.id = m.project_id
join policy_versions v on v.id = p.policy_version_id
where o.held_minor > 0"""
AGEING = text(
    f"""
    select p.platform, o.currency, {AGE} as age, sum(o.held_minor)::bigint as held, count(*) as milestones
    {HELD} group by 1, 2, 3
    """
)
PAGE = """
with page as materialized (
    select o.milestone_id, {alarm} as alarm_at {held} and {where} order by o.funded_at, o.milestone_id
    limit :limit offset :offset
)
select page.alarm_at, o.milestone_id, o.currency, o.held_minor, o.funded_at, m.title as milestone, m.status,
       p.id as project_id, p.title as project, p.platform, payer.name as payer, payee.name as payee
from page
join payment_orders o on o.milestone_id = page.milestone_id
join milestones m on m.id = o.milestone_id
join projects p on p.id = m.project_id
join parties payer on payer.id = p.payer_id
join parties payee on payee.id = p.payee_id
order by o.funded_at, o.milestone_id
"""


@dataclass(frozen=True)
class AgeingRow:
    """What is held for one marketplace in one currency, by age; ages in which nothing is held are left out."""

    platform: Platform
    currency: str
    amounts: dict[HeldAge, Money] = field(default_factory=dict)
    milestones: int = 0

    @property
    def id(self) -> str:
        return f"{self.platform}:{self.currency}"

    def of(self, age: HeldAge) -> Money:
        return self.amounts.get(age, Money.zero(self.currency))

    @property
    def total(self) -> Money:
        return Money.total(self.amounts.values(), self.currency)


def ageing(session: Session, *, now: datetime) -> list[AgeingRow]:
    """A row a marketplace and currency, dollars first."""
    found: dict[tuple[str, str], list[Any]] = {}
    for row in session.execute(AGEING, {"now": now}):
        found.setdefault((row.currency, row.platform), []).append(row)
    return [
        AgeingRow(
            Platform(platform),
            currency,
            {HeldAge(each.age): Money(each.held, currency) for each in rows},
            sum(each.milestones for each in rows),
        )
        for (currency, platform), rows in sorted(
            found.items(), key=lambda each: (shown_order(each[0][0]), each[0][1])
        )
    ]


@dataclass(frozen=True)
class HeldFilter:
    platform: str | None = None
    currency: str | None = None
    age: str | None = None

    @property
    def where(self) -> str:
        conditions = (
            (self.platform, "p.platform = :platform"),
            (self.currency, "o.currency = :currency"),
            (self.age, f"{AGE} = :age"),
        )
        return " and ".join(["true", *(condition for given, condition in conditions if given)])

    def values(self, now: datetime) -> dict[str, Any]:
        return {"platform": self.platform, "currency": self.currency, "age": self.age, "now": now}


@dataclass(frozen=True)
class HeldRow:
    """What is held for one milestone. `alarm_at`: when it is, or was, too long by the project's policy."""

    id: int
    project_id: int
    milestone: str
    project: str
    platform: str
    payer: str
    payee: str
    status: str
    held: Money
    since: datetime
    alarm_at: datetime

    @property
    def account(self) -> str:
        return accounts.held(self.id)


def page(
    session: Session, wanted: HeldFilter, *, now: datetime, offset: int = 0, limit: int = 50
) -> list[HeldRow]:
    """The milestones for which money is held, the longest first."""
    query = text(PAGE.format(alarm=_ALARM_AT, held=HELD, where=wanted.where))
    return [
        HeldRow(
            id=row.milestone_id,
            project_id=row.project_id,
            milestone=row.milestone,
            project=row.project,
            platform=row.platform,
            payer=row.payer,
            payee=row.payee,
            status=row.status,
            held=Money(row.held_minor, row.currency),
            since=row.funded_at,
            alarm_at=row.alarm_at,
        )
        for row in session.execute(query, {**wanted.values(now), "offset": offset, "limit": limit})
    ]


def count(session: Session, wanted: HeldFilter, *, now: datetime) -> int:
    """How many there are, counted up to the bound and one."""
    query = text(f"select count(*) from (select 1 {HELD} and {wanted.where} limit :bound) as found")
    return int(session.execute(query, {**wanted.values(now), "bound": BOUND + 1}).scalar_one())


# A day's movements of two lines: from the daily totals, and what is not rolled up yet from the journals themselves.
DAYS = text(
    """
    with moved as (
        select greatest(day, :before) as day, line, debits, credits from daily_totals
        where line = any(:lines) and currency_number = :iso and day <= :last
        union all
        select greatest((j.posted_at at time zone 'UTC')::date, :before), (p.account_id >> 10 & 255)::smallint,
               greatest(p.amount, 0), greatest(-p.amount, 0)
        from journals_not_rolled_up() j
        cross join lateral unnest(j.account_ids, j.amounts) as p (account_id, amount)
        where (p.account_id >> 10 & 255) = any(:lines) and (p.account_id & 1023) = :iso
          and j.posted_at < cast(:last as date) + 1
    )
    select day, line, sum(debits)::bigint as debits, sum(credits)::bigint as credits from moved group by 1, 2
    """
)


@dataclass(frozen=True)
class Day:
    """One day (UTC) in one currency: what was held and lay at Stripe at its end, and what came in and left there."""

    day: date
    held: Money
    at_stripe: Money
    came_in: Money
    went_out: Money


def days(session: Session, currency: str, *, first: date, last: date) -> list[Day]:
    """Every day of the period, also those on which nothing moved."""
    held, stripe = CHART["held"].number, CHART[accounts.STRIPE_BALANCE].number
    before = first - timedelta(days=1)
    values = {"lines": [held, stripe], "iso": accounts.ISO_NUMBERS[currency], "before": before, "last": last}
    rows = session.execute(DAYS, values)
    moved = {(row.day, row.line): (row.debits, row.credits) for row in rows}
    return _running(moved, held, stripe, before, last, currency)


def _running(
    moved: dict[tuple[date, int], tuple[int, int]],
    held: int,
    stripe: int,
    before: date,
    last: date,
    currency: str,
) -> list[Day]:
    lies = {held: 0, stripe: 0}
    found: list[Day] = []
    for day in (before + timedelta(days=number) for number in range((last - before).days + 1)):
        for line in lies:
            debits, credits = moved.get((day, line), (0, 0))
            lies[line] += debits - credits
        came_in, went_out = moved.get((day, stripe), (0, 0))
        sums: Sequence[int] = (-lies[held], lies[stripe], came_in, went_out)
        found.append(Day(day, *(Money(each, currency) for each in sums)))
    return found[1:]
