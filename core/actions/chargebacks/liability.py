"""Who bears a lost chargeback: held funds, refunds due, the payee, the platform's fee, then the platform
(docs/decisions/0013)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.actions.cases import disputes
from core.actions.chargebacks import refund_offsets
from core.actions.debts import receivables
from core.actions.decisions import recorded_decision
from core.actions.milestones import completion, orders
from core.actions.milestones.milestone_context import MilestoneContext
from core.actions.milestones.verification import stop_clocks
from core.actions.payouts import pending_withdrawals, reversals, withdrawals
from core.audit.actions import AuditAction
from core.ledger import accounts, journal_store, postings
from core.money import Money
from core.records import Case, Chargeback, Decision, Hold, OutgoingOperation
from core.rules import chargebacks as rules
from core.rules import milestones
from core.rules.approvals import DecisionStatus
from core.rules.cases import BLOCKING
from core.rules.holds import HoldKind
from core.rules.payment_states import Cause, CauseKind
from core.rules.permissions import SYSTEM

TAKEN_BACK = "The payer's bank took the payment back."
UNDECIDED = (DecisionStatus.AWAITING_APPROVAL, DecisionStatus.COOLING_OFF)


@dataclass(frozen=True)
class Loss:
    """The amount that the bank keeps, with the key and cause under which its parts are booked."""

    amount: Money
    key: str
    cause: Mapping[str, Any]

    @property
    def told(self) -> Cause:
        return Cause(CauseKind.CHARGEBACK, self.key, chargeback=self.cause["chargeback"])


def write_off(session: Session, context: MilestoneContext, row: Chargeback, *, now: datetime) -> Money:
    """Write off what the bank keeps; returns what the payee owes for it."""
    receivables.lock_payee(session, context)
    loss = Loss(
        row.outstanding,
        key=f"chargeback.{row.stripe_dispute}.lost.{row.lost_minor}",
        cause={"dispute": row.stripe_dispute, "chargeback": row.id},
    )
    row.lost_minor = row.taken_minor
    if loss.amount.currency != context.milestone.currency:
        return _in_another_currency(session, context, loss, now=now)
    if context.order.held_minor:
        return _while_held(session, context, loss, now=now)
    return _after_release(session, context, loss, now=now)


def _while_held(session: Session, context: MilestoneContext, loss: Loss, *, now: datetime) -> Money:
    deferred = journal_store.balance(
        session, accounts.deferred_platform_fee(context.milestone.id), loss.amount.currency
    )
    bears = rules.while_held(loss.amount, held=context.money(context.order.held_minor), fee=deferred)
    journal = postings.chargeback_lost_while_held(
        key=loss.key,
        milestone_id=context.milestone.id,
        party_id=context.payer.id,
        amount=loss.amount,
        held_part=bears.held,
        fee_part=bears.fee,
        cause=loss.cause,
    )
    journal_store.post(session, journal, now=now)
    orders.shift(session, context, now=now, cause=loss.told, held=-bears.held, refunded=bears.held)
    if not context.order.held_minor:
        _over(session, context, deferred - bears.fee, key=loss.key, now=now)
    return Money.zero(loss.amount.currency)


def _over(session: Session, context: MilestoneContext, unearned: Money, *, key: str, now: datetime) -> None:
    """Nothing is held any more: open cases and waiting decisions end, and the milestone ends refunded."""
    if unearned.is_positive:  # the bank took a little less than was paid: the rest of the fee is earned
        nothing = Money.zero(unearned.currency)
        journal = postings.decided(
            key=f"{key}.fee",
            milestone_id=context.milestone.id,
            payee_id=context.payee.id,
            release=nothing,
            refund=nothing,
            fee_kept=unearned,
            fee_returned=nothing,
            concession=nothing,
            cause={"chargeback": key},
        )
        journal_store.post(session, journal, now=now)
        context.order.fee_kept_minor += unearned.minor
    wanted = select(Case).where(Case.milestone_id == context.milestone.id, Case.status.in_(BLOCKING))
    for case in session.scalars(wanted.order_by(Case.id).with_for_update()):
        disputes.close(session, SYSTEM, case, "CHARGEBACK_LOST", now=now, notes=TAKEN_BACK)
    made = select(Decision).where(
        Decision.milestone_id == context.milestone.id, Decision.status.in_(UNDECIDED)
    )
    for decision in session.scalars(made.order_by(Decision.id).with_for_update()):
        recorded_decision.void(session, SYSTEM, context, decision, now=now, why=TAKEN_BACK, ended=True)
    stop_clocks(context)
    context.move(milestones.Event.LOSE_CHARGEBACK, now=now)
    session.flush()
    completion.finish(session, context, now=now)


def _after_release(session: Session, context: MilestoneContext, loss: Loss, *, now: datetime) -> Money:
    order = context.order
    due, part = refund_offsets.offset_due_refunds(session, context, loss.amount, key=loss.key, now=now)
    bears = rules.after_release(
        loss.amount,
        refund_due=due,
        payee=context.money(order.payable_minor + order.released_minor),
        fee=context.money(order.fee_kept_minor),
    )
    journal = postings.chargeback_lost_after_release(
        key=loss.key,
        milestone_id=context.milestone.id,
        party_id=context.payee.id,
        amount=loss.amount,
        receivable=bears.receivable,
        fee_part=bears.fee,
        refund_due=bears.refund_due,
        cause=loss.cause,
    )
    journal_store.post(session, journal, now=now)
    order.fee_kept_minor -= bears.fee.minor
    if part.is_positive:
        orders.shift(session, context, now=now, cause=loss.told, refundable=-part, refunded=part)
    _from_payee(session, context, bears.receivable, cause=loss.told, now=now)
    session.flush()
    completion.finish(session, context, now=now)
    return bears.receivable


def _from_payee(
    session: Session, context: MilestoneContext, debt: Money, *, cause: Cause, now: datetime
) -> None:
    """Collect the payee's debt: first from withdrawals that were not sent, then by reversing transfers; the rest
    stays receivable."""
    if not debt.is_positive:
        return
    order, key = context.order, cause.key
    called_off = pending_withdrawals.cancel(session, context, reason="the payment was charged back", now=now)
    in_flight = context.money(pending_withdrawals.unsettled_minor(session, context))
    from_released = min(debt, context.money(order.released_minor))
    from_payable = min(debt - from_released, context.money(order.payable_minor) - in_flight)
    if from_payable.is_positive:
        receivables.settle(session, context, from_payable, key=key, now=now)
    taken = from_released + from_payable
    orders.shift(session, context, now=now, cause=cause, released=-taken, refunded=taken)
    if (called_off - from_payable).is_positive:
        withdrawals.request(session, context, called_off - from_payable, key=f"{key}.rest", now=now)
    reversals.request(session, context, debt - from_payable, key=key, now=now)


def transfer_arrived(
    session: Session, context: MilestoneContext, operation: OutgoingOperation, *, now: datetime
) -> None:
    """Reverse a transfer that may have been under way when the chargeback was lost, up to what the payee owes."""
    wanted = select(Chargeback.id).where(
        Chargeback.milestone_id == context.milestone.id,
        Chargeback.lost_minor > 0,
        Chargeback.duplicate_id.is_(None),
    )
    released = context.money(context.order.released_minor)
    debt = min(receivables.free(session, context.payee.id, released.currency), released)
    if debt.is_zero or (chargeback := session.scalars(wanted).first()) is None:
        return
    key = f"chargeback.transfer.{operation.id}"
    late = Cause(CauseKind.CHARGEBACK, key, chargeback=chargeback)
    orders.shift(session, context, now=now, cause=late, released=-debt, refunded=debt)
    reversals.request(session, context, debt, key=key, now=now)


def _in_another_currency(session: Session, context: MilestoneContext, loss: Loss, *, now: datetime) -> Money:
    """The bank took another currency than the milestone's: the platform bears the loss for now, and a hold keeps the
    remaining funds until a person has decided."""
    journal = postings.chargeback_lost_abroad(
        key=loss.key,
        milestone_id=context.milestone.id,
        party_id=context.payer.id,
        amount=loss.amount,
        cause=loss.cause,
    )
    journal_store.post(session, journal, now=now)
    why = f"A chargeback of {loss.amount.text()} was lost; decide what becomes of this milestone's money."
    hold = Hold(milestone_id=context.milestone.id, kind=HoldKind.RISK, reason=why, placed_at=now)
    session.add(hold)
    session.flush()
    about = ("hold", hold.id)
    context.note(
        session,
        SYSTEM,
        AuditAction.HOLD_PLACE.by("system"),
        now=now,
        about=about,
        reason=why,
        contents=[hold],
    )
    return Money.zero(context.milestone.currency)
