"""A payee's bank account was replaced, or one in a further currency added: payouts to it wait, and the payee is told
at their earlier addresses too.

Whoever takes over an account changes its address and its bank. So payouts to a new bank account wait for a time set
by policy, whether it was changed here or on Stripe's own pages, and the e-mail also goes to the old address. Staff can
end that time, extend it or refuse the bank account: `core.actions.parties.bank_decisions`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit, notifications, outbox
from core.actions.staff import policy_in_force
from core.audit.actions import AuditAction
from core.policy.limits import OLD_ADDRESS_TOLD_FOR
from core.records import BankChange, Party, PartyChange
from core.rules.parties import PartyField
from core.rules.permissions import SYSTEM

Banks = Mapping[str, Mapping[str, Any]]
NONE: Mapping[str, Any] = {"id": None, "last4": None}


def hold(session: Session, party: Party, *, before: Banks, after: Banks, at: datetime, now: datetime) -> None:
    """Hold payouts to each bank account that differs from the one before, or had none before it, of a payee who had one
    (internal policy)."""
    _, profile = policy_in_force.of(session, party.platform, now)
    for currency in sorted(after):
        old, new = before.get(currency, NONE), after[currency]
        if old["id"] == new["id"]:
            continue
        change = BankChange(
            party_id=party.id,
            currency=currency,
            before_bank=old["id"],
            before_last4=old["last4"],
            after_bank=new["id"],
            after_last4=new["last4"],
            at=at,
            held_until=at + profile.bank_change_hold,
        )
        session.add(change)
        session.flush()
        _note_and_tell(session, party, change, now=now)


def _note_and_tell(session: Session, party: Party, change: BankChange, *, now: datetime) -> None:
    audit.record(
        session,
        SYSTEM,
        AuditAction.BANK_CHANGE.by("system"),
        object_kind="party",
        object_id=party.id,
        now=now,
        after={"bank_change": change.id, "currency": change.currency, "held_until": change.held_until},
    )
    tell(session, party, "bank_changed", change, key=f"bank-change-{change.id}", now=now)


def tell(
    session: Session, party: Party, template: str, change: BankChange, *, key: str, now: datetime
) -> None:
    """Write to the payee about this change, also at their addresses of before: whoever changed it may read the new."""
    for number, address in enumerate((None, *_addresses_before(session, party, now=now))):
        notifications.tell_party(
            session,
            template,
            party=party,
            address=address,
            key=f"{key}-{number}",
            now=now,
            currency=change.currency,
            before=f"ending in {change.before_last4}" if change.before_last4 else None,
            after=f"ending in {change.after_last4}",
            held_until=change.held_until,
        )


def _addresses_before(session: Session, party: Party, *, now: datetime) -> list[str]:
    """The party's e-mail addresses of the recent past."""
    wanted = select(PartyChange.before).where(
        PartyChange.party_id == party.id,
        PartyChange.field == PartyField.EMAIL,
        PartyChange.at > now - OLD_ADDRESS_TOLD_FOR,
    )
    return [
        each
        for each in dict.fromkeys(session.scalars(wanted.order_by(PartyChange.id)))
        if each != party.email
    ]


def end(session: Session, change_id: int, *, now: datetime) -> bool:
    """The waiting time is over, and payouts continue. Returns whether it was."""
    change = session.get_one(BankChange, change_id)
    change.ended_at = now
    session.flush()
    audit.record(
        session,
        SYSTEM,
        AuditAction.BANK_CHANGE_END.by("system"),
        object_kind="party",
        object_id=change.party_id,
        now=now,
        after={"bank_change": change.id, "currency": change.currency},
    )
    outbox.wake_party(session, change.party_id, now=now)
    return True
