"""In which currencies the platform's Stripe account settles, known before anybody promises or pays.

Stripe converts what is paid in a currency that the account does not settle in, at the rate of the day; what the desk
holds would then lie at Stripe in another currency than it is owed in. So such a payment is refused before it is agreed.
What is settled in is read from Stripe. A charge that Stripe converted all the same outweighs what is read, until a
person says that it is settled in again.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core import audit
from core.audit.actions import AuditAction
from core.errors import DeskError, Wording
from core.money import CURRENCIES, UnknownCurrency
from core.records import SettlementCurrency
from core.rules import permissions
from core.rules.permissions import SYSTEM, Actor, Permission
from core.rules.settlement_currency import KnownFrom

EVERY = timedelta(hours=1)


class CurrencyNotSettled(DeskError):
    """{currency} cannot be paid here: the platform does not settle in it, so the payment would be converted at a rate
    that nobody agreed to. Agree on {others}."""


class SettlementUnknown(DeskError, tells=("currency",)):
    """In which currencies the platform settles is not known yet: the desk has not read it from Stripe. Try again in a
    minute."""


def require(session: Session, currency: str) -> None:
    """May a payment in this currency be promised or taken? Raises `CurrencyNotSettled`, `SettlementUnknown`."""
    known = {row.currency: row.settles for row in session.scalars(select(SettlementCurrency))}
    if not known:
        raise SettlementUnknown(currency=currency)
    if not known.get(currency, False):
        others = sorted(each for each, settles in known.items() if settles)
        raise CurrencyNotSettled(
            currency=currency, others=Wording(" or ".join(others) or "another currency", list(others))
        )


def is_due(session: Session, now: datetime) -> bool:
    """Whether to read the settlement currencies again: never read, or more than an hour ago."""
    looked = [row.at for row in known(session) if row.known_from == KnownFrom.STRIPE]
    return len(known(session)) < len(CURRENCIES) or any(at <= now - EVERY for at in looked)


def record(session: Session, settled: frozenset[str], *, now: datetime) -> None:
    """Keep what was read from Stripe. What a converted charge or a person has said stays."""
    for currency in sorted(CURRENCIES):
        row = session.get(SettlementCurrency, currency, with_for_update=True)
        if row is None or (row.known_from == KnownFrom.STRIPE and row.settles != (currency in settled)):
            _write(
                session, SYSTEM, currency, settles=currency in settled, known_from=KnownFrom.STRIPE, now=now
            )
        elif row.known_from == KnownFrom.STRIPE:
            row.at = now


def converted(session: Session, currency: str, *, now: datetime) -> None:
    """Stripe converted a charge in this currency: no other is promised until a person has looked."""
    row = session.get(SettlementCurrency, currency)
    if row is None or row.settles or row.known_from != KnownFrom.LINE:
        _write(session, SYSTEM, currency, settles=False, known_from=KnownFrom.LINE, now=now)


def confirm(session: Session, actor: Actor, *, now: datetime, currency: str, settles: bool) -> None:
    """A person has looked at the account's settings at Stripe and says what is so. Raises `UnknownCurrency`."""
    permissions.require(actor, Permission.CONFIRM_SETTLEMENT, now)
    if currency not in CURRENCIES:
        raise UnknownCurrency(currency=currency)
    _write(session, actor, currency, settles=settles, known_from=KnownFrom.PERSON, now=now)


def known(session: Session) -> list[SettlementCurrency]:
    """What is known of every currency that Stripe settles, or was asked about."""
    return list(session.scalars(select(SettlementCurrency).order_by(SettlementCurrency.currency)))


def _write(
    session: Session, actor: Actor, currency: str, *, settles: bool, known_from: KnownFrom, now: datetime
) -> None:
    values = {"settles": settles, "known_from": known_from, "at": now}
    session.execute(
        insert(SettlementCurrency)
        .values(currency=currency, **values)
        .on_conflict_do_update(index_elements=["currency"], set_=values)
    )
    audit.record(
        session,
        actor,
        AuditAction.SETTLEMENT_KNOW.by(actor.kind),
        object_kind="installation",
        object_id=1,
        now=now,
        after={"currency": currency, "settles": settles, "known_from": known_from},
    )
