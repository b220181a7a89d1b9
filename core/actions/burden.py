"""Who bears a lost chargeback: what is held, the refunds still due, the payee, our fee, and then we (DESIGN 4)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit
from core.actions import (
    dispute,
    ending,
    orders,
    overtaken,
    payouts,
    receivables,
    reversals,
    standing,
    unsent,
)
from core.actions.dossier import Dossier
from core.actions.verify import stop_clocks
from core.gateways.payments import BalanceLine
from core.ledger import accounts, book, postings
from core.money import Money
from core.records import Chargeback, Decision, Hold, OutgoingOperation, SuspenseItem, Ticket
from core.rules import chargebacks as rules
from core.rules import milestones
from core.rules.approvals import DecisionStatus
from core.rules.disputes import BLOCKING
from core.rules.holds import HoldKind
from core.rules.permissions import SYSTEM

TAKEN_BACK = "The payer's bank took the payment back."
UNDECIDED = (DecisionStatus.AWAITING_APPROVAL, DecisionStatus.COOLING_OFF)


def lose(session: Session, dossier: Dossier, row: Chargeback, *, now: datetime) -> Money:
    """Write off what the bank keeps; returns what the payee owes for it."""
    receivables.line_up(session, dossier)
    lost = row.outstanding
    key = f"chargeback.{row.stripe_dispute}.lost.{row.lost_minor}"
    cause = {"dispute": row.stripe_dispute, "chargeback": row.id}
    row.lost_minor = row.taken_minor
    if lost.currency != dossier.milestone.currency:
        return _in_another_currency(session, dossier, lost, key=key, cause=cause, now=now)
    if dossier.order.held_minor:
        return _while_held(session, dossier, lost, key=key, cause=cause, now=now)
    return _after_release(session, dossier, lost, key=key, cause=cause, now=now)


def _while_held(
    session: Session, dossier: Dossier, lost: Money, *, key: str, cause: Mapping[str, Any], now: datetime
) -> Money:
    deferred = book.balance(session, accounts.deferred_platform_fee(dossier.milestone.id), lost.currency)
    bears = rules.while_held(lost, held=dossier.money(dossier.order.held_minor), fee=deferred)
    journal = postings.chargeback_lost_while_held(
        key=key,
        milestone_id=dossier.milestone.id,
        party_id=dossier.payer.id,
        amount=lost,
        held_part=bears.held,
        fee_part=bears.fee,
        cause=cause,
    )
    book.post(session, journal, now=now)
    orders.shift(session, dossier, now=now, cause=key, held=-bears.held, refunded=bears.held)
    if not dossier.order.held_minor:
        _over(session, dossier, deferred - bears.fee, key=key, now=now)
    return Money.zero(lost.currency)


def _over(session: Session, dossier: Dossier, unearned: Money, *, key: str, now: datetime) -> None:
    """Nothing is held any more: complaints and decisions about it are pointless, and the milestone ends refunded."""
    if unearned.is_positive:  # the bank took a little less than was paid: the rest of the fee is earned
        nothing = Money.zero(unearned.currency)
        journal = postings.decided(
            key=f"{key}.fee",
            milestone_id=dossier.milestone.id,
            payee_id=dossier.payee.id,
            release=nothing,
            refund=nothing,
            fee_kept=unearned,
            fee_returned=nothing,
            concession=nothing,
            cause={"chargeback": key},
        )
        book.post(session, journal, now=now)
        dossier.order.fee_kept_minor += unearned.minor
    wanted = select(Ticket).where(Ticket.milestone_id == dossier.milestone.id, Ticket.status.in_(BLOCKING))
    for ticket in session.scalars(wanted.order_by(Ticket.id).with_for_update()):
        dispute.close(session, SYSTEM, ticket, "CHARGEBACK_LOST", now=now, notes=TAKEN_BACK)
    made = select(Decision).where(
        Decision.milestone_id == dossier.milestone.id, Decision.status.in_(UNDECIDED)
    )
    for decision in session.scalars(made.order_by(Decision.id).with_for_update()):
        standing.void(session, SYSTEM, dossier, decision, now=now, why=TAKEN_BACK, ended=True)
    stop_clocks(dossier)
    dossier.move(milestones.Event.LOSE_CHARGEBACK, now=now)
    session.flush()
    ending.finish(session, dossier, now=now)


def _after_release(
    session: Session, dossier: Dossier, lost: Money, *, key: str, cause: Mapping[str, Any], now: datetime
) -> Money:
    order = dossier.order
    due, part = overtaken.by_bank(session, dossier, lost, key=key, now=now)
    bears = rules.after_release(
        lost,
        refund_due=due,
        payee=dossier.money(order.payable_minor + order.released_minor),
        fee=dossier.money(order.fee_kept_minor),
    )
    journal = postings.chargeback_lost_after_release(
        key=key,
        milestone_id=dossier.milestone.id,
        party_id=dossier.payee.id,
        amount=lost,
        receivable=bears.receivable,
        fee_part=bears.fee,
        refund_due=due,
        cause=cause,
    )
    book.post(session, journal, now=now)
    order.fee_kept_minor -= bears.fee.minor
    if part.is_positive:
        orders.shift(session, dossier, now=now, cause=key, refundable=-part, refunded=part)
    _from_payee(session, dossier, bears.receivable, key=key, now=now)
    session.flush()
    ending.finish(session, dossier, now=now)
    return bears.receivable


def _from_payee(session: Session, dossier: Dossier, debt: Money, *, key: str, now: datetime) -> None:
    """The payee's debt, first from what was not sent yet, then by taking transfers back; the rest stays owed."""
    if not debt.is_positive:
        return
    order = dossier.order
    called_off = unsent.call_off(session, dossier, reason="the payment was charged back", now=now)
    in_flight = dossier.money(unsent.unsettled_minor(session, dossier))
    from_released = min(debt, dossier.money(order.released_minor))
    from_payable = min(debt - from_released, dossier.money(order.payable_minor) - in_flight)
    if from_payable.is_positive:
        receivables.settle(session, dossier, from_payable, key=key, now=now)
    taken = from_released + from_payable
    orders.shift(session, dossier, now=now, cause=key, released=-taken, refunded=taken)
    if (called_off - from_payable).is_positive:
        payouts.request(session, dossier, called_off - from_payable, key=f"{key}.rest", now=now)
    reversals.request(session, dossier, debt - from_payable, key=key, now=now)


