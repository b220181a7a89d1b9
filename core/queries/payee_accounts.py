"""Payees' accounts at the payment provider, as they were read last: what the rules ask about them."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.records import Party, PayeeAccount
from core.rules import holds, payee_accounts
from core.rules.payee_accounts import AccountFacts
from core.rules.refusal_reasons import Block


def facts(session: Session, party_ids: Collection[int]) -> dict[int, AccountFacts]:
    """Of those whose account was read."""
    rows = session.scalars(select(PayeeAccount).where(PayeeAccount.party_id.in_(party_ids)))
    return {row.party_id: of(row) for row in rows}


def of(row: PayeeAccount) -> AccountFacts:
    return AccountFacts(
        can_be_paid=row.can_be_paid,
        disabled_reason=row.disabled_reason,
        past_due=tuple(row.past_due),
        currently_due=tuple(row.currently_due),
        due_at=row.due_at,
        banks=frozenset(currency for currency, bank in row.banks.items() if bank["usable"]),
    )


def blocking(session: Session, payee: Party, currency: str) -> tuple[Block, ...]:
    """What stops money in this currency on its way to the payee's bank, of the payee's own."""
    if payee.stripe_account is None:
        return (holds.NO_ACCOUNT,)
    return payee_accounts.blocking(facts(session, [payee.id]).get(payee.id), currency)
