"""Invariants between the desk and its ledger, in SQL: each query returns the rows that violate one
(`core.queries.invariants`).

Those of the ledger alone are in `core.ledger.invariants`.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.audit import content_comparison
from core.money import Money
from core.rules import payment_states
from core.rules.payment_states import Amounts, AmountsDisagree

Rows = list[dict[str, Any]]
PLACES = ("funded", "held", "payable", "refundable", "released", "refunded")
FLAGS = ("in_flight", "chargeback_open", "canceled")

LEGS = "cross join lateral unnest(j.account_ids, j.amounts) as leg (account_id, amount)"
ON_ACCOUNT = (
    "left join account_balances b on b.account_id = account_number('{line}:' || o.milestone_id, o.currency)"
)
STRIPE = "(leg.account_id >> 10 & 255) = (select line from chart where name = 'stripe_balance')"
# Every order of one shape has one derived state, so one of them answers for all.
SHAPE = """
state, in_flight, chargeback_open, canceled, funded_minor = 0, refundable_minor > 0, held_minor = funded_minor,
refunded_minor = funded_minor, held_minor > 0, refunded_minor > 0
"""

NOT_ACCOUNTED = f"""
select milestone_id, currency, {", ".join(f"{place}_minor as {place}" for place in PLACES)} from payment_orders
where funded_minor <> held_minor + payable_minor + refundable_minor + released_minor + refunded_minor
   or least(held_minor, payable_minor, refundable_minor, released_minor, refunded_minor) < 0
order by milestone_id
"""
# Documents of before had one count over all kinds, and are in no series.
NUMBERS_MISSING = """
select s.series, s.year, s.last, count(r.id) as issued, coalesce(max(r.place), 0) as highest
from document_series s left join receipts r on r.series = s.series and r.year = s.year
group by s.series, s.year having count(r.id) <> s.last or coalesce(max(r.place), 0) <> s.last
union all
select r.series, r.year, 0, count(*), max(r.place) from receipts r
where length(r.series) = 2 and not exists (
    select from document_series s where s.series = r.series and s.year = r.year
) group by 1, 2
order by 1, 2
"""
HELD = f"""
select o.milestone_id, o.currency, o.held_minor as order_says, coalesce(b.balance, 0) as ledger_says
from payment_orders o {ON_ACCOUNT.format(line="held")}
where o.held_minor <> coalesce(b.balance, 0)
order by o.milestone_id
"""
DEFERRED = f"""
select o.milestone_id, o.currency, case when o.held_minor > 0 then o.platform_fee_minor else 0 end as order_says,
       coalesce(b.balance, 0) as ledger_says
from payment_orders o {ON_ACCOUNT.format(line="deferred_platform_fee")}
where o.held_minor in (0, o.funded_minor)
  and case when o.held_minor > 0 then o.platform_fee_minor else 0 end <> coalesce(b.balance, 0)
order by o.milestone_id
"""
REFUNDABLE = f"""
select o.milestone_id, o.currency, coalesce(r.owed, 0) as refunds_say, coalesce(b.balance, 0) as ledger_says
from payment_orders o {ON_ACCOUNT.format(line="refund_payable")}
left join (
    select r.milestone_id, sum(r.amount_minor + coalesce(t.moved, 0)) as owed from refunds r
    left join (select b.source, coalesce(b.for_currency, b.currency) as currency,
                      sum(coalesce(b.for_minor, b.amount)) as moved
               from balance_transactions b
               where not exists (
                   select from suspense_items i where i.transaction_id = b.id and i.status <> 'REVERSED')
               group by 1, 2) t
           on t.source = r.stripe_refund and t.currency = r.currency
    where r.status not in ('CHARGED_BACK', 'RETURNED') group by 1
) r
       on r.milestone_id = o.milestone_id
where coalesce(r.owed, 0) <> coalesce(b.balance, 0)
order by o.milestone_id
"""
DISPUTED = """
select coalesce(b.currency, c.currency) as currency, coalesce(c.open, 0) as chargebacks_say,
       coalesce(b.net, 0) as ledger_says
from (select currency, net from account_balances where line = 'disputed_funds') b
full join (select booked_currency as currency, sum(taken_minor - lost_minor) as open from chargebacks group by 1) c
       on c.currency = b.currency
where coalesce(c.open, 0) <> coalesce(b.net, 0)
"""
BANK_STATEMENTS = """
select s.id as statement, s.currency, s.opening_minor, s.closing_minor, coalesce(l.moved, 0) as lines_say
from bank_statements s
left join (select statement_id, sum(amount_minor) as moved, count(*) as lines from bank_statement_lines group by 1) l
    on l.statement_id = s.id
