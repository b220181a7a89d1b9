"""What a run saw, as findings: each with the facts that its class follows from."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core.actions.reconciliation import breaks
from core.actions.reconciliation.breaks import BreakFinding
from core.money import Money
from core.policy.limits import BANK_MATCH_WITHIN
from core.processes import bank_matching
from core.records import SuspenseItem
from core.rules.breaks import Facts, Side, classify
from core.rules.reconciliation import BreakKind
from core.rules.suspense import SuspenseStatus

# An amount that both sides have is the statement's and the ledger's, each in its own currency. A twin is another booked
# line of the same amount that the same object at Stripe caused.
AT_STRIPE = text(
    """
    with found as (
        select coalesce(transaction_id, 'balance') as object, kind, currency, at_provider, in_ledger, transaction_id,
               journal_id, null::bigint as suspense_item_id, false as difference
        from reconciliation_breaks where run_id = :run and side = 'STRIPE'
        union all
        select i.transaction_id, 'IN_SUSPENSE', i.currency, i.amount_minor, null, i.transaction_id,
               coalesce(i.journal_id, t.journal_id), i.id, i.journal_id is not null
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
    order by since, object, currency, l.kind = 'IN_SUSPENSE'
    """
)
LINK = text(
    """
    update reconciliation_breaks r set break_id = b.id from breaks b
    where r.run_id = :run and b.side = r.side and b.object = coalesce(r.transaction_id, 'balance')
      and b.currency = r.currency
    """
)


BANK_LINES = text(
    bank_matching.OPEN
    + """
    select l.id, l.amount, a.currency, l.day, sum(p.amount) as ours, min(p.journal_id) as journal_id,
           exists (select from statement_lines s where s.source = n.provider_id) as by_us,
           exists (
               select from bank_statement_lines me join bank_statement_lines w
                   on w.account_id = me.account_id and w.amount_minor = me.amount_minor and w.id <> me.id
                   and w.repeats_id is null and (w.reference, w.text) = (me.reference, me.text)
                   and abs(w.booked_on - me.booked_on) <= :days
               join bank_match_lines m on m.line_id = w.id
               where me.id = l.id
           ) as twin
    from line l join account a on a.id = l.account
    left join named n on n.id = l.id
    left join posting p on p.account = l.account and p.provider_id = n.provider_id
    group by l.id, l.amount, a.currency, l.day, n.provider_id order by l.day, l.id
    """
)
# What a line names with another amount is that line's break. What was booked after the last statement is not missing.
BANK_POSTINGS = text(
    bank_matching.OPEN
    + """
    select p.journal_id, p.currency, p.amount, p.posted_at from free_posting p
    where p.day between p.first_on and p.last_on
    order by p.posted_at, p.journal_id
    """
)


def at_the_bank(session: Session, until: datetime, now: datetime) -> Iterator[BreakFinding]:
    """Lines of our bank and postings on its account that are not matched, and lines in suspense."""
    values = {"until": until, "days": BANK_MATCH_WITHIN.days}
    for row in session.execute(BANK_LINES, values).all():
        theirs, since = Money(row.amount, row.currency), breaks.midnight(row.day)
        ours = None if row.ours is None else Money(int(row.ours), row.currency)
        facts = Facts(Side.BANK, theirs, ours, now - since, by_us=row.by_us, twin=row.twin)
        kind = BreakKind.NOT_IN_LEDGER if ours is None else BreakKind.AMOUNT_DIFFERS
        yield BreakFinding(
            Side.BANK, breaks.line_name(row.id), row.currency, kind, classify(facts), theirs, ours, since,
            journal_id=row.journal_id, bank_line_id=row.id,
        )  # fmt: skip
    for row in session.execute(BANK_POSTINGS, values).all():
        booked = Money(row.amount, row.currency)
        facts = Facts(Side.BANK, None, booked, now - row.posted_at)
        yield BreakFinding(
            Side.BANK, breaks.posting_name(row.journal_id), row.currency, BreakKind.NOT_AT_PROVIDER, classify(facts),
            None, booked, row.posted_at, journal_id=row.journal_id,
        )  # fmt: skip
    waiting = select(SuspenseItem).where(
        SuspenseItem.status == SuspenseStatus.OPEN, SuspenseItem.bank_line_id.is_not(None)
    )
    for item in session.scalars(waiting.order_by(SuspenseItem.id)):
        yield breaks.bank_item(session, item, now=now)


def at_stripe(session: Session, run_id: int, until: datetime, now: datetime) -> Iterator[BreakFinding]:
    """The run's lines and balances that differ, and what lies in suspense. Where a line does both, it is explained
    first what lies there."""
    rows = session.execute(AT_STRIPE, {"run": run_id, "until": until}).mappings().all()
    found = (_finding(dict(row), now) for row in rows)
    yield from {each.name: each for each in found}.values()


def _finding(row: dict[str, Any], now: datetime) -> BreakFinding:
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
        difference=row["difference"],
    )
    return BreakFinding(
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


# An account that could not be read to its end says nothing. It may be that of several parties.
READ = """
    select account from statement_cursors where account <> '' and book = 'LINES'
    group by account having bool_and(failure is null and window_until is null and read_until > :until)
"""
# Line by line: a payout by its id, all else by its amount, in the order of time.
OF_PAYEES = text(
    rf"""
    with read as materialized (
        select account from ({READ}) whole where cast(:account as text) is null or account = :account
    ), theirs as (
        select l.id, l.account, l.currency, l.net, l.created_at as at, l.kind, l.reporting_category as category,
               o.provider_id is not null as by_us,
               row_number() over (partition by l.account, l.currency, case when l.kind like 'payout%' then l.source end,
                                  l.net order by l.created_at, l.id) as nth,
               case when l.kind like 'payout%' then l.source else '' end as payout
        from payee_statement_lines l join read using (account)
        left join (select distinct provider_id from outgoing_operations where provider_id like 'po\_%') o
            on o.provider_id = l.source
        where l.net <> 0 and l.created_at <= :until
    ), ours as (
        select p.journal_id, t.stripe_account as account, b.currency, p.amount as net, j.posted_at as at,
               row_number() over (partition by t.stripe_account, b.currency, j.cause ->> 'payout', p.amount
                                  order by j.posted_at, j.id) as nth,
               coalesce(j.cause ->> 'payout', '') as payout
        from account_balances b
        join parties t on t.id = b.object_id
        join read on read.account = t.stripe_account
        join account_postings p on p.account_id = b.account_id
        join journals j on j.id = p.journal_id
        where b.line = 'connected_balance' and j.posted_at <= :until
    )
    select account, currency, net, t.id, t.kind, t.category, t.by_us, o.journal_id, coalesce(t.at, o.at) as since
    from theirs t full join ours o using (account, currency, net, payout, nth)
    where t.id is null or o.journal_id is null
    order by since, account, t.id, o.journal_id
    """
)


def payees_read(session: Session, until: datetime) -> set[str]:
    """The payees' accounts at Stripe that were read to the end."""
    return set(session.scalars(text(READ), {"until": until}))


def of_payees(
    session: Session, until: datetime, now: datetime, *, account: str | None = None
) -> Iterator[BreakFinding]:
    """Lines of payees' accounts at Stripe that the memorandum book does not have, and what only that book has.
    `account`: of this one alone."""
    for row in session.execute(OF_PAYEES, {"until": until, "account": account}).all():
        amount = Money(row.net, row.currency)
        theirs, ours = (amount, None) if row.id else (None, amount)
        facts = Facts(
            Side.PAYEE, theirs, ours, now - row.since, row.kind or "", row.category or "", by_us=bool(row.by_us)
        )  # fmt: skip
        kind = BreakKind.NOT_IN_LEDGER if row.id else BreakKind.NOT_AT_PROVIDER
        name = row.id or breaks.posting_name(row.journal_id)
        yield BreakFinding(
            Side.PAYEE, f"{row.account}:{name}", row.currency, kind, classify(facts), theirs, ours, row.since,
            journal_id=row.journal_id,
        )  # fmt: skip


def link(session: Session, run_id: int) -> None:
    """Each sighting of the run names the break that it is of."""
    session.execute(LINK, {"run": run_id})
