"""A ledger of any size, filled through COPY with every law of the books intact: what is paid, released and withdrawn.

Journals are copied as the bookkeeper, who may do just that; accounts and balances are added up from them in SQL, and
the ledger's own roll-up makes the registers and daily totals. Lines of Stripe's statement are those of the journals.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from core.ledger import accounts

FIRST = datetime(2025, 12, 1, tzinfo=UTC)
DAYS = 360
PAYEES = 5_000
PER_MILESTONE = 9.8  # postings, on average
ACCOUNTS = """
with used as (
    select distinct p.account_id as id from journals j cross join lateral unnest(j.account_ids) as p (account_id)
    where j.id > %(after)s
)
insert into accounts (id, code, currency, line, object_id, currency_number)
select u.id, c.name || case when u.id >> 18 > 0 then ':' || (u.id >> 18) else '' end, k.code, c.line,
       nullif(u.id >> 18, 0), k.number
from used u join chart c on c.line = (u.id >> 10 & 255) join currencies k on k.number = (u.id & 1023)
on conflict do nothing
"""
BALANCES = """
insert into balances as b (account_id, balance, side)
select p.account_id, sum(p.amount)::bigint * min(c.side), min(c.side)
from journals j cross join lateral unnest(j.account_ids, j.amounts) as p (account_id, amount)
join chart c on c.line = (p.account_id >> 10 & 255)
where j.id > %(after)s and not c.hot group by 1
on conflict (account_id) do update set balance = b.balance + excluded.balance
"""
ROLL_UP = "select roll_up((select rolled_to from ledger_roll_up), pg_snapshot_xmin(pg_current_snapshot()))"
STRIPE = """
insert into {table} (id, kind, reporting_category, amount, fee, net, currency, source, created_at, {more})
select 'txn_' || j.id, 'charge', 'charge', abs(p.amount), 0, abs(p.amount), k.code, 'ch_' || j.id, j.posted_at, {values}
from journals j cross join lateral unnest(j.account_ids, j.amounts) as p (account_id, amount)
join currencies k on k.number = (p.account_id & 1023)
where (p.account_id >> 10 & 255) = 129 order by j.id limit %(lines)s
"""
Row = tuple[str, str, int, int, str, str, list[int], list[int], datetime]


def fill(connection: psycopg.Connection[Any], *, first: int, last: int) -> None:
    """Milestones `first` to `last`, the last not included, with all that was posted for them."""
    with connection.transaction():
        connection.execute("set local role bookkeeper")
        (after,) = connection.execute("select coalesce(max(id), 0) from journals").fetchone() or (0,)
        columns = "key, kind, milestone_id, party_id, memo, cause, account_ids, amounts, posted_at"
        with connection.cursor().copy(f"copy journals ({columns}) from stdin".encode()) as copy:
            for number in range(first, last):
                for row in _journals(number):
                    copy.write_row(row)
        connection.execute(ACCOUNTS, {"after": after})
        connection.execute(BALANCES, {"after": after})
    connection.execute(ROLL_UP)
    connection.execute("vacuum analyze")


def stripe_lines(connection: psycopg.Connection[Any], lines: int) -> None:
    """What Stripe's statement says of so many journals, and the ledger's own record of the same lines."""
    booked = STRIPE.format(
        table="balance_transactions", more="journal_id, booked_at", values="j.id, j.posted_at"
    )
    told = STRIPE.format(table="statement_lines", more="fetched_at", values="j.posted_at")
    with connection.transaction():
        connection.execute("set local session_replication_role = replica")
        for statement in (booked, told):
            connection.execute(statement.encode(), {"lines": lines})
    connection.execute("vacuum analyze balance_transactions, statement_lines")


def _journals(number: int) -> Iterator[Row]:
    """One milestone: paid; of nine in ten the work is released, and of most of those the money withdrawn."""
    currency = "EUR" if number % 5 == 0 else "USD"
    payee = number % PAYEES + 1
    amount = 10_000 + number * 7_919 % 90_000
    fee = amount // 40
    cost = (amount + fee) * 29 // 1000 + 30
    held, deferred = accounts.held(number), accounts.deferred_platform_fee(number)
    payable, at = (
        accounts.payee_payable(payee),
        FIRST + timedelta(days=number * 31 % DAYS, minutes=number % 1_000),
    )

    def journal(kind: str, days: int, lines: dict[str, int]) -> Row:
        numbered = sorted((accounts.number(code, currency), minor) for code, minor in lines.items())
        cause = json.dumps({"milestone": number})
        codes, amounts = [each for each, _ in numbered], [minor for _, minor in numbered]
        return f"{kind}.{number}", kind, number, payee, "", cause, codes, amounts, at + timedelta(days=days)

    yield journal(
        "charge_settled",
        0,
        {
            accounts.STRIPE_BALANCE: amount + fee,
            accounts.PROCESSOR_FEES: cost,
            held: -amount,
            deferred: -fee,
            accounts.PROCESSING_FEE_RECOVERY: -cost,
        },
    )
    if number % 10:
        released = {held: amount, deferred: fee, payable: -amount, accounts.PLATFORM_FEE_REVENUE: -fee}
        yield journal("decided", 3, released)
        if number % 3:
            yield journal("withdrawal", 4, {payable: amount, accounts.STRIPE_BALANCE: -amount})
