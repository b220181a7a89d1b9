"""Client funds: what is owed to others in each currency, and whether Stripe's own balance covers it.

`owed` is from the ledger; `at_stripe` is from Stripe and always says as of when.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core.money import Money, shown_order
from core.queries import ledger
from core.records import PayoutStop, Staff
from core.rules import client_funds
from core.rules.client_funds import Cover, Look

OWED = ("held", "payee_payable", "refund_payable", "deferred_platform_fee", "unapplied_funds")
SUSPECTS = 3  # the largest lines that nobody of the desk asked for
LOOK_BACK = timedelta(days=7)

# A bank that holds a disputed payment holds it instead of Stripe, as far as the desk still owes that money to anybody.
AT_THE_BANK = text(
    """
    select c.booked_currency as currency,
           sum(least(c.taken, o.held_minor + o.payable_minor + o.refundable_minor
                              + case when o.held_minor > 0 then o.platform_fee_minor else 0 end))::bigint as minor
    from (select milestone_id, booked_currency, sum(taken_minor - lost_minor) as taken from chargebacks
          where duplicate_id is null and taken_minor > lost_minor group by 1, 2) c
    join payment_orders o on o.milestone_id = c.milestone_id and o.currency = c.booked_currency
    group by 1
    """
)
# What nobody has explained may be somebody's; what is missing unexplained makes nothing less owed.
UNEXPLAINED = text(
    "select currency, sum(amount_minor)::bigint as minor from suspense_items "
    "where status = 'OPEN' and amount_minor > 0 group by 1"
)
MISSING = text(
    "select currency, -sum(amount_minor)::bigint as minor from suspense_items "
    "where status = 'OPEN' and amount_minor < 0 group by 1"
)
ON_ITS_WAY = text(
    """
    select currency, sum(amount_minor)::bigint as minor from outgoing_operations
    where kind in ('TRANSFER', 'REFUND') and first_sent_at is not null and provider_id is null
      and status in ('QUEUED', 'SENDING', 'BLOCKED', 'REVIEW')
    group by 1
    """
)


@dataclass(frozen=True)
class Suspect:
    """A line that withdrew money from Stripe's balance and that no operation of the desk requested."""

    id: str
    source: str
    kind: str
    amount: Money
    at: datetime


@dataclass(frozen=True)
class Stop:
    """Automatic payouts of this currency wait. `id` is the stop's."""

    id: int
    short: Money
    opened_at: datetime


@dataclass(frozen=True)
class Funds:
    """One currency: its figures, as of which reading, and whether payouts are stopped."""

    currency: str
    cover: Cover
    look: Look | None
    owed_now: Money
    at_banks: Money
    stop: Stop | None
    suspects: tuple[Suspect, ...]


def at_banks(session: Session) -> dict[str, Money]:
    """What payers' banks hold in open chargebacks of the amounts owed, by currency: owed, but not at Stripe."""
    return {row.currency: Money(row.minor, row.currency) for row in session.execute(AT_THE_BANK)}


def in_suspense(session: Session) -> dict[str, Money]:
    """Receipts that nobody has explained, by currency: they may be owed to somebody."""
    return {row.currency: Money(row.minor, row.currency) for row in session.execute(UNEXPLAINED)}


def missing(session: Session) -> dict[str, Money]:
    """Withdrawals that nobody has explained, by currency: they reduce nothing that is owed."""
    return {row.currency: Money(row.minor, row.currency) for row in session.execute(MISSING)}


def owed(session: Session) -> dict[str, Money]:
    """What is owed to payers and payees by currency, by the ledger, less what their banks hold for the moment."""
    total: dict[str, Money] = {}

    def add(currency: str, amount: Money) -> None:
        total[currency] = total.get(currency, Money.zero(currency)) + amount

    for (line, currency), net in ledger.nets(session).items():
        if line in OWED:
            add(currency, -net)
    for currency, amount in in_suspense(session).items():
        add(currency, amount)
    for currency, amount in at_banks(session).items():
        add(currency, -amount)
    return total


def on_its_way(session: Session) -> dict[str, Money]:
    """Operations that were sent and not confirmed: the money may have left already."""
    return {row.currency: Money(row.minor, row.currency) for row in session.execute(ON_ITS_WAY)}


