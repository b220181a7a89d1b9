"""Chargebacks: followed at Stripe, booked line by line, and allocated to whoever bears them.

While the bank has not decided, nothing of the milestone is executed and its payment is in CHARGEBACK_REVIEW. The
present state at Stripe may be applied any number of times and in any order, whoever fetched it.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from core import audit, outbox
from core.actions.chargebacks import (
    chargeback_letters,
    chargeback_lines,
    duplicate_chargebacks,
    liability,
)
from core.actions.funding import balance_transactions
from core.actions.milestones import orders
from core.actions.milestones.milestone_context import MilestoneContext, open_milestone
from core.actions.payouts import release
from core.audit.actions import AuditAction
from core.errors import DeskError
from core.gateways.payments import DisputeSnapshot
from core.records import Chargeback, DuplicatePayment, PaymentOrder
from core.rules import chargebacks as rules
from core.rules import milestones
from core.rules.chargebacks import ChargebackStatus
from core.rules.payment_states import Cause, CauseKind
from core.rules.permissions import SYSTEM


class PaymentNotBooked(DeskError):
    """The payment that chargeback {dispute} is about is not booked yet."""


def follow(session: Session, snapshot: DisputeSnapshot, *, now: datetime) -> Chargeback | None:
    """Apply what Stripe says about a chargeback now. Returns None when it is about no payment of this desk. Raises
    `PaymentNotBooked`."""
    found = duplicate_chargebacks.paid_by(session, snapshot)
    milestone_id = found.milestone_id if found else _milestone_of(session, snapshot)
    if milestone_id is None:
        return None
    context = open_milestone(session, milestone_id)
    second = duplicate_chargebacks.locked(session, found.id) if found else None
    if second is None and not context.order.funded_minor:
        raise PaymentNotBooked(dispute=snapshot.id)
    row, before = _row(session, context, snapshot, second, now=now)
    _apply(row, snapshot, now=now)
    for line in sorted(snapshot.lines, key=lambda each: (each.created, each.amount, each.id)):
        if (line.amount or line.fee) and not balance_transactions.is_booked(session, line):
            chargeback_lines.book(session, context, row, second, line, now=now)
    session.flush()
    owed = None
    if row.status == ChargebackStatus.LOST and not row.outstanding.is_zero:
        if second is not None:
            duplicate_chargebacks.write_off(session, context, second, row, now=now)
        else:
            owed = liability.write_off(session, context, row, now=now)
    if row.status != before:
        _note(session, context, row, before, now=now)
    if second is not None:
        _of_second(session, context, row, before, now=now)
        return row
    _freeze_or_thaw(session, context, row, now=now)
    chargeback_letters.tell(session, context, row, before, owed, now=now)
    return row


def _of_second(
    session: Session, context: MilestoneContext, row: Chargeback, before: str, *, now: datetime
) -> None:
    """A chargeback of a duplicate payment: nothing is frozen and the parties are not concerned; only staff is told."""
    session.flush()
    if row.status in rules.CLOSED:
        outbox.wake(session, context.milestone.id, now=now)
    if row.status in rules.ANSWERABLE and row.status != before and row.due_by is not None:
        chargeback_letters.tell_staff(session, context, row, row.status, now=now)


def _milestone_of(session: Session, snapshot: DisputeSnapshot) -> int | None:
    paid = or_(
        PaymentOrder.stripe_payment_intent == (snapshot.payment_intent or ""),
        PaymentOrder.stripe_charge == snapshot.charge,
    )
    return session.scalars(select(PaymentOrder.milestone_id).where(paid)).first()


def _row(
    session: Session,
    context: MilestoneContext,
    snapshot: DisputeSnapshot,
    second: DuplicatePayment | None,
    *,
    now: datetime,
) -> tuple[Chargeback, str]:
    """The chargeback's row, made when it is new, and the status it had ("" when it is new)."""
    row = session.scalars(
        select(Chargeback).where(Chargeback.stripe_dispute == snapshot.id).with_for_update()
    ).one_or_none()
    if row is not None:
        return row, row.status
    row = Chargeback(
        milestone_id=context.milestone.id,
        duplicate_id=second.id if second else None,
        stripe_dispute=snapshot.id,
        stripe_charge=snapshot.charge,
        status=ChargebackStatus(snapshot.status),
        reason=snapshot.reason,
        currency=snapshot.amount.currency,
        amount_minor=snapshot.amount.minor,
        booked_currency=_booked_in(snapshot),
        taken_minor=0,
        lost_minor=0,
        fees_currency=_booked_in(snapshot),
        fees_minor=0,
        submissions=0,
        opened_at=snapshot.created,
        noticed_at=now,
    )
    session.add(row)
    return row, ""


def _apply(row: Chargeback, snapshot: DisputeSnapshot, *, now: datetime) -> None:
    status = rules.present(row.status, ChargebackStatus(snapshot.status))
    if status == snapshot.status:
        row.amount_minor, row.currency = snapshot.amount.minor, snapshot.amount.currency
        row.due_by, row.past_due = snapshot.due_by, snapshot.past_due
        row.has_evidence = snapshot.has_evidence
    row.network, row.network_code = snapshot.network or row.network, snapshot.network_code or row.network_code
    row.submissions = max(row.submissions, snapshot.submission_count)
    audit.become(row, status, now=now)
    if snapshot.lines and not row.taken_minor:
        row.booked_currency = _booked_in(snapshot)
    if status in rules.CLOSED:
        row.closed_at = row.closed_at or now


def _booked_in(snapshot: DisputeSnapshot) -> str:
    """The disputed payment's currency where Stripe says that it converted it; else that of the first line."""
    converted = all(each.exchange_rate is not None for each in snapshot.lines)
    return snapshot.amount.currency if converted else snapshot.lines[0].currency


def _note(
    session: Session, context: MilestoneContext, row: Chargeback, before: str, *, now: datetime
) -> None:
    context.note(
        session,
        SYSTEM,
        AuditAction.CHARGEBACK_FOLLOW.by("system") if before else AuditAction.CHARGEBACK_OPEN.by("system"),
        now=now,
        about=("chargeback", row.id),
        before={"status": before} if before else None,
        after={"status": row.status, "amount": row.amount.as_dict(), "reason": row.reason},
    )


def _freeze_or_thaw(session: Session, context: MilestoneContext, row: Chargeback, *, now: datetime) -> None:
    """The order's flag is that of all its chargebacks; when the last one ends, what was frozen goes on."""
    session.flush()
    wanted = select(Chargeback).where(
        Chargeback.milestone_id == context.milestone.id, Chargeback.duplicate_id.is_(None)
    )
    every = session.scalars(wanted)
    frozen = any(rules.freezes(each.status, each.outstanding) for each in every)
    if frozen == context.order.chargeback_open:
        return
    context.order.chargeback_open = frozen
    orders.follow(
        session,
        context,
        now=now,
        cause=Cause(CauseKind.CHARGEBACK, f"chargeback {row.status}", chargeback=row.id),
    )
    if frozen:
        return
    outbox.wake(session, context.milestone.id, now=now)
    if context.status is milestones.Status.VERIFIED and context.order.held_minor:
        release.release_verified(session, SYSTEM, context, now=now)
