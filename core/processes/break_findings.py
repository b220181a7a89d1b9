"""What a run saw, as findings: each with the facts that its class follows from."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.actions.operations.breaks import Finding
from core.money import Money
from core.rules.breaks import Facts, Side, classify
from core.rules.reconciliation import BreakKind

# An amount that both sides have is the statement's and the ledger's, each in its own currency. A twin is another booked
# line of the same amount that the same object at Stripe caused.
AT_STRIPE = text(
    """
    with found as (
        select coalesce(transaction_id, 'balance') as object, kind, currency, at_provider, in_ledger, transaction_id,
               journal_id, null::bigint as suspense_item_id
        from reconciliation_breaks where run_id = :run and side = 'STRIPE'
        union all
        select i.transaction_id, 'IN_SUSPENSE', i.currency, i.amount_minor, null, i.transaction_id, t.journal_id, i.id
        from suspense_items i join balance_transactions t on t.id = i.transaction_id
        where i.status = 'OPEN' and t.created_at <= :until
    ), line as materialized (
        select f.*, t.currency as booked_in, coalesce(s.created_at, t.created_at, :until) as since,
               coalesce(s.kind, t.kind, '') as line_kind, coalesce(s.source, t.source, '') as source,
               coalesce(s.reporting_category, t.reporting_category, '') as category,
               coalesce(s.amount, t.amount) as amount,
               coalesce(s.amount = t.amount and s.fee <> t.fee, false) as only_fee_differs
        from found f
        left join statement_lines s on s.id = f.transaction_id
        left join balance_transactions t on t.id = f.transaction_id
    ), asked as materialized (
        select o.provider_id, min(o.currency) as currency
        from outgoing_operations o join (select distinct source from line where source <> '') l
            on l.source = o.provider_id
        group by 1
    ), twins as materialized (
        select distinct l.transaction_id
        from line l join balance_transactions w on w.source = l.source and w.kind = l.line_kind and w.amount = l.amount
        where l.source <> '' and w.id <> l.transaction_id and w.created_at <= l.since
          and not exists (select from suspense_items i where i.transaction_id = w.id)
    )
    select l.*, a.currency as asked_in, a.provider_id is not null as by_us, t.transaction_id is not null as twin
    from line l
    left join asked a on a.provider_id = l.source
    left join twins t on t.transaction_id = l.transaction_id
    order by since, object, currency
    """
)
LINK = text(
    """
    update reconciliation_breaks r set break_id = b.id from breaks b
    where r.run_id = :run and b.side = r.side and b.object = coalesce(r.transaction_id, 'balance')
      and b.currency = r.currency
    """
)


def at_stripe(session: Session, run_id: int, until: datetime, now: datetime) -> Iterator[Finding]:
    """The run's lines and balances that differ, and what lies in suspense."""
    for row in session.execute(AT_STRIPE, {"run": run_id, "until": until}).mappings().all():
        yield _finding(dict(row), now)


def _finding(row: dict[str, Any], now: datetime) -> Finding:
    suspense = row["kind"] == BreakKind.IN_SUSPENSE
    theirs = None if row["at_provider"] is None else Money(row["at_provider"], row["currency"])
    ours = None if row["in_ledger"] is None else Money(row["in_ledger"], row["booked_in"] or row["currency"])
    facts = Facts(
        Side.STRIPE,
        theirs,
        ours,
        now - row["since"],
        row["line_kind"],
        row["category"],
        only_fee_differs=row["only_fee_differs"],
        by_us=row["by_us"] and not suspense,
        twin=row["twin"],
        currency_of_cause=row["asked_in"],
        in_suspense=suspense,
    )
    return Finding(
        Side.STRIPE,
        row["object"],
        row["currency"],
        BreakKind(row["kind"]),
        classify(facts),
        theirs,
        ours,
        row["since"],
        row["transaction_id"],
        row["journal_id"],
        row["suspense_item_id"],
    )


def link(session: Session, run_id: int) -> None:
    """Each sighting of the run names the break that it is of."""
    session.execute(LINK, {"run": run_id})