LATEST = text(
    """
    select n.* from currencies c
    cross join lateral (
        select * from stripe_balances where currency = c.code order by looked_at desc, id desc limit 1
    ) n
    """
)


def latest(session: Session) -> dict[str, Look]:
    """The newest reading in each currency."""
    return {
        row.currency: Look(
            at=row.looked_at,
            at_stripe=Money(row.at_stripe_minor, row.currency),
            owed=Money(row.owed_minor, row.currency),
            on_its_way=Money(row.on_its_way_minor, row.currency),
        )
        for row in session.execute(LATEST)
    }


def funds(session: Session, *, now: datetime) -> list[Funds]:
    """Each currency in which something is owed, held by a bank, read or stopped; US dollars first."""
    looks, due, stops = latest(session), owed(session), open_stops(session)
    elsewhere = at_banks(session)
    positive = {each for each, amount in (*due.items(), *elsewhere.items()) if amount.is_positive}
    currencies = positive | looks.keys() | stops.keys()
    found = []
    for currency in sorted(currencies, key=shown_order):
        look = looks.get(currency)
        state = client_funds.cover(look, now=now)
        found.append(
            Funds(
                currency=currency,
                cover=state,
                look=look,
                owed_now=due.get(currency, Money.zero(currency)),
                at_banks=elsewhere.get(currency, Money.zero(currency)),
                stop=stops.get(currency),
                suspects=suspects(session, currency) if state is Cover.SHORT else (),
            )
        )
    return found


def alarming(session: Session, *, now: datetime) -> list[Funds]:
    """The currencies with a shortfall or stopped payouts; two statements while there are none."""
    looks, stops = latest(session), open_stops(session)
    short = {currency for currency, look in looks.items() if look.short.is_positive}
    if not short and not stops:
        return []
    return [each for each in funds(session, now=now) if each.currency in short or each.stop]


def open_stops(session: Session) -> dict[str, Stop]:
    """Why automatic payouts wait, by currency."""
    rows = session.scalars(select(PayoutStop).where(PayoutStop.released_at.is_(None)))
    return {row.currency: Stop(row.id, Money(row.short_minor, row.currency), row.opened_at) for row in rows}


@dataclass(frozen=True)
class Released:
    """A stop that a person has ended, with the reason."""

    id: int
    short: Money
    opened_at: datetime
    released_at: datetime
    released_by: str
    reason: str


def released(session: Session, *, limit: int | None = 20) -> list[Released]:
    """The newest stops that have ended; all of them with `limit=None`."""
    rows = session.execute(
        select(PayoutStop, Staff.name)
        .join(Staff, Staff.id == PayoutStop.released_by)
        .where(PayoutStop.released_at.is_not(None))
        .order_by(PayoutStop.id.desc())
        .limit(limit)
    )
    return [
        Released(
            id=row.id,
            short=Money(row.short_minor, row.currency),
            opened_at=row.opened_at,
            released_at=row.released_at,
            released_by=name,
            reason=row.reason or "",
        )
        for row, name in rows
        if row.released_at is not None
    ]


def suspects(session: Session, currency: str) -> tuple[Suspect, ...]:
    """The largest lines that the desk did not request since the last covered reading, at most a week back."""
    rows = session.execute(SUSPECT_LINES, {"currency": currency, "most": SUSPECTS, "back": LOOK_BACK})
    return tuple(
        Suspect(row.id, row.source, row.kind, Money(-row.net, currency), row.created_at) for row in rows
    )


SUSPECT_LINES = text(
    """
    with newest as (select max(created_at) - :back as since from statement_lines),
    covered as (
        select max(looked_at) - interval '1 hour' as since from stripe_balances, newest
        where currency = :currency and looked_at > newest.since
          and at_stripe_minor >= owed_minor - on_its_way_minor
    )
    select s.id, s.source, s.kind, s.net, s.created_at
    from newest cross join covered
    join statement_lines s on s.currency = :currency and s.net < 0
     and s.created_at > coalesce(covered.since, newest.since)
    left join balance_transactions b on b.id = s.id
    where b.id is null or b.milestone_id is null
    order by s.net limit :most
    """
)
