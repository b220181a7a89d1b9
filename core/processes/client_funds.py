"""Client funds: Stripe's own balance is read beside what is owed to others.

The balance is read before the ledger, so money that moves in between is never counted as missing.
"""

from __future__ import annotations

import structlog

from core.actions.platform import client_funds
from core.desk import Desk
from core.errors import DeskError
from core.money import Money
from core.processes import reconciliation
from core.queries import client_funds as queries
from core.rules.client_funds import Look
from core.rules.permissions import SYSTEM

log = structlog.get_logger(__name__)


def read_balance(desk: Desk) -> int:
    """Read Stripe's balance and keep what it covers; returns in how many currencies something is missing.

    Before payouts stop, the statement is read as well: what the desk had not heard of yet explains itself, and what is
    left was done at Stripe by hand. Raises what the provider raises, and then nothing is known and nothing is kept.
    """
    looks = _read(desk)
    if desk.database.run(
        lambda session: any(client_funds.would_stop(session, each) for each in looks.values())
    ):
        try:
            reconciliation.run(desk, SYSTEM)
        except DeskError as problem:
            log.warning("client_funds.statement_unread", reason=problem.message)
        looks = _read(desk)
    desk.database.run(lambda session: client_funds.record_looks(session, looks))
    return sum(each.short.is_positive for each in looks.values())


def _read(desk: Desk) -> dict[str, Look]:
    now, at_stripe, available = desk.clock(), desk.payments.balance(), desk.payments.available()
    with desk.database.reading() as session:
        owed, on_its_way = queries.owed(session), queries.on_its_way(session)
    looks = {}
    for currency in owed.keys() | at_stripe.keys():
        nothing = Money.zero(currency)
        looks[currency] = Look(
            at=now,
            at_stripe=at_stripe.get(currency, nothing),
            owed=owed.get(currency, nothing),
            on_its_way=on_its_way.get(currency, nothing),
            available=available.get(currency, nothing),
        )
    return looks
