"""The platform's own bank accounts, one for each currency, as the ledger has one account `bank` for each."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit
from core.audit.actions import AuditAction
from core.errors import DeskError, NotFound
from core.money import CURRENCIES, UnknownCurrency
from core.records import BankAccount
from core.rules import file_names, permissions
from core.rules.bank_statements import CODE, IDENTIFIER, STRIPE, plain
from core.rules.permissions import Actor, Permission

LONGEST_NAME = 120


class BankAccountUnfit(DeskError):
    """The bank account cannot be kept: {what}."""


class BankAccountTaken(DeskError):
    """There is a bank account {code} in {currency} already, and there is one for each currency: the ledger has one
    account “bank” for each. Correct that one if its name or number is wrong."""


def register(
    session: Session, actor: Actor, *, now: datetime, code: str, name: str, currency: str, identifier: str
) -> BankAccount:
    """Raises `NotPermitted`, `BankAccountUnfit`, `BankAccountTaken`, `UnknownCurrency`."""
    permissions.require(actor, Permission.IMPORT_STATEMENTS)
    if currency not in CURRENCIES:
        raise UnknownCurrency(currency=currency)
    if not CODE.fullmatch(code) or code == STRIPE:
        what = "its code has lower-case characters (a–z), digits and hyphens only, at most 40, and is not “stripe”"
        raise BankAccountUnfit(what=what)
    there = select(BankAccount).where((BankAccount.code == code) | (BankAccount.currency == currency))
    if (known := session.scalars(there.limit(1)).first()) is not None:
        raise BankAccountTaken(code=known.code, currency=known.currency)
    account = BankAccount(
        code=code,
        name=_name(name),
        currency=currency,
        identifier=_identifier(identifier),
        opened_by=actor.id if actor.kind == "staff" else None,
        opened_at=now,
    )
    session.add(account)
    session.flush()
    _record(session, actor, AuditAction.BANK_ACCOUNT_REGISTER, account, now=now)
    return account


def correct(
    session: Session, actor: Actor, *, now: datetime, code: str, name: str | None, identifier: str | None
) -> BankAccount:
    """Another name or number for the same account; None leaves it. Raises `NotPermitted`, `NotFound`."""
    permissions.require(actor, Permission.IMPORT_STATEMENTS)
    account = named(session, code, to_change=True)
    if name is not None:
        account.name = _name(name)
    if identifier is not None:
        account.identifier = _identifier(identifier)
    session.flush()
    _record(session, actor, AuditAction.BANK_ACCOUNT_CORRECT, account, now=now)
    return account


def named(session: Session, code: str, *, to_change: bool = False) -> BankAccount:
    """Raises `NotFound`."""
    wanted = select(BankAccount).where(BankAccount.code == code)
    found = session.scalars(wanted.with_for_update() if to_change else wanted).one_or_none()
    if found is None:
        raise NotFound(kind="bank account", id=f"“{code[:40]}”")
    return found


def _name(name: str) -> str:
    found = file_names.words(name, longest=LONGEST_NAME)
    if not found:
        raise BankAccountUnfit(what="give it a name")
    return found


def _identifier(identifier: str) -> str:
    found = plain(identifier)
    if not IDENTIFIER.fullmatch(found):
        raise BankAccountUnfit(what="its IBAN or account number has 4 to 40 letters and digits")
    return found


def _record(
    session: Session, actor: Actor, action: AuditAction, account: BankAccount, *, now: datetime
) -> None:
    audit.record(
        session,
        actor,
        action.by("finance" if actor.kind == "staff" else actor.kind),
        object_kind="bank_account",
        object_id=account.id,
        now=now,
        after={"code": account.code, "currency": account.currency},
        contents=[account],
    )
