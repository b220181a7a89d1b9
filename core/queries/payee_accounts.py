"""Payees' Stripe accounts as last read, and what the rules ask about them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.records import BankChange, Party, PayeeAccount
from core.rules import holds, payee_accounts
from core.rules.payee_accounts import AccountFacts
from core.rules.refusal_reasons import Block


def facts(session: Session, party_ids: Collection[int]) -> dict[int, AccountFacts]:
    """Of the payees whose account was read."""
    rows = session.scalars(select(PayeeAccount).where(PayeeAccount.party_id.in_(party_ids)))
    waits = new_banks(session, party_ids)
    return {row.party_id: of(row, waits.get(row.party_id, {})) for row in rows}


def new_banks(session: Session, party_ids: Collection[int]) -> dict[int, dict[str, datetime]]:
    """Until when payouts in a currency wait because the bank account was replaced; only currencies that do."""
    until = func.max(BankChange.held_until).label("until")
    found = session.execute(
        select(BankChange.party_id, BankChange.currency, until)
        .where(BankChange.party_id.in_(party_ids), BankChange.ended_at.is_(None))
        .group_by(BankChange.party_id, BankChange.currency)
    )
    waits: dict[int, dict[str, datetime]] = {}
    for row in found:
        waits.setdefault(row.party_id, {})[row.currency] = row.until
    return waits


def of(row: PayeeAccount, waits: Mapping[str, datetime] = MappingProxyType({})) -> AccountFacts:
    """What the rules ask about a payee's account; `waits`: until when a new bank is not paid to, by currency."""
    return AccountFacts(
        new_banks=waits,
        can_be_paid=row.can_be_paid,
        disabled_reason=row.disabled_reason,
        past_due=tuple(row.past_due),
        currently_due=tuple(row.currently_due),
        due_at=row.due_at,
        banks=frozenset(currency for currency, bank in row.banks.items() if bank["usable"]),
    )


def blocking(session: Session, payee: Party, currency: str) -> tuple[Block, ...]:
    """What blocks money in this currency on its way to the payee's bank, concerning this payee."""
    if payee.stripe_account is None:
        return (holds.NO_ACCOUNT,)
    return payee_accounts.blocking(facts(session, [payee.id]).get(payee.id), currency)


@dataclass(frozen=True)
class PayeeAccountView:
    """A payee's account as staff see it: `trouble` in words where they cannot be paid, `due` in words, `banks` by
    currency, with until when payouts to a new one wait; `changes` of the bank, newest first."""

    trouble: str | None
    due: tuple[str, ...]
    due_at: datetime | None
    banks: tuple[str, ...]
    waits_until: datetime | None
    changes: tuple[BankChangeRow, ...]
    read_at: datetime


@dataclass(frozen=True)
class BankChangeRow:
    at: datetime
    currency: str
    before: str
    after: str
    held_until: datetime


def shown(session: Session, party_id: int) -> PayeeAccountView | None:
    """None where it was never read, or there is none."""
    row = session.get(PayeeAccount, party_id)
    if row is None:
        return None
    waits = new_banks(session, [party_id]).get(party_id, {})
    changes = session.scalars(
        select(BankChange).where(BankChange.party_id == party_id).order_by(BankChange.id.desc())
    )
    return PayeeAccountView(
        trouble=None if row.can_be_paid else payee_accounts.reason(of(row)),
        due=tuple(payee_accounts.in_words([*row.past_due, *row.currently_due])),
        due_at=row.due_at,
        banks=tuple(
            f"{currency} ending in {bank['last4']}" + ("" if bank["usable"] else " (not usable)")
            for currency, bank in sorted(row.banks.items())
        ),
        waits_until=max(waits.values(), default=None),
        changes=tuple(
            BankChangeRow(each.at, each.currency, each.before_last4, each.after_last4, each.held_until)
            for each in changes
        ),
        read_at=row.read_at,
    )
