"""The opening entry: what lay on an account of the platform before the desk began to keep its books."""

from __future__ import annotations

from datetime import UTC, date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit
from core.audit.actions import AuditAction
from core.ledger import journal_store, postings
from core.money import Money
from core.records.ledger import journals
from core.rules.permissions import SYSTEM, Actor, Permission, require


def book(session: Session, actor: Actor, *, now: datetime, account: str, amount: Money) -> int:
    """Book it, once for each account and currency, against `opening_balances`; returns the journal's id.

    `amount` is a debit above zero, a credit below it. Raises `JournalKeyReused` for another amount.
    """
    if actor != SYSTEM:  # as the desk is installed
        require(actor, Permission.INSTALL_DESK, now)
    journal = postings.opening_balance(
        key=_key(account, amount.currency), account=account, amount=amount, cause={}
    )
    number = journal_store.post(session, journal, now=now)
    audit.record(
        session,
        actor,
        AuditAction.LEDGER_OPEN_ACCOUNT.by(actor.kind),
        object_kind="journal",
        object_id=number,
        now=now,
        after={"account": account, "amount": amount.as_dict()},
    )
    return number


def opened_on(session: Session, account: str, currency: str) -> date | None:
    """The day, UTC, with which the books of this account begin; None without an opening entry."""
    wanted = select(journals.c.posted_at).where(journals.c.key == _key(account, currency))
    posted_at = session.scalar(wanted)
    return None if posted_at is None else posted_at.astimezone(UTC).date()


def _key(account: str, currency: str) -> str:
    return f"opening.{account}.{currency}"