def transfer_arrived(
    session: Session, dossier: Dossier, operation: OutgoingOperation, *, now: datetime
) -> None:
    """A transfer that may have been on its way when the chargeback was lost is taken back, as far as the payee owes."""
    wanted = select(Chargeback.id).where(
        Chargeback.milestone_id == dossier.milestone.id,
        Chargeback.lost_minor > 0,
        Chargeback.duplicate_id.is_(None),
    )
    released = dossier.money(dossier.order.released_minor)
    debt = min(receivables.free(session, dossier.payee.id, released.currency), released)
    if debt.is_zero or session.scalars(wanted).first() is None:
        return
    key = f"chargeback.transfer.{operation.id}"
    orders.shift(session, dossier, now=now, cause=key, released=-debt, refunded=debt)
    reversals.request(session, dossier, debt, key=key, now=now)


def _in_another_currency(
    session: Session, dossier: Dossier, lost: Money, *, key: str, cause: Mapping[str, Any], now: datetime
) -> Money:
    """The bank took another currency than the milestone's: our loss for now, and a hold keeps what we still have until
    a person has decided what becomes of it."""
    journal = postings.chargeback_lost_abroad(
        key=key, milestone_id=dossier.milestone.id, party_id=dossier.payer.id, amount=lost, cause=cause
    )
    book.post(session, journal, now=now)
    why = f"A chargeback of {lost.text()} was lost; decide what becomes of this milestone's money."
    hold = Hold(milestone_id=dossier.milestone.id, kind=HoldKind.RISK, reason=why, placed_at=now)
    session.add(hold)
    session.flush()
    dossier.note(session, SYSTEM, "system:hold:place", now=now, about=("hold", hold.id), reason=why)
    return Money.zero(dossier.milestone.currency)


def leave_to_a_person(
    session: Session, line: BalanceLine, *, now: datetime, why: str | None = None
) -> SuspenseItem:
    """A line that was booked to suspense, for whoever settles it."""
    item = SuspenseItem(
        transaction_id=line.id,
        source=line.source or "",
        currency=line.currency,
        amount_minor=line.amount,
        why=why,
        status="OPEN",
        found_at=now,
    )
    session.add(item)
    session.flush()
    audit.record(
        session,
        SYSTEM,
        "system:suspense:find",
        object_kind="suspense",
        object_id=item.id,
        now=now,
        reason=why,
        after={
            "amount": line.amount,
            "currency": line.currency,
            "source": line.source,
            "balance_transaction": line.id,
        },
    )
    return item
