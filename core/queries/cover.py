"""Covered or short, by currency: what is owed to others beside Stripe's figure and the bank's, and since yesterday."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.money import Money, shown_order
from core.queries.client_funds import OWED, Funds
from core.queries.movements import FIRST, LAST, Period, moved
from core.rules.client_funds import Cover, Look

# The bank's own figure: the last closing balance of each account; it is as old as the oldest of them.
AT_BANK = text(
    """
    select a.currency, sum(n.closing_minor)::bigint as minor, min(n.last_on) as until
    from bank_accounts a
    cross join lateral (
        select closing_minor, last_on from bank_statements where account_id = a.id
        order by last_on desc, id desc limit 1
    ) n
    group by 1
    """
)


@dataclass(frozen=True)
class Position:
    """One currency. `owed` is the ledger's; `look` Stripe's own figure and when it was read; `at_bank` the bank's, of
    `bank_until`. `since_yesterday`: how client money and deferred fees moved since the last midnight, UTC."""

    currency: str
    cover: Cover
    owed: Money
    look: Look | None
    at_bank: Money | None
    bank_until: date | None
    since_yesterday: Money


def positions(session: Session, funds: Sequence[Funds], *, now: datetime) -> list[Position]:
    """Each currency in which something is owed, is missing, or lies at Stripe or at a bank. `funds`: as
    `client_funds.funds` reads them; two statements more, whatever the number of currencies."""
    banks = {row.currency: row for row in session.execute(AT_BANK)}
    change = _change(session, now.date() - timedelta(days=1))
    known = {each.currency: each for each in funds}
    return [
        Position(
            currency=currency,
            cover=found.cover if found else Cover.UNKNOWN,
            owed=found.owed_now + found.at_banks if found else Money.zero(currency),
            look=found.look if found else None,
            at_bank=Money(bank.minor, currency) if bank else None,
            bank_until=bank.until if bank else None,
            since_yesterday=change.get(currency, Money.zero(currency)),
        )
        for currency in sorted(known.keys() | banks.keys(), key=shown_order)
        for found, bank in [(known.get(currency), banks.get(currency))]
        if bank or (found and _says(found))
    ]


def _says(funds: Funds) -> bool:
    """Whether there is anything but zeros."""
    read = funds.look is not None and not funds.look.at_stripe.is_zero
    return read or funds.cover is Cover.SHORT or not (funds.owed_now + funds.at_banks).is_zero


def _change(session: Session, yesterday: date) -> dict[str, Money]:
    today, before = moved(session, [Period(FIRST, LAST), Period(FIRST, yesterday)])
    found: dict[str, Money] = {}
    for sign, each in ((-1, today), (1, before)):
        for (line, currency), side in each.items():
            if line in OWED:
                found[currency] = found.get(currency, Money.zero(currency)) + Money(sign * side.net, currency)
    return found
