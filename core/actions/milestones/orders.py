"""The payment order: its amounts only move from one place to another, and its state is derived from them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from core import audit
from core.actions.milestones.milestone_context import MilestoneContext
from core.db import Record
from core.errors import DeskError, Wording
from core.money import Money
from core.one_statement import write_together
from core.records import Case, Decision, Milestone, PaymentEvent, PaymentOrder
from core.rules import payment_states
from core.rules.payment_states import Cause

PLACES = ("funded", "held", "payable", "refundable", "released", "refunded")


class PaymentInFlight(DeskError):
    """A payment for “{milestone}” is already on its way. Wait for its outcome."""


def require_idle(order: PaymentOrder, milestone: Milestone) -> None:
    """Raises `PaymentInFlight` while a charge is under way: it settles once, at the price that was asked."""
    if order.in_flight:
        raise PaymentInFlight(milestone=Wording(milestone.title, milestone.id))


def amounts_of(order: PaymentOrder) -> payment_states.Amounts:
    """Where each minor unit of the payment is, as `payment_states` weighs it."""
    return payment_states.Amounts(
        **{place: Money(getattr(order, f"{place}_minor"), order.currency) for place in PLACES}
    )


def shift(session: Session, context: MilestoneContext, *, now: datetime, cause: Cause, **by: Money) -> None:
    """Add the given (signed) amounts to the named places and follow with the state.

    `shift(…, held=-released, payable=released)`. The database refuses an order whose places do not sum to `funded`.
    """
    for place, amount in by.items():
        column = f"{place}_minor"
        setattr(context.order, column, (context.money(getattr(context.order, column)) + amount).minor)
    follow(session, context, now=now, cause=cause)


def follow(session: Session, context: MilestoneContext, *, now: datetime, cause: Cause) -> None:
    """Store the derived payment state; a change of it is a PaymentEvent (payment-escrow-rules, Records).

    Raises `ImpossibleChange` where the table of states has no such change.
    """
    order = context.order
    state = payment_states.derive(
        amounts_of(order),
        in_flight=order.in_flight,
        chargeback_open=order.chargeback_open,
        canceled=order.canceled,
    )
    context.touch()
    payment_states.check_change(payment_states.State(order.state), state)
    events: list[PaymentEvent] = []
    if state != order.state:
        events.append(
            PaymentEvent(
                milestone_id=order.milestone_id,
                from_state=order.state,
                to_state=state,
                cause=cause.key,
                cause_kind=cause.kind,
                caused_by=dict(cause.numbers),
                amounts={place: getattr(order, f"{place}_minor") for place in PLACES},
                at=now,
            )
        )
        audit.become(order, state, now=now)
    write_together(session, _of_milestone(session, context), *events)


def _of_milestone(session: Session, context: MilestoneContext) -> list[Record]:
    """The milestone, its order, and what this transaction changed of its decisions and cases."""
    milestone = context.milestone
    theirs = [
        row for row in session.dirty if isinstance(row, Case | Decision) and row.milestone_id == milestone.id
    ]
    return [*sorted(theirs, key=lambda row: (isinstance(row, Case), row.id)), milestone, context.order]