where s.opening_minor + coalesce(l.moved, 0) <> s.closing_minor or coalesce(l.lines, 0) <> s.lines
   or bank_lines_hash(s.id) <> s.lines_hash
order by s.id
"""
SHORT = """
select n.currency, n.looked_at, n.at_stripe_minor, n.owed_minor, n.on_its_way_minor
from currencies c
cross join lateral (
    select * from stripe_balances where currency = c.code order by looked_at desc, id desc limit 1
) n
where n.at_stripe_minor < n.owed_minor - n.on_its_way_minor
"""
FROZEN = """
select o.milestone_id, o.chargeback_open as order_says, c.open as chargebacks_say
from payment_orders o
left join (select milestone_id, bool_or(status in ('needs_response', 'under_review')
                                        or (status = 'lost' and taken_minor <> lost_minor)) as open
           from chargebacks where duplicate_id is null group by 1) c on c.milestone_id = o.milestone_id
where o.chargeback_open <> coalesce(c.open, false)
"""
UNAPPLIED = """
select coalesce(b.currency, d.currency) as currency, coalesce(d.owed, 0) as duplicates_say,
       coalesce(b.balance, 0) as ledger_says
from (select currency, balance from account_balances where line = 'unapplied_funds') b
full join (select d.currency, sum(d.amount_minor - d.charged_back_minor + coalesce(t.moved, 0)) as owed
           from duplicate_payments d
           left join (select source, sum(coalesce(for_minor, amount)) as moved from balance_transactions group by 1) t
                  on t.source = d.stripe_refund
           group by 1) d on d.currency = b.currency
where coalesce(d.owed, 0) <> coalesce(b.balance, 0)
"""
EXCHANGED = """
select coalesce(b.currency, t.currency) as currency, coalesce(b.net, 0) as ledger_says, coalesce(t.net, 0) as lines_say
from (select currency, net from account_balances where line = 'exchange_difference') b
full join (
    select currency, sum(net) as net from (
        select for_currency as currency, for_minor as net from balance_transactions where for_currency is not null
        union all
        select currency, -amount from balance_transactions where for_currency is not null
    ) both_sides group by 1
) t on t.currency = b.currency
where coalesce(b.net, 0) <> coalesce(t.net, 0)
"""
UNEXPLAINED = """
select coalesce(b.currency, s.currency) as currency, coalesce(s.open, 0) as items_say,
       coalesce(b.balance, 0) as ledger_says
from (select currency, balance from account_balances where line = 'suspense') b
full join (select currency, sum(amount_minor) as open from suspense_items where status = 'OPEN' group by 1) s
       on s.currency = b.currency
where coalesce(s.open, 0) <> coalesce(b.balance, 0)
"""
PAYABLE = """
select coalesce(w.party_id, b.object_id) as party_id, coalesce(w.currency, b.currency) as currency,
       coalesce(w.payable, 0) as orders_say, coalesce(b.balance, 0) as ledger_says
from (select p.payee_id as party_id, o.currency, sum(o.payable_minor) as payable
      from payment_orders o join milestones m on m.id = o.milestone_id join projects p on p.id = m.project_id
      where o.payable_minor <> 0 group by 1, 2) w
full join (select object_id, currency, balance from account_balances where line = 'payee_payable' and balance <> 0) b
       on b.object_id = w.party_id and b.currency = w.currency
where coalesce(w.payable, 0) <> coalesce(b.balance, 0)
"""
STRIPE_TOTAL = """
select coalesce(b.currency, t.currency) as currency, coalesce(b.net, 0) as ledger_says, coalesce(t.net, 0) as lines_say
from (select currency, net from account_balances where line = 'stripe_balance') b
full join (
    select currency, sum(net) as net
    from (select currency, net from balance_transactions union all select currency, net from line_corrections) each
    group by currency
) t on t.currency = b.currency
where coalesce(b.net, 0) <> coalesce(t.net, 0)
"""
BOOKED_WRONG = f"""
select transaction_id, journal_id, currency, line_says, journal_says, lines_of_journal from (
select t.id as transaction_id, coalesce(t.journal_id, s.id) as journal_id, t.currency, c.code as booked_in,
       t.net as line_says, s.amount as journal_says,
       count(*) over (partition by coalesce(t.journal_id, s.id)) as lines_of_journal
from (
    select id, journal_id, currency, net from balance_transactions
    union all select transaction_id, journal_id, currency, net from line_corrections
) t
full join (select j.id, leg.amount, leg.account_id & 1023 as currency_number from journals j {LEGS} where {STRIPE}) s
       on s.id = t.journal_id
left join currencies c on c.number = s.currency_number
) booked
where line_says is distinct from journal_says or currency is distinct from booked_in or lines_of_journal > 1
"""
DECIDED_OTHERWISE = f"""
select d.id as decision_id, d.case_id, d.plan -> 'journal' ->> 'key' as journal, planned.legs as planned,
       posted.legs as posted
