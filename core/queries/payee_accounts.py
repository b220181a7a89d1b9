"""Payees' Stripe accounts as last read, and what the rules ask about them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core.records import BankChange, Party, PayeeAccount
from core.rules import holds, payee_accounts
from core.rules.payee_accounts import AccountFacts, BankWait
from core.rules.refusal_reasons import Block


def facts(session: Session, party_ids: Collection[int]) -> dict[int, AccountFacts]:
    """Of the payees whose account was read."""
    if not party_ids:
        return {}
    rows = session.scalars(select(PayeeAccount).where(PayeeAccount.party_id.in_(party_ids)))
    waits = new_banks(session, party_ids)
    return {row.party_id: of(row, waits.get(row.party_id, {})) for row in rows}


NEW_BANKS = text(
    """
    select party_id, currency, bool_or(refused) as refused,
           case when bool_or(asked) then null else max(held_until) filter (where ended_at is null) end as until
    from (
        select c.party_id, c.currency, c.held_until, c.ended_at, now_there and c.refused_at is not null as refused,
               now_there and exists (
                   select from bank_change_proposals p where p.bank_change_id = c.id and p.status = 'PROPOSED'
                   and p.decision <> 'ACCEPT') as asked
        from bank_changes c join payee_accounts a on a.party_id = c.party_id,
             lateral (select coalesce(a.banks -> c.currency ->> 'id' = c.after_bank, false) as now_there) there
        where c.party_id = any(:parties) and (c.refused_at is not null or not exists (
            select from bank_changes other join bank_change_proposals p on p.bank_change_id = other.id
            where other.party_id = c.party_id and other.currency = c.currency and other.id <> c.id
            and other.after_bank = a.banks -> c.currency ->> 'id' and other.refused_at is null
            and p.decision = 'ACCEPT' and p.status = 'DONE' and p.settled_at >= c.at  -- by two who knew of this one
        ))
    ) each
    where ended_at is null or refused or asked
    group by party_id, currency
    """
)


def new_banks(session: Session, party_ids: Collection[int]) -> dict[int, dict[str, BankWait]]:
    """Why payouts in a currency wait because the bank account was replaced; only currencies that do."""
    waits: dict[int, dict[str, BankWait]] = {}
    for row in session.execute(NEW_BANKS, {"parties": list(party_ids)}):
        wait = BankWait(None if row.refused else row.until, refused=row.refused)
        waits.setdefault(row.party_id, {})[row.currency] = wait
    return waits


def of(row: PayeeAccount, waits: Mapping[str, BankWait] = MappingProxyType({})) -> AccountFacts:
    """What the rules ask about a payee's account; `waits`: why a new bank account is not paid to, by currency."""
    return AccountFacts(
        new_banks=waits,
        can_be_paid=row.can_be_paid,
        disabled_reason=row.disabled_reason,
        past_due=tuple(row.past_due),
        currently_due=tuple(row.currently_due),
        due_at=row.due_at,
        banks=frozenset(currency for currency, bank in row.banks.items() if bank["usable"]),
        unusable=frozenset(currency for currency, bank in row.banks.items() if not bank["usable"]),
    )


def blocking(session: Session, payee: Party, currency: str) -> tuple[Block, ...]:
    """What blocks money in this currency on its way to the payee's bank, concerning this payee."""
    if payee.stripe_account is None:
        return (holds.NO_ACCOUNT,)
    return payee_accounts.blocking(facts(session, [payee.id]).get(payee.id), currency)


@dataclass(frozen=True)
class PayeeAccountView:
    """A payee's account as staff see it: `trouble` in words where they cannot be paid, `due` in words, `banks` by
    currency, with until when payouts to a new one wait, and in which currencies it was refused; `changes` of the bank,
    newest first."""

    trouble: str | None
    due: tuple[str, ...]
    due_at: datetime | None
    banks: tuple[str, ...]
    waits_until: datetime | None
    refused: tuple[str, ...]
    changes: tuple[PayeeBankChange, ...]
    read_at: datetime


@dataclass(frozen=True)
class PayeeBankChange:
    """`waits_until`: when payouts to the new account go on, or when two people ended the wait."""

    id: int
    at: datetime
    currency: str
    before: str | None
    after: str
    waits_until: datetime


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
        waits_until=max((each.until for each in waits.values() if each.until), default=None),
        refused=tuple(currency for currency, each in sorted(waits.items()) if each.refused),
        changes=tuple(
            PayeeBankChange(
                each.id,
                each.at,
                each.currency,
                each.before_last4,
                each.after_last4,
                each.ended_at or each.held_until,
            )
            for each in changes
        ),
        read_at=row.read_at,
    )
