"""Funding a milestone: the charge, and what its outcome does."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from core import notifications, outbox
from core.actions import (
    booking,
    duplicates,
    legal_checklist,
    operations,
    orders,
    receipts,
    risk,
    settlement,
)
from core.actions.dossier import Dossier, open_dossier
from core.actions.engagement import facts_of
from core.actions.keys import operation_key
from core.errors import DeskError
from core.gateways.payments import BalanceLine, ChargeSnapshot
from core.ledger import postings
from core.money import Money, stripe_exact
from core.records import Engagement, OutgoingOperation
from core.rules import card_retries, engagement, milestones
from core.rules.permissions import SYSTEM, Actor, Role, require_party


class NotAwaitingFunding(DeskError):
    """“{milestone}” is {status}; only a milestone that is awaiting funding can be funded."""


class NoPaymentMethod(DeskError):
    """The payer has no payment method on file. Add one, then fund the milestone."""


def fund(
    session: Session, actor: Actor, *, now: datetime, milestone_id: int, payment_method: str | None = None
) -> OutgoingOperation:
    """The payer funds a milestone: the charge is written down now and sent after the commit.

    Charged: milestone + platform fee + processor fee (milestone-payment-flow, Key Business Rules 4). Raises
    `EngagementIncomplete` naming each missing precondition (payment-escrow-rules, Preconditions Before Payment), and
    `PaymentsSwitchedOff` while an item of the platform's legal checklist is not signed, and `CurrencyNotSettled` where
    Stripe would convert it.
    """
    dossier = open_dossier(session, milestone_id)
    require_party(actor, dossier.payer.id)
    legal_checklist.require_signed(session, dossier.project.platform)
    settlement.require(session, dossier.milestone.currency)
    engagement.require_complete(facts_of(session.get_one(Engagement, dossier.project.id)))
    order, milestone = dossier.order, dossier.milestone
    orders.require_idle(order, milestone)
    if dossier.status is not milestones.Status.AWAITING_FUNDING:
        raise NotAwaitingFunding(milestone=milestone.title, status=dossier.status.label)
    method = payment_method or dossier.payer.payment_method
    if not method or not dossier.payer.stripe_customer:
        raise NoPaymentMethod()
    order.chosen_method, order.retries = payment_method, 0
    return charge(session, actor, dossier, method, action="party:milestone:fund", now=now)


def charge(
    session: Session, actor: Actor, dossier: Dossier, method: str, *, action: str, now: datetime
) -> OutgoingOperation:
    """Write the charge down, now and under a name of its own; a retry that was planned is forgotten."""
    order, milestone = dossier.order, dossier.milestone
    order.attempts += 1
    order.in_flight, order.failure, order.next_retry_at = True, None, None
    orders.follow(session, dossier, now=now, cause="charge requested")
    price = stripe_exact(dossier.money(order.charge_minor))
    operation = outbox.enqueue(
        session,
        key=operation_key(session, "charge", milestone.id, order.attempts),
        kind="CHARGE",
        milestone_id=milestone.id,
        party_id=dossier.payer.id,
        amount=price,
        payload={
            "customer": dossier.payer.stripe_customer,
            "payment_method": method,
            "transfer_group": dossier.transfer_group,
            "description": f"Held funds for milestone {milestone.id}",
        },
        now=now,
    )
    dossier.note(
        session,
        actor,
        action,
        now=now,
        after={"charge": price.as_dict(), "attempt": order.attempts},
        operation_key=operation.key,
    )
    return operation


def settle(
    session: Session, operation: OutgoingOperation, snapshot: ChargeSnapshot, *, now: datetime
) -> None:
    """Apply what the provider says about a charge now; any number of times, in any order."""
    dossier = open_dossier(session, operation.milestone_id)
    order = dossier.order
    if duplicates.is_one(session, dossier, snapshot):
        duplicates.receive(session, dossier, operation, snapshot, now=now)
        return
    if snapshot.succeeded and snapshot.lines:
        if not booking.is_booked(session, snapshot.lines[0]):
            _funded(session, dossier, operation, snapshot, snapshot.lines[0], now=now)
        operations.succeeded(operation, provider_id=snapshot.id, now=now)
    elif operation.status == "REFUSED":
        return  # late news of a decline that is booked: another charge may be on its way since
    elif snapshot.lost and operation.status != "SUCCEEDED":
        operations.refused(operation, reason=snapshot.failure_message or "declined", now=now)
        declined(
            session,
            operation,
            reason=snapshot.failure_message or "The payment was declined.",
            code=snapshot.failure_code,
            now=now,
        )
    else:
        operations.waiting(operation, provider_id=snapshot.id, now=now)
    if snapshot.succeeded and not order.funded_minor:
        order.stripe_payment_intent, order.stripe_charge = snapshot.id, snapshot.charge
    session.flush()


def _funded(
    session: Session,
    dossier: Dossier,
    operation: OutgoingOperation,
    snapshot: ChargeSnapshot,
    line: BalanceLine,
    *,
    now: datetime,
) -> None:
    order, milestone = dossier.order, dossier.milestone
    _, actual_fee = booking.moved(line, snapshot.amount)
    journal = postings.charge_settled(
        key=operation.key,
        milestone_id=milestone.id,
        party_id=dossier.payer.id,
        charge=snapshot.amount,
        milestone=dossier.amount,
        platform_fee=dossier.money(order.platform_fee_minor),
        actual_fee=actual_fee,
        cause={"operation": operation.key, "charge": snapshot.charge, "balance_transaction": line.id},
    )
    booking.book_line(session, line, journal, now=now, milestone_id=milestone.id)
    order.in_flight, order.funded_at, milestone.funded_at = False, now, now
    order.stripe_payment_intent, order.stripe_charge = snapshot.id, snapshot.charge
    if line.currency != order.currency:
        _converted(session, dossier, operation, line, now=now)
    dossier.move(milestones.Event.FUND, now=now)
    orders.shift(
        session, dossier, now=now, cause="charge settled", funded=dossier.amount, held=dossier.amount
    )
    dossier.note(
        session,
        SYSTEM,
        "system:payment:hold",
        now=now,
        after={"held": dossier.amount.as_dict(), "balance_transaction": line.id},
        operation_key=operation.key,
    )
    receipts.of_funding(session, dossier, operation, snapshot.amount, now=now)
    risk.consider(session, dossier, now=now)
    for template, party in (("funds_held", dossier.payer), ("milestone_funded", dossier.payee)):
        dossier.tell(
            session,
            template,
            party,
            key=f"{operation.key}-{template}",
            now=now,
            charged=snapshot.amount.text(),
            platform_fee=dossier.money(order.platform_fee_minor).text(),
            processing_fee=dossier.money(order.processing_fee_minor).text(),
        )


def _converted(
    session: Session, dossier: Dossier, operation: OutgoingOperation, line: BalanceLine, *, now: datetime
) -> None:
    """Stripe has converted what was paid: it is held all the same, no more is promised in that currency, and finance
    hears what is needed to pay it out."""
    dossier.order.settled_currency = line.currency
    settlement.converted(session, dossier.milestone.currency, now=now)
    at_stripe = Money(line.amount, line.currency)
    dossier.note(
        session,
        SYSTEM,
        "system:payment:convert",
        now=now,
        after={"settled": at_stripe.as_dict(), "exchange_rate": line.exchange_rate},
        operation_key=operation.key,
    )
    dossier.tell_staff(
        session,
        "payment_converted",
        notifications.staff_of(session, Role.FINANCE),
        key=f"{operation.key}-converted",
        now=now,
        about=("milestone", dossier.milestone.id),
        charged=dossier.money(dossier.order.charge_minor),
        at_stripe=at_stripe,
        exchange_rate=line.exchange_rate,
    )


def declined(
    session: Session, operation: OutgoingOperation, *, reason: str, code: str | None, now: datetime
) -> None:
    """The card was refused: nothing is held, the payer is told, and it is tried again by itself where time may heal it
    (milestone-payment-flow, Error Handling 1)."""
    dossier = open_dossier(session, operation.milestone_id)
    dossier.order.in_flight, dossier.order.failure = False, reason
    dossier.order.next_retry_at = card_retries.next_retry(code, dossier.order.retries, now)
    orders.follow(session, dossier, now=now, cause="charge declined")
    dossier.note(
        session,
        SYSTEM,
        "system:payment:decline",
        now=now,
        reason=reason,
        after={"code": code, "next_retry_at": str(dossier.order.next_retry_at or "")},
        operation_key=operation.key,
    )
    dossier.tell(
        session,
        "payment_failed",
        dossier.payer,
        key=f"{operation.key}-failed",
        now=now,
        reason=reason,
        charged=dossier.money(dossier.order.charge_minor).text(),
        next_try_at=dossier.order.next_retry_at,
    )