from decisions d
left join journals posted_journal on posted_journal.key = d.plan -> 'journal' ->> 'key'
left join lateral (
    select jsonb_agg(p order by p ->> 'account') as legs from jsonb_array_elements(d.plan -> 'journal' -> 'postings') p
) planned on true
left join lateral (
    select jsonb_agg(jsonb_build_object('account', a.code, 'amount', leg.amount) order by a.code::text) as legs
    from journals j {LEGS} join accounts a on a.id = leg.account_id where j.id = posted_journal.id
) posted on true
where d.status = 'EXECUTED'
  and (planned.legs is distinct from posted.legs
       or (d.plan -> 'amounts' ->> 'release')::bigint <> d.release_minor
       or (d.plan -> 'amounts' ->> 'refund')::bigint <> d.refund_minor)
order by d.id
"""
ENDED_WITH_MONEY = f"""
select o.milestone_id, m.status, o.currency, o.held_minor as order_holds, coalesce(b.balance, 0) as ledger_holds
from payment_orders o join milestones m on m.id = o.milestone_id {ON_ACCOUNT.format(line="held")}
where m.status in ('COMPLETED', 'REFUNDED', 'CANCELED') and (o.held_minor <> 0 or coalesce(b.balance, 0) <> 0)
order by o.milestone_id
"""
ONE_ROAD = """
select 'refund' as debt, f.id, f.status, 'sent from our bank, return ' || r.id as second_road, r.proposed_at as since
from refund_returns r join refunds f on f.id = r.refund_id
where r.status = 'PROPOSED' and f.status not in ('FAILED', 'CANCELED')
union all
select 'payout', p.id, p.status, 'offered to the payee, offer ' || o.id, o.offered_at
from payout_offers o join payouts p on p.id = o.payout_id
where o.status = 'OPEN' and p.status <> 'ADMINISTRATIVE_REVIEW'
union all
select 'duplicate', d.id, d.status, 'another refund under way, call ' || c.id, c.created_at
from duplicate_payments d
join outgoing_operations c on c.kind = 'REFUND' and c.milestone_id = d.milestone_id and c.id <> d.operation_id
 and c.payload ->> 'payment_intent' = d.stripe_payment_intent and c.status in ('QUEUED', 'SENDING', 'BLOCKED')
union all
select 'receivable', w.party_id, 'owes less', string_agg(w.road, ' and '), min(w.since)
from (
    select target_id as party_id, currency, amount_minor, 'proposed as paid, S-' || id as road, proposed_at as since
    from suspense_items where status = 'OPEN' and proposed_as = 'PAYEE_DEBT'
    union all
    select party_id, currency, amount_minor, 'reversed, call ' || id, created_at
    from outgoing_operations where kind = 'REVERSAL' and status in ('QUEUED', 'SENDING', 'BLOCKED', 'REVIEW')
) w
left join account_balances b on b.code = 'receivable_payee:' || w.party_id and b.currency = w.currency
group by w.party_id, w.currency, b.balance having sum(w.amount_minor) > coalesce(b.balance, 0)
"""
NAMELESS = """
select id as operation_id, key, kind from outgoing_operations
where status = 'SUCCEEDED' and coalesce(provider_id, '') = '' order by id
"""


def wrong_states(session: Session) -> Rows:
    """Orders whose stored state differs from the one derived from their amounts and flags."""
    columns = ", ".join(f"o.{place}_minor as {place}" for place in PLACES)
    shapes = session.execute(
        text(
            "with shapes as (select min(milestone_id) as first, count(*) as orders from payment_orders "
            f"group by {SHAPE}) "
            f"select o.milestone_id, shapes.orders, o.currency, o.state, {', '.join(FLAGS)}, {columns} "
            "from shapes join payment_orders o on o.milestone_id = shapes.first order by o.milestone_id"
        )
    ).mappings()
    wrong = []
    for row in shapes:
        derived = _derived(dict(row))
        if derived != row["state"]:
            first, orders = row["milestone_id"], row["orders"]
            wrong.append(
                {"milestone_id": first, "orders": orders, "stored": row["state"], "derived": derived}
            )
    return wrong


def _derived(row: dict[str, Any]) -> str:
    try:
        amounts = Amounts(**{place: Money(row[place], row["currency"]) for place in PLACES})
    except AmountsDisagree as disagreement:
        return disagreement.message
    return payment_states.derive(amounts, **{flag: row[flag] for flag in FLAGS}).value


def other_words(session: Session) -> Rows:
    """Rows whose content differs from the hashes in their audit entries."""
    return [
        {"what": other.words, "how": other.how, "entry": other.entry}
        for other in content_comparison.compare(session)[0]
    ]
