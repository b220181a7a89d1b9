"""A desk of any size: a lived demo, multiplied in its database, so that every page has much of everything in it.

Every row that belongs to a person, a project or the money is copied so many times; what it refers to is copied with it,
so each copy is as consistent as the first. Staff, policies, periods, bank statements and seals stay as they are. The
record proves nothing of a copy, and totals by day are not added up again: this is for timing what reads, no more.
"""

from __future__ import annotations

from typing import Any

import psycopg

COPIED = tuple(
    """
    parties payee_accounts party_changes bank_changes letter_preferences payment_method_setups debt_reminders
    repayment_plans repayment_instalments debt_write_offs payee_holds
    projects engagements review_rounds project_reviews final_ratings practice_flags
    milestones payment_orders payment_events charges duplicate_payments outgoing_operations payouts payout_offers
    cases case_visits messages evidence evidence_views evidence_notes handovers recusals party_requests
    settlement_proposals decisions refunds holds hold_lifts risk_reviews reports receipts
    chargebacks chargeback_evidence chargeback_files chargeback_remarks
    journals accounts balances register balance_transactions suspense_items breaks
    webhook_events outgoing_events event_deliveries notifications audit_entries
    """.split()
)
# What refers to a row without a foreign key.
ALSO = {
    ("journals", "milestone_id"): "milestones",
    ("journals", "party_id"): "parties",
    ("audit_entries", "milestone_id"): "milestones",
    ("audit_entries", "project_id"): "projects",
    ("audit_entries", "ticket_id"): "cases",
    ("audit_entries", "report_id"): "reports",
    ("balances", "account_id"): "accounts",
    ("register", "account_id"): "accounts",
    ("register", "journal_id"): "journals",
    ("suspense_items", "transaction_id"): "balance_transactions",
    ("webhook_events", "object_id"): "",
}
NOT_COPIED = {
    "suspense_items": "bank_line_id is null",
    "breaks": "bank_line_id is null and suspense_item_id is null",
}
# An account's number is made of its object, its line and its currency.
OBJECT = "case (select per from chart where line = ({0} >> 10 & 255)) when 'milestone' then {1} else {2} end"
ACCOUNT = (
    "case when {0} >> 18 > 0 then {0} + ((k * " + OBJECT + ")::bigint << 18) else {0} end"
)  # of one in the column {0}
COLUMNS = """
select a.attname, format_type(a.atttypid, -1) as type, a.attnum = any(p.indkey) as is_key,
       exists (select from pg_index u where u.indrelid = a.attrelid and u.indisunique and a.attnum = any(u.indkey))
           as is_unique,
       (select f.confrelid::regclass::text from pg_constraint f
        where f.conrelid = a.attrelid and f.contype = 'f' and a.attnum = any(f.conkey) limit 1) as refers_to
from pg_attribute a left join pg_index p on p.indrelid = a.attrelid and p.indisprimary
where a.attrelid = %s::regclass and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
order by a.attnum
"""


def multiply(connection: psycopg.Connection[Any], times: int) -> None:
    """So many copies of every row of `COPIED`, beside the first."""
    steps = {table: _highest(connection, table) for table in COPIED}
    with connection.transaction():
        connection.execute("set local session_replication_role = replica")
        for table in COPIED:
            connection.execute(_copies(connection, table, steps).encode(), {"times": times})
        for table, step in steps.items():
            if step:
                connection.execute(
                    "select setval(pg_get_serial_sequence(%s, 'id'), %s)", (table, step * (times + 1))
                )
    connection.execute("vacuum analyze")


def _highest(connection: psycopg.Connection[Any], table: str) -> int:
    """The highest number of its rows, by which copies are apart; 0 where they are not numbered."""
    numbered = (
        "select 1 from pg_attribute"
        " where attrelid = %s::regclass and attname = 'id' and atttypid = 'int8'::regtype"
    )
    if table == "accounts" or connection.execute(numbered, (table,)).fetchone() is None:
        return 0
    found = connection.execute(f"select coalesce(max(id), 0) from {table}".encode()).fetchone()
    assert found is not None
    return int(found[0])


def _copies(connection: psycopg.Connection[Any], table: str, steps: dict[str, int]) -> str:
    names, values = [], []
    for name, kind, is_key, is_unique, refers_to in connection.execute(COLUMNS, (table,)):
        refers = ALSO.get((table, name), refers_to)
        names.append(f'"{name}"')
        values.append(_value(table, name, kind, bool(is_key), bool(is_unique), refers, steps))
    which = NOT_COPIED.get(table, "true")
    return (
        f"insert into {table} ({', '.join(names)}) overriding system value select {', '.join(values)}"
        f" from {table} t cross join generate_series(1, %(times)s) k where {which}"
        f"{' on conflict do nothing' if table in ('accounts', 'balances') else ''}"
    )


def _value(
    table: str, name: str, kind: str, is_key: bool, is_unique: bool, refers: str | None, steps: dict[str, int]
) -> str:
    column = f't."{name}"'
    objects = (steps["milestones"], steps["parties"])
    copy = f"k * {OBJECT.format('t.id', *objects)}"
    if (table, name) == ("accounts", "id") or refers == "accounts":
        return ACCOUNT.format(column, *objects)
    if (table, name) == ("accounts", "object_id"):
        return f"t.object_id + {copy}"
    if (table, name) == ("accounts", "code"):
        of_one = f"split_part(t.code, ':', 1) || ':' || (t.object_id + {copy})"
        return f"case when t.object_id is null then t.code else {of_one} end"
    if name == "account_ids":
        each = ACCOUNT.format("each", *objects)
        return f"array(select {each} from unnest(t.account_ids) with ordinality u (each, o) order by o)"
    if refers in steps and kind == "bigint":
        return f"{column} + k * {steps[REFERRED.get(refers, refers)]}"
    if refers in steps:
        return f"{column} || '~' || k"
    if refers is None and kind == "bigint" and is_key:
        return f"{column} + k * {steps[table]}"
    if refers is None and is_unique and kind in ("character varying", "text") and name not in KEPT:
        return f"{column} || '~' || k"
    if table == "receipts" and name == "place":
        return f"{column} + k * {steps[table]}"
    return column


# Tables whose key is that of another.
REFERRED = {"payment_orders": "milestones", "payee_accounts": "parties", "review_rounds": "projects"}
KEPT = frozenset("status currency platform profile series side object_id".split())
