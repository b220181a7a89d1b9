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
PER_MILESTONE = 9.85  # postings, on average
ACCOUNTS = """
with used as (
    select distinct p.account_id as id from journals j cross join lateral unnest(j.account_ids) as p (account_id)
)
insert into accounts (id, code, currency, line, object_id, currency_number)
select u.id, c.name || case when u.id >> 18 > 0 then ':' || (u.id >> 18) else '' end, k.code, c.line,
       nullif(u.id >> 18, 0), k.number
from used u join chart c on c.line = (u.id >> 10 & 255) join currencies k on k.number = (u.id & 1023)
on conflict do nothing
"""
BALANCES = """
insert into balances (account_id, balance, side)
select p.account_id, sum(p.amount)::bigint * min(c.side), min(c.side)
from journals j cross join lateral unnest(j.account_ids, j.amounts) as p (account_id, amount)
join chart c on c.line = (p.account_id >> 10 & 255)
where not c.hot group by 1
"""
ROLL_UP = "select roll_up((select rolled_to from ledger_roll_up), pg_snapshot_xmin(pg_current_snapshot()))"
STRIPE = """
insert into {table} (id, kind, reporting_category, amount, fee, net, currency, source, created_at, {more})
select 'txn_' || j.id, 'charge', 'charge', abs(j.amounts[1]), 0, abs(j.amounts[1]), k.code, 'ch_' || j.id, j.posted_at,
       {values}
from journals j join currencies k on k.number = (j.account_ids[1] & 1023)
order by j.id limit %(lines)s
"""
Row = tuple[str, str, int, int, str, str, list[int], list[int], datetime]


def fill(connection: psycopg.Connection[Any], milestones: int) -> None:
    """So many milestones, spread over a year in the order of their numbers, with all that was posted for them."""
    with connection.transaction():
        connection.execute("set local role bookkeeper")
        columns = "key, kind, milestone_id, party_id, memo, cause, account_ids, amounts, posted_at"
        with connection.cursor().copy(f"copy journals ({columns}) from stdin".encode()) as copy:
            for number in range(1, milestones + 1):
                for row in _journals(number, FIRST + timedelta(days=DAYS) * (number / milestones)):
                    copy.write_row(row)
        connection.execute(ACCOUNTS)
        connection.execute(BALANCES)
    connection.execute(ROLL_UP)
    connection.execute("vacuum analyze")


def stripe_lines(connection: psycopg.Connection[Any], lines: int) -> None:
    """A line of Stripe's statement for so many journals, one each, and the ledger's own record of the same lines."""
    booked = STRIPE.format(
        table="balance_transactions", more="journal_id, booked_at", values="j.id, j.posted_at"
    )
    told = STRIPE.format(table="statement_lines", more="fetched_at", values="j.posted_at")
    with connection.transaction():
        connection.execute("set local session_replication_role = replica")
        for statement in (booked, told):
            written = connection.execute(statement.encode(), {"lines": lines}).rowcount
            if written < lines:
                raise SystemExit(
                    f"A ledger of this size has journals for {written:,} lines, not for {lines:,}."
                )
    connection.execute("vacuum analyze balance_transactions, statement_lines")


def _journals(number: int, at: datetime) -> Iterator[Row]:
    """One milestone, paid then; of ten in eleven the work is released, and of most of those the money withdrawn."""
    currency = "EUR" if number % 5 == 0 else "USD"
    payee = number % PAYEES + 1
    amount = 10_000 + number * 7_919 % 90_000
    fee = amount // 40
    cost = (amount + fee) * 29 // 1000 + 30
    held, deferred = accounts.held(number), accounts.deferred_platform_fee(number)
    payable = accounts.payee_payable(payee)

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
    if number % 11:
        released = {held: amount, deferred: fee, payable: -amount, accounts.PLATFORM_FEE_REVENUE: -fee}
        yield journal("decided", 3, released)
        if number % 3:
            yield journal("withdrawal", 4, {payable: amount, accounts.STRIPE_BALANCE: -amount})
