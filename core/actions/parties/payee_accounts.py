"""A payee's account at the provider: what was read of it is kept, and what waited for it goes on.

The account is read, never an event (`core.processes.payee_accounts`), and an older reading changes nothing.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit, outbox
from core.actions.parties import bank_changes
from core.audit.actions import AuditAction
from core.gateways.payments import PayeeAccountSnapshot
from core.queries import payee_accounts
from core.records import Party, PayeeAccount
from core.rules import payee_accounts as rules
from core.rules.payee_accounts import Transfers
from core.rules.permissions import SYSTEM, Actor

READ = (
    "transfers",
    "payouts_enabled",
    "details_submitted",
    "currently_due",
    "past_due",
    "pending_verification",
    "disabled_reason",
    "due_at",
)


def follow(session: Session, account: PayeeAccountSnapshot, *, asked_at: datetime, now: datetime) -> bool:
    """Keep what the provider said when it was asked at `asked_at`; False for an account of nobody here.

    What the payee is owed goes on by itself once they can be paid (payment-escrow-rules, Release Rules).
    """
    party = session.scalars(
        select(Party).where(Party.stripe_account == account.id).with_for_update(key_share=True)
    ).one_or_none()
    if party is None:
        return False
    row = session.get(PayeeAccount, party.id, populate_existing=True)
    if row is not None and row.read_at > asked_at:
        return True
    before = _said(row) if row is not None else {}
    banks = row.banks if row is not None else {}
    if row is None:
        row = PayeeAccount(party_id=party.id, account=account.id)
        session.add(row)
    read = _read(account, banks)
    if banks:
        bank_changes.hold(session, party, before=banks, after=read["banks"], at=asked_at, now=now)
    for name, value in read.items():
        setattr(row, name, value)
    row.account, row.read_at = account.id, asked_at
    session.flush()
    after = _said(row)
    if before == after:
        return True
    changed = sorted(name for name in after if before.get(name) != after[name])
    audit.record(
        session,
        SYSTEM,
        AuditAction.PAYEE_ACCOUNT_FOLLOW.by("system"),
        object_kind="party",
        object_id=party.id,
        now=now,
        before={name: before.get(name) for name in changed},
        after={name: after[name] for name in changed},
    )
    outbox.wake_party(session, party.id, now=now)
    return True


def linked(session: Session, party_id: int, *, update: bool, now: datetime) -> None:
    """The log has that a link was made for this payee, and not the link."""
    audit.record(
        session,
        Actor("party", party_id),
        AuditAction.PAYEE_ACCOUNT_LINK.by("party"),
        object_kind="party",
        object_id=party_id,
        now=now,
        after={"type": "update" if update else "onboarding"},
    )


def require_taken(session: Session, payee: Party, currency: str) -> None:
    """Raises `CurrencyNotTaken` where the payee's banks are known and none takes this currency."""
    known = payee_accounts.facts(session, [payee.id]).get(payee.id)
    rules.require_taken(known, currency, party=payee.external_id)


def _read(account: PayeeAccountSnapshot, banks: dict[str, Any]) -> dict[str, Any]:
    gone = {currency: {**bank, "usable": False} for currency, bank in banks.items()}
    now = {
        each.currency: {"id": each.id, "called": each.called, "last4": each.last4, "usable": each.usable}
        for each in account.banks
    }
    return {
        "transfers": _capability(account.transfers),
        "payouts_enabled": account.payouts_enabled,
        "details_submitted": account.details_submitted,
        "currently_due": list(account.currently_due),
        "past_due": list(account.past_due),
        "pending_verification": list(account.pending_verification),
        "disabled_reason": account.disabled_reason,
        "due_at": account.due_at,
        "banks": {**gone, **now},
    }


def _capability(told: str) -> Transfers:
    """A state that Stripe adds one day is none in which it may be paid."""
    return Transfers(told) if told in set(Transfers) else Transfers.INACTIVE


def _said(row: PayeeAccount) -> dict[str, Any]:
    """As the log may have it: which bank it is stays out."""
    banks = {currency: bank["usable"] for currency, bank in row.banks.items()}
    return {**{name: getattr(row, name) for name in READ}, "banks": banks}
