"""A ledger of any size, filled through COPY with every law of the books intact: what is paid, released and withdrawn.

Journals are copied as the bookkeeper, who may do just that; accounts and balances are added up from them in SQL, and
the ledger's own roll-up makes the registers and totals. Beside them stand the projects, parties, charges and payouts
that the postings are of. Lines of Stripe's statement are those of the journals. A larger ledger has more projects and
parties, each with as much as in a small one.
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
PER_PROJECT, PER_PAYER, PER_PAYEE = 2, 20, 100  # milestones
PER_MILESTONE = 10.15  # postings, on average
METHODS = ("('card', 'visa', 'credit', 'US'), ('card', 'mastercard', 'debit', 'GB'), "
           "('us_bank_account', null, null, null), ('sepa_debit', null, null, 'DE')")  # fmt: skip
OF_WHOM = f"""
insert into parties (id, platform, external_id, role, name, email, city, country, withdrawal_method, auto_withdraw,
                     created_at)
overriding system value
select n, 'home_services', 'party-' || n, case when n > %(payees)s then 'PAYER' else 'PAYEE' end, 'Party ' || n,
       n || '@example.com', 'Bonn', 'DE', 'standard', true, %(first)s from generate_series(1, %(parties)s) n;
insert into projects (id, platform, bid_reference, title, scope, project_type, size, fee_mode, payer_id, payee_id,
                      currency, total_minor, status, policy_version_id, created_at)
overriding system value
select n, case n %% 4 when 0 then 'legal_services' else 'home_services' end, 'bid-' || n, 'Project ' || n, '',
       'KITCHEN', 'SMALL', 'CONSULTATION_FIXED', %(payees)s + n %% %(payers)s + 1, n %% %(payees)s + 1, 'USD', 1,
       'ACTIVE', 1, %(first)s
from generate_series(1, %(projects)s) n;
insert into milestones (id, project_id, position, title, deliverable, amount_minor, currency, acceptance_rule, status,
                        version, reminder_level)
overriding system value
select n, (n + 1) / {PER_PROJECT}, 2 - n %% 2, 'Milestone ' || n, '', 1, 'USD', 'EXPLICIT', 'FUNDED', 1, 0
from generate_series(1, %(milestones)s) n;
insert into outgoing_operations (id, key, kind, milestone_id, amount_minor, currency, payload, status, attempt, tries,
                                 next_try_at, created_at)
overriding system value
select n, 'charge.' || n, 'CHARGE', n, 1, 'USD', '{{}}', 'SUCCEEDED', 1, 1, %(first)s, %(first)s
from generate_series(1, %(milestones)s) n;
insert into charges (id, milestone_id, operation_id, status, off_session, created_at, ended_at, method_kind, card_brand,
                     card_funding, method_country)
overriding system value
select n, n, n, 'SUCCEEDED', false, %(first)s, %(first)s, m.kind, m.brand, m.funding, m.country
from generate_series(1, %(milestones)s) n
join (select row_number() over () - 1 as number, v.* from (values {METHODS}) v (kind, brand, funding, country)) m
  on m.number = n %% 4;
insert into payouts (id, milestone_id, party_id, currency, amount_minor, fee_minor, method, status,
                     transfer_operation_id, requested_at)
overriding system value
select n, n, 1, 'USD', 1, 0, case n %% 2 when 0 then 'standard' else 'instant' end, 'PAID', n, %(first)s
from generate_series(1, %(milestones)s) n
"""
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
    payees, payers = (max(1, milestones // each) for each in (PER_PAYEE, PER_PAYER))
    counts = {"payees": payees, "payers": payers, "parties": payees + payers, "milestones": milestones}
    with connection.transaction(), psycopg.ClientCursor(connection) as cursor:
        connection.execute("set local session_replication_role = replica")
        cursor.execute(OF_WHOM.encode(), counts | {"projects": -(-milestones // PER_PROJECT), "first": FIRST})
    with connection.transaction():
        connection.execute("set local role bookkeeper")
        columns = "key, kind, milestone_id, party_id, memo, cause, account_ids, amounts, posted_at"
        with connection.cursor().copy(f"copy journals ({columns}) from stdin".encode()) as copy:
            for number in range(1, milestones + 1):
                for row in _journals(number, payees, FIRST + timedelta(days=DAYS) * (number / milestones)):
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


def _journals(number: int, payees: int, at: datetime) -> Iterator[Row]:
    """One milestone, paid then; of ten in eleven the work is released, and of most of those the money withdrawn."""
    project = (number + 1) // PER_PROJECT
    currency = "EUR" if project % 5 == 0 else "USD"
    payee = project % payees + 1
    amount = 10_000 + number * 7_919 % 90_000
    fee = amount // 40
    cost = (amount + fee) * 29 // 1000 + 30
    held, deferred = accounts.held(number), accounts.deferred_platform_fee(number)
    payable = accounts.payee_payable(payee)

    def journal(kind: str, days: int, lines: dict[str, int]) -> Row:
        numbered = sorted((accounts.number(code, currency), minor) for code, minor in lines.items())
        cause = json.dumps({"milestone": number, "payout": number})
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
            fast = amount // 100 if number % 2 else 0
            sent = {payable: amount, accounts.STRIPE_BALANCE: fast - amount}
            yield journal("withdrawal", 4, sent | ({accounts.WITHDRAWAL_FEE_REVENUE: -fast} if fast else {}))
