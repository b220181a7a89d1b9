"""A payer's customer and a payee's connected account at the payment provider."""

from __future__ import annotations

from hashlib import sha256
from secrets import token_hex

from sqlalchemy.orm import Session

from core.actions.milestones import parties
from core.actions.operations.operation_keys import idempotency_key, operation_key
from core.actions.parties import payee_accounts
from core.desk import Desk
from core.gateways.payments import AccountLinkSnapshot
from core.records import Party
from core.rules.parties import PartyRole


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
    that nobody ever uses. Raises `AccountKnownOtherwise` when another card, bank or currency is stored.
    """
    with desk.database.reading() as session:
        party = session.get_one(Party, party_id)
        op = operation_key(session, "party", party_id)
    parties.require_same(party, currency=currency, payment_method=payment_method, bank_token=bank_token)
    asked = f"{party.name}\n{party.email}\n{party.country}\n{currency}\n{bank_token}"
    hour = int(desk.clock().timestamp()) // 3600
    key = f"{idempotency_key(op, 1)}.{sha256(asked.encode()).hexdigest()[:12]}.{hour}"
    if party.role == PartyRole.PAYER and party.stripe_customer is None:
        customer = desk.payments.create_customer(op, key, name=party.name, email=party.email)
        desk.database.run(
            lambda session: _know(session, party_id, customer=customer.id, method=payment_method)
        )
    elif party.role == PartyRole.PAYER and party.payment_method is None and payment_method is not None:
        desk.database.run(lambda session: _know(session, party_id, method=payment_method))
    if party.role == PartyRole.PAYEE and party.stripe_account is None:
        asked_at = desk.clock()
        account = desk.payments.create_payee_account(
            op, key, email=party.email, country=party.country, currency=currency, bank_token=bank_token
        )
        given = (currency, parties.digest(bank_token))

        def know(session: Session) -> None:
            _know(session, party_id, account=account.id, given=given)
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


def _know(
    session: Session,
    party_id: int,
    *,
    customer: str | None = None,
    method: str | None = None,
    account: str | None = None,
    given: tuple[str, str | None] | None = None,
) -> None:
    party = session.get_one(Party, party_id, with_for_update=True)
    party.stripe_customer = customer or party.stripe_customer
    party.payment_method = method or party.payment_method
    party.stripe_account = party.stripe_account or account
    if given is not None:
        party.account_currency, party.bank_token_sha256 = given
