"""Parties as the marketplace makes them known, and their counterparts at the provider."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit, outbox
from core.actions.debts import receivables
from core.actions.milestones import letters
from core.actions.milestones.milestone_context import open_milestone
from core.actions.payouts import pending_withdrawals, withdrawals
from core.audit.actions import AuditAction
from core.errors import DeskError, Wording, another
from core.policy import WithdrawalMethod
from core.records import Milestone, Party, PaymentOrder, Project
from core.rules import outside_words, payouts
from core.rules.parties import PartyRole, require_not_erased
from core.rules.permissions import SYSTEM, Actor, NotYours, require_party


class AccountKnownOtherwise(DeskError, tells=("fields",)):
    """Party {party} has its account at Stripe with another {what}. What is stored stays and is used.

    Nothing was changed. A bank account and a payment method are replaced at their own addresses.
    """


class NotForThisRole(DeskError, tells=("fields",)):
    """A {role} has no {what}, and it would not be used. Nothing was changed; leave it out."""


class NoAccountYet(DeskError):
    """{party} has no account at Stripe yet. Open it first."""


def require_fitting(party: Party, *, payment_method: str | None, bank_token: str | None) -> None:
    """A payer pays with a card and a payee is paid to a bank; what is for the other is refused, not dropped. Raises
    `NotForThisRole`."""
    given = {PartyRole.PAYER: ("bank token", bank_token), PartyRole.PAYEE: ("payment method", payment_method)}
    field, value = given[party.role]
    if value is not None:
        raise NotForThisRole(
            role=Wording(party.role.lower(), party.role),
            what=field,
            fields=[field.replace(" ", "_")],
        )


def require_payee(party: Party) -> None:
    """Only a payee is paid out to a bank. Raises `NotForThisRole`."""
    if party.role != PartyRole.PAYEE:
        role = Wording(party.role.lower(), party.role)
        raise NotForThisRole(role=role, what="payout account", fields=["party"])


def register(
    session: Session,
    *,
    now: datetime,
    platform: str,
    external_id: str,
    role: str,
    name: str,
    email: str,
    city: str = "",
    country: str = "US",
    withdrawal_method: WithdrawalMethod = WithdrawalMethod.STANDARD,
) -> Party:
    """A payer or payee of a marketplace, by the marketplace's own id; the same id twice is the same party.

    Raises `WordsUnusable`, `AddressUnusable`, `MethodNotSent`, `PartyErased`.
    """
    payouts.require_sent(withdrawal_method)
    before = session.scalars(
        select(Party).where(Party.platform == platform, Party.external_id == external_id)
    ).one_or_none()
    if before is not None:
        require_not_erased(external_id, before.erased_at)
    if before is not None:
        return before
    party = Party(
        platform=platform,
        external_id=outside_words.identifier(external_id, field="id"),
        role=role,
        name=outside_words.line(name, field="name"),
        email=letters.checked(email),
        city=outside_words.place(city, field="city"),
        country=outside_words.country(country),
        withdrawal_method=withdrawal_method,
        created_at=now,
    )
    session.add(party)
    session.flush()
    audit.record(
        session,
        SYSTEM,
        AuditAction.PARTY_REGISTER.by("system"),
        object_kind="party",
        object_id=party.id,
        now=now,
        after={"platform": platform, "role": role},
    )
    return party


def choose_withdrawal(
    session: Session, actor: Actor, *, now: datetime, party_id: int, method: WithdrawalMethod
) -> Party:
    """The payee chooses how to be paid from now on (milestone-payment-flow, Key Business Rules 4: by method).

    A payout that was asked for goes as it was asked for. Raises `NotYours`, `MethodNotSent`.
    """
    party = session.get_one(Party, party_id, with_for_update=True, populate_existing=True)
    require_party(actor, party_id)
    if party.role != PartyRole.PAYEE:
        raise NotYours(actor=actor.label)
    payouts.require_sent(method)
    before, party.withdrawal_method = party.withdrawal_method, method
    session.flush()
    if before != party.withdrawal_method:
        audit.record(
            session,
            actor,
            AuditAction.WITHDRAWAL_CHOOSE.by("party"),
            object_kind="party",
            object_id=party_id,
            now=now,
            before={"method": before},
            after={"method": party.withdrawal_method},
        )
    return party


def require_same(party: Party, *, currency: str, payment_method: str | None, bank_token: str | None) -> None:
    """What is given is what is stored, or nothing is stored yet. A bank is known by the hash of its token only.
    Raises `AccountKnownOtherwise`."""
    odd = []
    if party.role == PartyRole.PAYER and payment_method is not None:
        odd += ["payment_method"] if party.payment_method not in (None, payment_method) else []
    if party.role == PartyRole.PAYEE and party.stripe_account is not None:
        other_bank = bank_token is not None and party.bank_token_sha256 != digest(bank_token)
        odd += ["bank_token"] if other_bank else []
        odd += ["currency"] if party.account_currency not in (None, currency) else []
    if odd:
        raise AccountKnownOtherwise(party=party.external_id, what=another(odd), fields=odd)


def digest(token: str | None) -> str | None:
    """What is stored of a party's token at the provider: its SHA-256."""
    return sha256(token.encode()).hexdigest() if token is not None else None


def withdraw_what_waited(session: Session, party_id: int, *, now: datetime) -> None:
    """What was released to a payee who had no account yet goes out now, under the keys that it was planned with.

    Releases of desks before 1.1 queued nothing until there was an account; theirs are asked for now.
    """
    wanted = (
        select(Milestone.id)
        .join(Project, Project.id == Milestone.project_id)
        .join(PaymentOrder, PaymentOrder.milestone_id == Milestone.id)
        .where(Project.payee_id == party_id, PaymentOrder.payable_minor > 0)
    )
    for number in session.scalars(wanted.order_by(Milestone.id)).all():
        context = open_milestone(session, number)
        receivables.lock_payee(session, context)
        waits = context.money(
            context.order.payable_minor - pending_withdrawals.unsettled_minor(session, context)
        )
        withdrawals.request(session, context, waits, key=f"withdrawal.{number}", now=now)
        outbox.wake(session, number, now=now)
