"""Chargebacks: followed at the provider, booked line by line, and carried by whoever has to bear them.

While the bank has not decided, nothing of the milestone is executed and its payment is CHARGEBACK_REVIEW (DESIGN 2).
The present state at the provider is applied any number of times, in any order, whoever brings it.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from core import audit, notifications, outbox
from core.actions.chargebacks import duplicate_chargebacks, liability, refund_offsets
from core.actions.funding import balance_transactions
from core.actions.milestones import orders
from core.actions.milestones.milestone_context import MilestoneContext, open_milestone
from core.actions.payouts import release
from core.audit.actions import AuditAction
from core.errors import DeskError
from core.gateways.payments import BalanceLine, DisputeSnapshot
from core.ledger import accounts, postings
from core.ledger.journal import Journal
from core.money import Money
from core.records import Chargeback, DuplicatePayment, PaymentOrder
from core.rules import chargebacks as rules
from core.rules import milestones
from core.rules.chargebacks import ChargebackStatus
from core.rules.permissions import SYSTEM, Role


class PaymentNotBooked(DeskError):
    """The payment that chargeback {dispute} is about is not booked yet."""


def follow(session: Session, snapshot: DisputeSnapshot, *, now: datetime) -> Chargeback | None:
    """Apply what the provider says about a chargeback now. None when it is about no payment of this desk."""
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
            _book(session, context, row, second, line, now=now)
    session.flush()
    owed = None
    if row.status == ChargebackStatus.LOST and not row.outstanding.is_zero:
        if second is not None:
            duplicate_chargebacks.lose(session, context, second, row, now=now)
        else:
            owed = liability.write_off(session, context, row, now=now)
    if row.status != before:
        _note(session, context, row, before, now=now)
    if second is not None:
        _of_second(session, context, row, before, now=now)
        return row
    _freeze_or_thaw(session, context, row, now=now)
    _tell(session, context, row, before, owed, now=now)
    return row


def _of_second(
    session: Session, context: MilestoneContext, row: Chargeback, before: str, *, now: datetime
) -> None:
    """Nothing of the milestone is frozen and its parties have nothing to fear: staff alone hear of it."""
    session.flush()
    if row.status in rules.CLOSED:
        outbox.wake(session, context.milestone.id, now=now)
    if row.status in rules.ANSWERABLE and row.status != before and row.due_by is not None:
        _tell_staff(session, context, row, row.status, now=now)


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


def _taken(row: Chargeback, line: BalanceLine) -> Money:
    """What the line took, below zero, or gave back, in the currency that the chargeback is booked in."""
    if line.currency == row.booked_currency or line.exchange_rate is None:
        return Money(line.amount, line.currency)
    return row.amount if line.amount > 0 else -row.amount


def _book(
    session: Session,
    context: MilestoneContext,
    row: Chargeback,
    second: DuplicatePayment | None,
    line: BalanceLine,
    *,
    now: datetime,
) -> None:
    """One line of the provider's, with its signed fee, in the line's own currency."""
    if _won_after_all(session, context, row, second, line, now=now):
        return
    amount = _taken(row, line)
    journal = _journal(context, row, line, amount)
    balance_transactions.book_line(
        session,
        line,
        journal,
        now=now,
        milestone_id=context.milestone.id,
        fees_to=accounts.DISPUTE_FEES,
    )
    if journal.kind == "unknown_money":
        liability.open_suspense_item(session, line, now=now)
        return
    row.taken_minor -= amount.minor
    _bear_fee(row, line)


def _bear_fee(row: Chargeback, line: BalanceLine) -> None:
    """The fee of a line, in the line's currency. One in a second currency cannot be added: it stays with its line."""
    if not row.fees_minor:
        row.fees_currency = line.currency
    if row.fees_currency == line.currency:
        row.fees_minor += line.fee


