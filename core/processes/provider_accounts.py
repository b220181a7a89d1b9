"""A payer's customer and a payee's connected account at the payment provider."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from hashlib import sha256
from secrets import token_hex
from typing import Any

from sqlalchemy.orm import Session

from core import audit
from core.actions.milestones import parties
from core.actions.operations.operation_keys import idempotency_key, operation_key
from core.actions.parties import details, payee_accounts, payment_method_setups
from core.audit.actions import AuditAction
from core.desk import Desk
from core.gateways.payments import DEBITS, AccountLinkSnapshot, MethodSnapshot, SetupSnapshot
from core.processes import payee_accounts as payee_accounts_process
from core.records import Party
from core.rules.parties import PartyRole
from core.rules.permissions import SYSTEM, Actor

KEPT = ("stripe_customer", "payment_method", "stripe_account", "account_currency", "bank_token_sha256")


def open_at_provider(
    desk: Desk,
    party_id: int,
    *,
    currency: str,
    payment_method: str | None = None,
    bank_token: str | None = None,
) -> None:
    """Give a payer a customer and a payee a connected account at the provider; once, however often it is called.

    What is asked for is part of the key: after a refusal it can be asked for with another bank. So is the hour: the
    provider repeats its own faults under a key for a day. What an answer that was lost may leave behind is an account
    that nobody ever uses. Raises `AccountKnownOtherwise` when another card, bank or currency is stored, and
    `MandateRequired` for a payer's bank account.
    """
    with desk.database.reading() as session:
        party = session.get_one(Party, party_id)
        op = operation_key(session, "party", party_id)
    parties.require_same(party, currency=currency, payment_method=payment_method, bank_token=bank_token)
    told: MethodSnapshot | None = None
    if party.role == PartyRole.PAYER and party.payment_method is None and payment_method is not None:
        told = _chargeable(desk, party, payment_method)
    asked = f"{party.name}\n{party.email}\n{party.country}\n{currency}\n{bank_token}"
    hour = int(desk.clock().timestamp()) // 3600
    key = f"{idempotency_key(op, 1)}.{sha256(asked.encode()).hexdigest()[:12]}.{hour}"
    if party.role == PartyRole.PAYER and party.stripe_customer is None:
        customer = desk.payments.create_customer(op, key, name=party.name, email=party.email)
        desk.database.run(
            lambda session: _know(
                session,
                party_id,
                now=desk.clock(),
                customer=customer.id,
                method=payment_method,
                told=told,
            )
        )
    elif party.role == PartyRole.PAYER and party.payment_method is None and payment_method is not None:
        desk.database.run(
            lambda session: _know(session, party_id, now=desk.clock(), method=payment_method, told=told)
        )
    if party.role == PartyRole.PAYEE and party.stripe_account is None:
        asked_at = desk.clock()
        account = desk.payments.create_payee_account(
            op, key, email=party.email, country=party.country, currency=currency, bank_token=bank_token
        )
        given = (currency, parties.digest(bank_token))

        def know(session: Session) -> None:
            _know(session, party_id, now=desk.clock(), account=account.id, given=given)
            payee_accounts.follow(session, account, asked_at=asked_at, now=desk.clock())

        desk.database.run(know)
        desk.database.run(lambda session: parties.withdraw_what_waited(session, party_id, now=desk.clock()))


def account_link(
    desk: Desk, party_id: int, *, update: bool, refresh_url: str, return_url: str
) -> AccountLinkSnapshot:
    """Where a payee gives the provider what it still needs. Each is another one: a key is never used again, or the
    provider would repeat a link that was visited. Raises `NotForThisRole`, `NoAccountYet`."""
    with desk.database.reading() as session:
        party = session.get_one(Party, party_id)
        op = operation_key(session, "party", party_id)
    parties.require_payee(party)
    if party.stripe_account is None:
        raise parties.NoAccountYet(party=party.external_id)
    link = desk.payments.account_link(
        f"{op}.link.{token_hex(8)}",
        account=party.stripe_account,
        update=update,
        refresh_url=refresh_url,
        return_url=return_url,
    )
    desk.database.run(
        lambda session: payee_accounts.linked(session, party_id, update=update, now=desk.clock())
    )
    return link


def replace_bank(desk: Desk, party_id: int, *, asked_as: str, bank_token: str) -> None:
    """Another bank account in the place of a payee's. What is known of it is read afterwards, because the provider
    repeats its first answer to a key; `asked_as` names the request. Raises `NotForThisRole`, `NoAccountYet`.

    Payouts to it wait (`core.actions.parties.bank_changes`); what waits already goes there when it goes.
    """
    party, op = _known(desk, party_id)
    parties.require_payee(party)
    if party.stripe_account is None:
        raise parties.NoAccountYet(party=party.external_id)
    key = _once(desk, op, "bank", asked_as)
    desk.payments.replace_bank(op, key, account=party.stripe_account, bank_token=bank_token)
    payee_accounts_process.read(desk, party.stripe_account)
    desk.database.run(
        lambda session: _know(session, party_id, now=desk.clock(), bank=parties.digest(bank_token))
    )


def replace_payment_method(
    desk: Desk, actor: Actor, party_id: int, *, asked_as: str, payment_method: str
) -> None:
    """What a payer pays with from now on. Raises `NotForThisRole`, `NoAccountYet`, `MandateRequired`."""
    party, op = _known(desk, party_id)
    parties.require_fitting(party, payment_method=payment_method, bank_token=None)
    if party.stripe_customer is None:
        raise parties.NoAccountYet(party=party.external_id)
    told = _chargeable(desk, party, payment_method)
    key = _once(desk, op, "method", asked_as)
    method = desk.payments.attach(key, customer=party.stripe_customer, payment_method=payment_method)
    wanted = {"payment_method": method}
    desk.database.run(
        lambda session: details.change(
            session, actor, now=desk.clock(), party_id=party_id, wanted=wanted, method=told
        )
    )


def _chargeable(desk: Desk, party: Party, payment_method: str) -> MethodSnapshot | None:
    """What it is, as the provider says. A bank account is debited only where the payer agreed to it, when it was saved
    for them: perhaps just now, and nobody has told the desk. What the provider does not say is left to the charge.
    Raises `MandateRequired`, and `ProviderRefused` for a method that the provider does not know."""
    told = desk.payments.method(payment_method)
    if told is None or told.kind not in DEBITS:
        return told
    with desk.database.reading() as session:
        unfinished = payment_method_setups.unfinished(session, party.id)
    for each in unfinished:
        setup = desk.payments.set_up_of(each)
        desk.database.run(partial(payment_method_setups.follow, setup=setup, now=desk.clock()))
    with desk.database.reading() as session:
        payment_method_setups.require_saved(session, party, payment_method, kind=told.kind)
    return told


def tell_contact(desk: Desk, party_id: int, wanted: Mapping[str, Any], *, asked_as: str) -> None:
    """A new name or address is told to the provider before it is kept here: what it refuses is kept nowhere."""
    party, op = _known(desk, party_id)
    other = details.require_changeable(party, wanted)
    if not {"name", "email"} & other.keys() or not (party.stripe_customer or party.stripe_account):
        return
    desk.payments.update_contact(
        _once(desk, op, "contact", asked_as),
        customer=party.stripe_customer,
        account=party.stripe_account,
        name=other.get("name", party.name),
        email=other.get("email", party.email),
    )


def _known(desk: Desk, party_id: int) -> tuple[Party, str]:
    with desk.database.reading() as session:
        return session.get_one(Party, party_id), operation_key(session, "party", party_id)


def _once(desk: Desk, op: str, what: str, asked_as: str) -> str:
    """One key for one request of the marketplace; another after an hour, because faults are repeated under a key."""
    hour = int(desk.clock().timestamp()) // 3600
    return f"{op}.{what}.{sha256(asked_as.encode()).hexdigest()[:16]}.{hour}"


def set_up(desk: Desk, party_id: int) -> tuple[int, SetupSnapshot]:
    """Begin to save a payment method of a payer; returns the number that it has here, and how their browser goes on.

    Each is another one, as with links. Raises `NotForThisRole`, `NoAccountYet`.
    """
    party, op = _known(desk, party_id)
    parties.require_fitting(party, payment_method="", bank_token=None)
    if party.stripe_customer is None:
        raise parties.NoAccountYet(party=party.external_id)
    made = desk.payments.set_up(op, f"{op}.set-up.{token_hex(8)}", customer=party.stripe_customer)
    number = desk.database.run(
        lambda session: payment_method_setups.begun(session, party_id, made, now=desk.clock()).id
    )
    return number, made


def _know(
    session: Session,
    party_id: int,
    *,
    now: datetime,
    customer: str | None = None,
    method: str | None = None,
    told: MethodSnapshot | None = None,
    account: str | None = None,
    given: tuple[str, str | None] | None = None,
    bank: str | None = None,
) -> None:
    """Keep what the provider knows a party by; the log says which fields that is, and what the provider calls them."""
    party = session.get_one(Party, party_id, with_for_update=True)
    before = {field: getattr(party, field) for field in KEPT}
    party.stripe_customer = customer or party.stripe_customer
    if method is not None:
        party.payment_method = method
        details.describe_method(party, told)
    party.stripe_account = party.stripe_account or account
    if given is not None:
        party.account_currency, party.bank_token_sha256 = given
    party.bank_token_sha256 = bank or party.bank_token_sha256
    fields = [field for field in KEPT if getattr(party, field) != before[field]]
    if not fields:
        return
    session.flush()
    audit.record(
        session,
        SYSTEM,
        AuditAction.PARTY_STORE_ACCOUNT.by("system"),
        object_kind="party",
        object_id=party_id,
        now=now,
        after={"fields": fields, "customer": party.stripe_customer, "account": party.stripe_account},
    )
