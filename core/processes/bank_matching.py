"""Matching our bank's lines with the ledger's postings on `bank`, in the database, in the same order every time.

First by the id of Stripe's that the bank passed on, then by amount and date, then by the sum of a day. Whatever could
be meant in two ways is left to a person. The same inputs give the same matches; what is matched is not looked at again.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.db import one_at_a_time
from core.policy.limits import BANK_MATCH_WITHIN
from core.rules.bank_matching import ONE_AT_A_TIME, MatchRule

# What is not matched: lines of the banks, and postings from where the first statement begins (the opening balance holds
# what was before).
OPEN = r"""
with account as materialized (
    select b.id, b.currency, account_number('bank', b.currency) as ledger, s.first_on, s.last_on
    from bank_accounts b
    join (select account_id, min(first_on) as first_on, max(last_on) as last_on from bank_statements group by 1) s
        on s.account_id = b.id
), line as materialized (
    select l.id, l.account_id as account, l.amount_minor as amount, l.booked_on as day,
           l.reference || ' ' || l.text as words
    from bank_statement_lines l
    where l.repeats_id is null and l.amount_minor <> 0 and l.booked_on <= cast(:until as date)
      and not exists (select from bank_match_lines m where m.line_id = l.id)
), posting as materialized (
    select p.journal_id, a.id as account, a.currency, p.amount, (j.posted_at at time zone 'utc')::date as day,
           coalesce(j.cause ->> 'payout', j.cause ->> 'source') as provider_id, j.posted_at, a.first_on, a.last_on
    from account a
    join account_postings p on p.account_id = a.ledger
    join journals j on j.id = p.journal_id
    where p.amount <> 0 and j.posted_at <= :until and j.kind <> 'opening_balance'
      and (j.posted_at at time zone 'utc')::date >= a.first_on - cast(:days as int)
      and not exists (
          select from bank_match_postings m where m.journal_id = p.journal_id and m.currency = a.currency
      )
), named as materialized (
    select line.*, min(x.id) as provider_id
    from line cross join lateral (
        select m[1] as id from regexp_matches(line.words, '\m((po|tu|re|tr|ch|py)_[A-Za-z0-9]{6,})', 'g') m
    ) x
    group by line.id, line.account, line.amount, line.day, line.words
    having count(distinct x.id) = 1
), free_line as materialized (
    select line.* from line
    where not exists (
        select from named n where n.id = line.id and (
            exists (select from posting p where p.account = n.account and p.provider_id = n.provider_id)
            or exists (select from bank_matches m where m.name = 'id:' || n.provider_id || ':' || n.account))
    )
), free_posting as materialized (
    select p.* from posting p
    where not exists (select from named n where n.account = p.account and n.provider_id = p.provider_id)
)
"""
BY_PROVIDER_ID = """
, mine as (select account, provider_id, sum(amount) as total from posting where provider_id is not null group by 1, 2),
theirs as (select account, provider_id, sum(amount) as total from named group by 1, 2),
found as (
    select account, provider_id, 'id:' || provider_id || ':' || account as name
    from mine join theirs using (account, provider_id, total)
),
of_line as (select f.name, n.id as line_id from found f join named n using (account, provider_id)),
of_posting as (
    select f.name, p.journal_id, p.currency, p.amount from found f join posting p using (account, provider_id)
)
"""
# What names money on the other side is not taken for something else of its amount: it is `free` of such names.
BY_AMOUNT = """
, pair as (
    select l.id as line_id, p.journal_id, p.currency, p.amount, l.account,
           count(*) over (partition by l.id) as postings, count(*) over (partition by p.journal_id, p.currency) as lines
    from free_line l
    join free_posting p on p.account = l.account and p.amount = l.amount and abs(p.day - l.day) <= :days
),
found as (
    select *, 'line:' || line_id || ':' || journal_id as name from pair where postings = 1 and lines = 1
),
of_line as (select name, line_id from found),
of_posting as (select name, journal_id, currency, amount from found)
"""
# One line is all of a day's postings of its direction, or one posting all of a day's lines.
BY_SUM = """
, posted as (
    select account, day, sign(amount) as way, sum(amount) as amount, count(*) as many from free_posting group by 1, 2, 3
),
stated as (
    select account, day, sign(amount) as way, sum(amount) as amount, count(*) as many from free_line group by 1, 2, 3
),
one_line as (
    select d.account, d.day, d.way, l.id as line_id, count(*) over (partition by l.id) as days,
           count(*) over (partition by d.account, d.day, d.way) as lines
    from posted d join free_line l on l.account = d.account and l.amount = d.amount and abs(l.day - d.day) <= :days
    where d.many > 1
),
one_posting as (
    select d.account, d.day, d.way, p.journal_id, count(*) over (partition by p.journal_id, p.currency) as days,
           count(*) over (partition by d.account, d.day, d.way) as postings
    from stated d join free_posting p on p.account = d.account and p.amount = d.amount and abs(p.day - d.day) <= :days
    where d.many > 1
),
found as (
    select account, 'day:' || account || ':' || day || ':' || way || ':' || line_id as name, day, way, line_id,
           null::bigint as journal_id
    from one_line where days = 1 and lines = 1
    union all
    select account, 'posting:' || account || ':' || day || ':' || way || ':' || journal_id, day, way, null, journal_id
    from one_posting where days = 1 and postings = 1
),
of_line as (
    select name, line_id from found where line_id is not null
    union all
    select f.name, l.id from found f
    join free_line l on l.account = f.account and l.day = f.day and sign(l.amount) = f.way where f.line_id is null
),
of_posting as (
    select f.name, p.journal_id, p.currency, p.amount from found f
    join free_posting p on p.account = f.account
        and (p.journal_id = f.journal_id or (f.journal_id is null and p.day = f.day and sign(p.amount) = f.way))
)
"""
PUT = """
, made as (
    insert into bank_matches (account_id, rule, name, run_id, made_at)
    select account, :rule, name, :run, :now from found order by name
    returning id, name
), lines_put as (
    insert into bank_match_lines (line_id, match_id) select l.line_id, m.id from of_line l join made m using (name)
)
insert into bank_match_postings (journal_id, currency, match_id, amount_minor)
select p.journal_id, p.currency, m.id, p.amount from of_posting p join made m using (name)
"""
RULES = (
    (MatchRule.PROVIDER_ID, BY_PROVIDER_ID),
    (MatchRule.AMOUNT_AND_DATE, BY_AMOUNT),
    (MatchRule.SUM, BY_SUM),
)


def match(session: Session, *, run_id: int | None, until: datetime, now: datetime) -> None:
    """Match what can be matched without a guess, until nothing more can be: a rerun adds nothing."""
    one_at_a_time(session, ONE_AT_A_TIME)
    values = {"until": until, "days": BANK_MATCH_WITHIN.days, "run": run_id, "now": now}
    while any(_once(session, rule, how, values) for rule, how in RULES):
        pass


def _once(session: Session, rule: MatchRule, how: str, values: dict[str, Any]) -> bool:
    """Whether there was anything to match by this rule."""
    made = session.execute(text(OPEN + how + PUT), values | {"rule": rule})
    return bool(made.rowcount)  # type: ignore[attr-defined]