def _won_after_all(
    session: Session,
    context: MilestoneContext,
    row: Chargeback,
    second: DuplicatePayment | None,
    line: BalanceLine,
    *,
    now: datetime,
) -> bool:
    """All of a lost chargeback came back, and what the bank had taken was owed to the payer: then it is owed again.

    Where others had borne it, a person decides what becomes of what came back.
    """
    amount = _taken(row, line)
    if row.status != ChargebackStatus.WON or amount.currency != row.booked_currency or not row.lost_minor:
        return False
    if not (
        duplicate_chargebacks.bore_whole_loss(second, row, amount)
        if second
        else refund_offsets.bore_whole_loss(session, context, row, amount)
    ):
        return False
    key = f"chargeback.{row.stripe_dispute}.{line.id}"
    owed = accounts.UNAPPLIED_FUNDS if second else accounts.refund_payable(context.milestone.id)
    journal = postings.chargeback_regained(
        key=key,
        milestone_id=context.milestone.id,
        party_id=context.payer.id,
        amount=amount,
        fee=balance_transactions.moved(line, amount)[1],
        owed=owed,
        cause={"dispute": row.stripe_dispute, "balance_transaction": line.id},
    )
    balance_transactions.book_line(
        session,
        line,
        journal,
        now=now,
        milestone_id=context.milestone.id,
        fees_to=accounts.DISPUTE_FEES,
    )
    row.taken_minor, row.lost_minor = 0, 0
    _bear_fee(row, line)
    if second:
        duplicate_chargebacks.reinstate_refunds(session, context, second, amount, key=key, now=now)
    else:
        refund_offsets.reinstate_refunds(session, context, row, key=key, now=now)
    return True


def _journal(context: MilestoneContext, row: Chargeback, line: BalanceLine, amount: Money) -> Journal:
    """More than was taken cannot come back, nor in another currency: that is nothing we understand, a person looks."""
    fee = balance_transactions.moved(line, amount)[1]
    key = f"chargeback.{row.stripe_dispute}.{line.id}"
    cause = {"dispute": row.stripe_dispute, "balance_transaction": line.id}
    foreign = amount.currency != row.booked_currency
    if foreign or amount.minor > row.taken_minor - row.lost_minor:
        stated, its_fee = Money(line.amount, line.currency), Money(line.fee, line.currency)
        return postings.unknown_money(key=key, amount=stated, fee=its_fee, cause=cause)
    event = postings.chargeback_won if amount.is_positive else postings.chargeback_opened
    return event(
        key=key,
        milestone_id=context.milestone.id,
        party_id=context.payer.id,
        amount=abs(amount),
        fee=fee,
        cause=cause,
    )


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
    orders.follow(session, context, now=now, cause=f"chargeback {row.status}")
    if frozen:
        return
    outbox.wake(session, context.milestone.id, now=now)
    if context.status is milestones.Status.VERIFIED and context.order.held_minor:
        release.release_verified(session, SYSTEM, context, now=now)


def alarm(session: Session, *, now: datetime, chargeback_id: int) -> bool:
    """Tell finance and compliance once more: the bank's last moment is near, and nobody has answered."""
    plain = session.get_one(Chargeback, chargeback_id)
    context = open_milestone(session, plain.milestone_id)
    row = session.get_one(Chargeback, chargeback_id, with_for_update=True, populate_existing=True)
    if row.status not in rules.ANSWERABLE or row.due_by is None:
        return False
    _tell_staff(session, context, row, "alarm", now=now)
    return True


def _tell_staff(
    session: Session, context: MilestoneContext, row: Chargeback, what: str, *, now: datetime
) -> None:
    who = [*notifications.staff_of(session, Role.FINANCE), *notifications.staff_of(session, Role.COMPLIANCE)]
    notifications.tell_staff(
        session,
        "chargeback_due",
        staff_ids=who,
        project_id=context.project.id,
        milestone_id=context.milestone.id,
        about=("chargeback", row.id),
        key=alarm_key(row.id, what),
        now=now,
        chargeback=f"CB-{row.id}",
        amount=row.amount,
        due_by=row.due_by,
    )


def alarm_key(chargeback_id: int, what: str = "alarm") -> str:
    return f"chargeback-{chargeback_id}-{what}"


def _tell(
    session: Session,
    context: MilestoneContext,
    row: Chargeback,
    before: str,
    owed: Money | None,
    *,
    now: datetime,
) -> None:
    """Both parties hear of a chargeback and of its end; an inquiry is between the bank and us. Staff hear of both."""
    if row.status in rules.ANSWERABLE and row.status != before and row.due_by is not None:
        _tell_staff(session, context, row, row.status, now=now)
    opened = before not in rules.UNDECIDED and row.status in rules.UNDECIDED
    ended = row.status in (ChargebackStatus.WON, ChargebackStatus.LOST) and row.status != before
    if not opened and not ended:
        return
    template = "chargeback_opened" if opened else f"chargeback_{row.status}"
    for party in (context.payer, context.payee):
        context.tell(
            session,
            template,
            party,
            key=f"{row.stripe_dispute}-{template}-{party.id}",
            now=now,
            about=("chargeback", row.id),
            disputed=row.amount,
            owed=owed if owed and owed.is_positive else None,
        )
