"""Funding a milestone: the charge, and what its outcome does."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from core import notifications, outbox
from core.actions.funding import balance_transactions, charges, duplicate_payments, settlement_currency
from core.actions.milestones import documents, legal_checklist, orders
from core.actions.milestones.engagement import facts_of
from core.actions.milestones.milestone_context import MilestoneContext, open_milestone
from core.actions.operations import operation_states
from core.actions.operations.operation_keys import operation_key
from core.actions.parties import payee_accounts
from core.actions.risk import risk_reviews
from core.audit.actions import AuditAction, StoredAction
from core.errors import DeskError, Wording
from core.gateways.payments import BalanceLine, ChargeSnapshot
from core.ledger import postings
from core.money import Money, stripe_exact
from core.records import Engagement, OutgoingOperation
from core.rules import acceptance, card_retries, declines, engagement, milestones
from core.rules.charges import NOT_CONFIRMED
from core.rules.operations import OperationKind, OperationStatus
from core.rules.payment_states import Cause, CauseKind
from core.rules.permissions import SYSTEM, Actor, Role, require_party
from core.rules.transitions import status_words


class NotAwaitingFunding(DeskError):
    """“{milestone}” is {status}; only a milestone that is awaiting funding can be funded."""


class NoPaymentMethod(DeskError, tells=("milestone", "party")):
    """The payer has no payment method on file. Add one, then fund the milestone."""


def fund(
    session: Session,
    actor: Actor,
    *,
    now: datetime,
    milestone_id: int,
    payment_method: str | None = None,
    return_url: str | None = None,
    off_session: bool = False,
) -> OutgoingOperation:
    """The payer funds a milestone: the charge is written down now and sent after the commit.

    Their bank may ask them: at once, and `return_url` is where its page sends them back to; or, when they are not there
    (`off_session`), by an e-mail that has them come back.

    Charged: milestone + platform fee + processor fee (milestone-payment-flow, Key Business Rules 4). Raises
    `NoPaymentMethod`, `NotAwaitingFunding`, `EngagementIncomplete` naming each missing precondition
    (payment-escrow-rules, Preconditions Before Payment), and `PaymentsSwitchedOff` while an item of the platform's
    legal checklist does not count, and `CurrencyNotSettled` where Stripe would convert it, and `CurrencyNotTaken`
    where no bank of the payee takes it.
    """
    context = open_milestone(session, milestone_id)
    require_party(actor, context.payer.id)
    require_signed(session, context, now=now)
    settlement_currency.require(session, context.milestone.currency)
    payee_accounts.require_taken(session, context.payee, context.milestone.currency)
    engagement.require_complete(facts_of(session.get_one(Engagement, context.project.id)))
    order, milestone = context.order, context.milestone
    orders.require_idle(order, milestone)
    if context.status is not milestones.Status.AWAITING_FUNDING:
        raise NotAwaitingFunding(
            milestone=Wording(milestone.title, milestone.id),
            status=Wording(status_words(context.status), context.status),
        )
    method = payment_method or context.payer.payment_method
    if not method or not context.payer.stripe_customer:
        raise NoPaymentMethod(milestone=milestone.id, party=context.payer.external_id)
    order.chosen_method, order.retries = payment_method, 0
    return charge(
        session,
        actor,
        context,
        method,
        action=AuditAction.MILESTONE_FUND.by("party"),
        off_session=off_session,
        return_url=return_url,
        now=now,
    )


def require_signed(session: Session, context: MilestoneContext, *, now: datetime) -> None:
    """Where both parties are. Raises `PaymentsSwitchedOff`."""
    parties = (context.payer.id, context.payee.id)
    legal_checklist.require_signed(session, context.project.platform, parties, now=now)


def charge(
    session: Session,
    actor: Actor,
    context: MilestoneContext,
    method: str,
    *,
    action: StoredAction,
    off_session: bool,
    return_url: str | None = None,
    now: datetime,
) -> OutgoingOperation:
    """Write the charge down, now and under a name of its own; a retry that was planned is forgotten."""
    order, milestone = context.order, context.milestone
    order.attempts += 1
    order.in_flight, order.failure, order.next_retry_at = True, None, None
    orders.follow(session, context, now=now, cause=Cause(CauseKind.CHARGE_REQUESTED, "charge requested"))
    price = stripe_exact(context.money(order.charge_minor))
    operation = outbox.enqueue(
        session,
        key=operation_key(session, "charge", milestone.id, order.attempts),
        kind=OperationKind.CHARGE,
        milestone_id=milestone.id,
        party_id=context.payer.id,
        amount=price,
        payload={
            "customer": context.payer.stripe_customer,
            "payment_method": method,
            "transfer_group": context.transfer_group,
            "description": f"Held funds for milestone {milestone.id}",
            "off_session": off_session,
            "return_url": return_url,
        },
        now=now,
    )
    charges.begin(session, operation, off_session=off_session, now=now)
    context.note(
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
    context = open_milestone(session, operation.milestone_id)
    order = context.order
    charges.note_method(session, operation, snapshot.paid_with)
    if duplicate_payments.is_duplicate(session, context, snapshot):
        duplicate_payments.receive(session, context, operation, snapshot, now=now)
        charges.on_paid(session, context, operation, now=now)
        return
    if snapshot.succeeded and snapshot.lines:
        if not balance_transactions.is_booked(session, snapshot.lines[0]):
            _funded(session, context, operation, snapshot, snapshot.lines[0], now=now)
        operation_states.succeeded(operation, provider_id=snapshot.id, now=now)
        charges.on_paid(session, context, operation, now=now)
    elif operation.status in (OperationStatus.REFUSED, OperationStatus.SUCCEEDED):
        return  # late news of a charge that has ended: another may be on its way since
    elif snapshot.asks_payer:
        charges.on_action_required(session, context, operation, snapshot, now=now)
    elif snapshot.lost:
        called_off = snapshot.status == "canceled"
        code = NOT_CONFIRMED if called_off else snapshot.failure_code
        reason = declines.sentence(code) if called_off else snapshot.failure_message or "declined"
        operation_states.refused(operation, reason=reason, now=now)
        declined(session, operation, reason=reason, code=code, by_card=snapshot.by_card, now=now)
    else:
        charges.on_processing(session, operation, snapshot, now=now)
    if snapshot.succeeded and not order.funded_minor:
        order.stripe_payment_intent, order.stripe_charge = snapshot.id, snapshot.charge
    session.flush()


def _funded(
    session: Session,
    context: MilestoneContext,
    operation: OutgoingOperation,
    snapshot: ChargeSnapshot,
    line: BalanceLine,
    *,
    now: datetime,
) -> None:
    order, milestone = context.order, context.milestone
    _, actual_fee = balance_transactions.moved(line, snapshot.amount)
    journal = postings.charge_settled(
        key=operation.key,
        milestone_id=milestone.id,
        party_id=context.payer.id,
        charge=snapshot.amount,
        milestone=context.amount,
        platform_fee=context.money(order.platform_fee_minor),
        actual_fee=actual_fee,
        cause={"operation": operation.key, "charge": snapshot.charge, "balance_transaction": line.id},
    )
    balance_transactions.book_line(session, line, journal, now=now, milestone_id=milestone.id)
    order.in_flight, order.funded_at, milestone.funded_at = False, now, now
    order.stripe_payment_intent, order.stripe_charge = snapshot.id, snapshot.charge
    if line.currency != order.currency:
        _converted(session, context, operation, line, now=now)
    context.move(milestones.Event.FUND, now=now)
    settled = Cause(CauseKind.CHARGE_SETTLED, "charge settled")
    orders.shift(session, context, now=now, cause=settled, funded=context.amount, held=context.amount)
    context.note(
        session,
        SYSTEM,
        AuditAction.PAYMENT_HOLD.by("system"),
        now=now,
        after={"held": context.amount.as_dict(), "balance_transaction": line.id},
        operation_key=operation.key,
    )
    receipt = documents.of_funding(
        session, context, operation, snapshot.amount, paid_by=snapshot.paid_by, now=now
    )
    risk_reviews.consider(session, context, now=now)
    for template, party in (("funds_held", context.payer), ("milestone_funded", context.payee)):
        context.tell(
            session,
            template,
            party,
            key=f"{operation.key}-{template}",
            now=now,
            charged=snapshot.amount.text(),
            platform_fee=context.money(order.platform_fee_minor).text(),
            processing_fee=context.money(order.processing_fee_minor).text(),
            receipt=receipt.number,
            **acceptance.told(milestone.acceptance_rule, context.profile),
        )


def _converted(
    session: Session,
    context: MilestoneContext,
    operation: OutgoingOperation,
    line: BalanceLine,
    *,
    now: datetime,
) -> None:
    """Stripe has converted what was paid: it is held all the same, no more is promised in that currency, and finance
    hears what is needed to pay it out."""
    context.order.settled_currency = line.currency
    settlement_currency.converted(session, context.milestone.currency, now=now)
    at_stripe = Money(line.amount, line.currency)
    context.note(
        session,
        SYSTEM,
        AuditAction.PAYMENT_CONVERT.by("system"),
        now=now,
        after={"settled": at_stripe.as_dict(), "exchange_rate": line.exchange_rate},
        operation_key=operation.key,
    )
    context.tell_staff(
        session,
        "payment_converted",
        notifications.staff_of(session, Role.FINANCE),
        key=f"{operation.key}-converted",
        now=now,
        about=("milestone", context.milestone.id),
        charged=context.money(context.order.charge_minor),
        at_stripe=at_stripe,
        exchange_rate=line.exchange_rate,
    )


def declined(
    session: Session,
    operation: OutgoingOperation,
    *,
    reason: str,
    code: str | None,
    by_card: bool = True,
    now: datetime,
) -> None:
    """The card was refused: nothing is held, the payer is told, and it is tried again by itself where time may heal it
    (milestone-payment-flow, Error Handling 1)."""
    context = open_milestone(session, operation.milestone_id)
    context.order.in_flight, context.order.failure = False, reason
    again_at = context.order.next_retry_at = card_retries.next_retry(
        code, context.order.retries, now, by_card=by_card
    )
    sentence = charges.on_failed(session, operation, code=code, next_retry_at=again_at, now=now)
    orders.follow(session, context, now=now, cause=Cause(CauseKind.CHARGE_FAILED, "charge declined"))
    context.note(
        session,
        SYSTEM,
        AuditAction.PAYMENT_DECLINE.by("system"),
        now=now,
        reason=reason,
        after={"code": code, "next_retry_at": str(again_at or "")},
        operation_key=operation.key,
    )
    context.tell(
        session,
        "payment_failed",
        context.payer,
        key=f"{operation.key}-failed",
        now=now,
        reason=sentence,
        charged=context.money(context.order.charge_minor).text(),
        next_try_at=again_at,
    )
