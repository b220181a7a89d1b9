"""Payees' accounts are read again when the provider says that one changed, and once a day in any case."""

from __future__ import annotations

from functools import partial

import structlog
from sqlalchemy import or_, select

from core.actions.parties import payee_accounts
from core.actions.payouts import replaced_banks
from core.desk import Desk
from core.errors import DeskError
from core.policy.limits import PAYEE_ACCOUNT_READ_EVERY
from core.records import Party, PayeeAccount

log = structlog.get_logger(__name__)

AT_ONCE = 200


def read(desk: Desk, account: str) -> bool:
    """Read one account and keep what it is now; False for an account of nobody here. Raises what the port raises."""
    asked_at = desk.clock()
    found = desk.payments.payee_account(account)
    known = desk.database.run(
        lambda session: payee_accounts.follow(session, found, asked_at=asked_at, now=desk.clock())
    )
    if known:
        _send_what_failed(desk, account)
    return known


def _send_what_failed(desk: Desk, account: str) -> None:
    """Payouts that failed because of a bank account which is another one now, each in a transaction of its own."""
    with desk.database.reading() as session:
        party_id = session.scalars(select(Party.id).where(Party.stripe_account == account)).one()
        failed = replaced_banks.stranded(session, party_id)
    for number in failed:
        desk.database.run(partial(replaced_banks.send_again, payout_id=number, now=desk.clock()))


def read_due(desk: Desk) -> int:
    """Every account that was not read for a day, or never; returns how many were read now."""
    long_ago = desk.clock() - PAYEE_ACCOUNT_READ_EVERY
    with desk.database.reading() as session:
        wanted = (
            select(Party.stripe_account)
            .outerjoin(PayeeAccount, PayeeAccount.party_id == Party.id)
            .where(Party.stripe_account.is_not(None))
            .where(or_(PayeeAccount.read_at.is_(None), PayeeAccount.read_at <= long_ago))
            .order_by(PayeeAccount.read_at.nulls_first(), Party.id)
            .limit(AT_ONCE)
        )
        due = [each for each in session.scalars(wanted) if each is not None]
    return sum(try_to_read(desk, account) for account in due)


def try_to_read(desk: Desk, account: str) -> bool:
    """As `read`; what cannot be read now is looked for again with what is due."""
    try:
        return read(desk, account)
    except DeskError as problem:
        log.warning("payee_account.not_read", account=account, reason=problem.message)
        return False
