"""What must always be true of the books, each as a query that returns the rows for which it is not.

Run by `escrow-desk check`, by the page of the same name and after every test journey. The registry is open: what needs
the desk's other tables adds itself with `invariant`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session


@dataclass(frozen=True)
class Invariant:
    """`sql` returns the failing rows. `law` is the sentence that holds while it returns none."""

    name: str
    law: str
    sql: str


@dataclass(frozen=True)
class Violation:
    """One row that breaks a law."""

    invariant: str
    law: str
    facts: Mapping[str, Any] = field(default_factory=dict)


INVARIANTS: dict[str, Invariant] = {}
AT_MOST = 100


def invariant(name: str, law: str, sql: str) -> Invariant:
    """Add a law to the registry."""
    if name in INVARIANTS:
        raise ValueError(f"there is an invariant {name} already")
    INVARIANTS[name] = Invariant(name, law, sql)
    return INVARIANTS[name]


def check(session: Session, *names: str) -> list[Violation]:
    """Every violation of the named invariants, or of all; at most a hundred for each."""
    return [
        Violation(law.name, law.law, dict(row))
        for law in (INVARIANTS[name] for name in names or tuple(INVARIANTS))
        for row in session.execute(text(f"select * from ({law.sql}) as failing limit {AT_MOST}")).mappings()
    ]


invariant(
    "journals_balance",
    "Every journal sums to zero, in one currency and one book.",
    """
    select j.id as journal_id, sum(p.amount) as off_by, count(distinct p.account_id & 66559) as natures
    from journals j cross join lateral unnest(j.account_ids, j.amounts) as p (account_id, amount)
    group by j.id
    having sum(p.amount) <> 0 or count(*) < 2 or count(distinct p.account_id & 66559) > 1
        or count(*) <> count(distinct p.account_id) or bool_or(p.amount is null or p.amount = 0)
    """,
)

invariant(
    "balances_agree",
    "What is on an account is the sum of its postings.",
    """
    select b.code, b.currency, b.net, coalesce(p.net, 0) as net_of_postings
    from account_balances b
    full join (select account_id, sum(amount) as net from postings group by account_id) p using (account_id)
    where b.net is distinct from coalesce(p.net, 0)
    """,
)

invariant(
    "nothing_below_zero",
    "No account that may not go below zero is below zero.",
    "select code, currency, balance from account_balances where non_negative and balance < 0",
)

invariant(
    "books_balance",
    "Each book sums to zero in each currency.",
    "select currency, book, sum(net) as off_by from account_balances group by currency, book having sum(net) <> 0",
)

invariant(
    "register_agrees",
    "The accounts' own pages say what the journals say.",
    """
    select coalesce(a.account_id, p.account_id) as account_id, coalesce(a.journal_id, p.journal_id) as journal_id,
           a.amount as on_page, p.amount as in_journal
    from account_postings a full join postings p using (account_id, journal_id)
    where a.amount is distinct from p.amount
    """,
)

invariant(
    "daily_totals_agree",
    "The daily totals are those of the journals that are rolled up.",
    """
    with said as (
        select line, currency_number, sum(debits) as debits, sum(credits) as credits, min(first_journal) as first,
               max(last_journal) as last, max(last_account) as highest
        from daily_totals group by 1, 2
    ), posted as (
        select (account_id >> 10 & 255)::smallint as line, (account_id & 1023)::smallint as currency_number,
               coalesce(sum(amount) filter (where amount > 0), 0) as debits,
               coalesce(-sum(amount) filter (where amount < 0), 0) as credits, min(journal_id) as first,
               max(journal_id) as last, max(account_id) as highest
        from register group by 1, 2
    )
    select line, currency_number, s.debits, s.credits, p.debits as debits_posted, p.credits as credits_posted
    from said s full join posted p using (line, currency_number)
    where (s.debits, s.credits, s.first, s.last, s.highest)
          is distinct from (p.debits, p.credits, p.first, p.last, p.highest)
    """,
)

FEES = (
    "platform_fee_revenue", "processing_fee_recovery", "withdrawal_fee_revenue", "processor_fees", "fee_variance",
    "dispute_fees", "chargeback_losses", "refund_concession", "released",
)  # fmt: skip
SUMS = ", ".join(f"coalesce(sum({each}), 0) as {each}" for each in FEES)
invariant(
    "fee_totals_agree",
    "The fees of each marketplace, project, party and method by day are those of the journals that are rolled up.",
    f"""
    with said as (
        select dimension, key, currency_number, day, sum(journals) as journals, {SUMS}
        from fee_totals group by 1, 2, 3, 4
    ), posted as (
        select f.dimension, f.key, f.currency_number, f.day, count(*) as journals, {SUMS}
        from ledger_roll_up r join fees_of_journals f on not (f.xid >= r.rolled_to and f.journal_id > r.after_journal)
        group by 1, 2, 3, 4
    )
    select dimension, key, currency_number, day, s.journals, p.journals as journals_posted
    from said s full join posted p using (dimension, key, currency_number, day)
    where (coalesce(s.journals, 0), {", ".join(f"coalesce(s.{each}, 0)" for each in FEES)})
       <> (coalesce(p.journals, 0), {", ".join(f"coalesce(p.{each}, 0)" for each in FEES)})
    """,
)

invariant(
    "marketplace_totals_agree",
    "What is held for each marketplace by month is that of the journals that are rolled up.",
    """
    with posted as (
        select a.platform, date_trunc('month', j.posted_at at time zone 'UTC')::date as month,
               (g.account_id & 1023)::smallint as currency_number, j.kind, sum(g.amount) as net
        from register g join journals j on j.id = g.journal_id
        join marketplace_accounts a on a.id = g.account_id
        group by 1, 2, 3, 4
    )
    select platform, month, currency_number, kind, s.net, p.net as net_posted
    from marketplace_totals s full join posted p using (platform, month, currency_number, kind)
    where s.net is distinct from p.net
    """,
)

invariant(
    "balance_sheet_balances",
    "In each currency, assets are liabilities and equity, with all that was earned less all that was spent.",
    """
    with moved as (
        select line, currency_number, sum(debits - credits) as net from daily_totals group by 1, 2
        union all
        select (account_id >> 10 & 255)::smallint, (account_id & 1023)::smallint, sum(amount)
        from posting_tail group by 1, 2
    ), sheet as (
        select m.code as currency, coalesce(sum(net) filter (where c.kind = 'asset'), 0) as assets,
               coalesce(-sum(net) filter (where c.kind = 'liability'), 0) as liabilities,
               coalesce(-sum(net) filter (where c.kind in ('equity', 'income', 'expense')), 0) as equity
        from moved join chart c on c.line = moved.line join currencies m on m.number = moved.currency_number
        where c.book = 'platform' group by 1
    )
    select currency, assets, liabilities, equity, assets - liabilities - equity as off_by
    from sheet where assets <> liabilities + equity
    """,
)

invariant(
    "closed_periods_stand",
    "No journal was added to a closed period after it was closed.",
    """
    select p.id as period_id, p.first_day, p.last_day, j.id as journal_id, j.posted_at
    from periods p
    join journals j on j.id > p.last_journal and j.posted_at < (p.last_day + 1)::timestamp at time zone 'UTC'
    where p.status = 'CLOSED' and j.kind not in ('year_closed', 'year_reopened')
    """,
)

invariant(
    "closed_years_are_retained",
    "A closed fiscal year leaves nothing on income and expense, and only closed years have closing entries.",
    """
    with moved as (
        select day, line, currency_number, debits - credits as net from daily_totals
        union all
        select (j.posted_at at time zone 'UTC')::date, (t.account_id >> 10 & 255)::smallint,
               (t.account_id & 1023)::smallint, t.amount
        from posting_tail t join journals j on j.id = t.journal_id
    )
    select p.id as period_id, null::bigint as journal_id, h.name, m.code as currency, sum(d.net) as left_over
    from periods p join moved d on d.day <= p.last_day
    join chart h on h.line = d.line join currencies m on m.number = d.currency_number
    where p.kind = 'YEAR' and p.status = 'CLOSED' and h.kind in ('income', 'expense')
    group by 1, 3, 4 having sum(d.net) <> 0
    union all
    select e.period_id, e.journal_id, null, null, null
    from year_end_entries e join periods p on p.id = e.period_id
    where (p.status = 'CLOSED') <> (e.reversal_id is null)
    """,
)

invariant(
    "closed_figures_stand",
    "What was signed of a closed month or year, and of the last closed period, is what the ledger says.",
    """
    with chosen as (
        select id, last_day, summary from periods
        where status = 'CLOSED' and (kind <> 'DAY' or id = (select max(id) from periods where status = 'CLOSED'))
    ), said as (
        select c.id as period_id, f ->> 'currency' as currency, l ->> 'name' as name, (l ->> 'closing')::numeric as net
        from chosen c, jsonb_array_elements(c.summary -> 'figures') f, jsonb_array_elements(f -> 'lines') l
    ), moved as (
        select day, line, currency_number, debits - credits as net, kind in ('year_closed', 'year_reopened') as closing
        from daily_totals
        union all
        select (j.posted_at at time zone 'UTC')::date, (t.account_id >> 10 & 255)::smallint,
               (t.account_id & 1023)::smallint, t.amount, j.kind in ('year_closed', 'year_reopened')
        from posting_tail t join journals j on j.id = t.journal_id
    ), posted as (
        select c.id as period_id, m.code as currency, h.name, sum(d.net) as net
        from chosen c join moved d on d.day < c.last_day or d.day = c.last_day and not d.closing
        join chart h on h.line = d.line join currencies m on m.number = d.currency_number
        group by 1, 2, 3
    )
    select period_id, currency, name, s.net as signed, p.net as posted
    from said s full join posted p using (period_id, currency, name)
    where coalesce(s.net, 0) <> coalesce(p.net, 0)
    """,
)
