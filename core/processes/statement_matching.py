"""Explaining the statement: each line that is not booked is looked up at the provider and booked by what caused it.

So reconciliation makes good whatever webhooks missed. What nobody can explain after a day goes to suspense with the
reason, where people say what it was. Which kind of line is handled how stands in `core.rules.statement_line_types`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.actions.chargebacks import lifecycle
from core.actions.funding import balance_transactions
from core.actions.platform import platform_money
from core.actions.reconciliation import suspense_items
from core.actions.risk import external_movements
from core.desk import Desk
from core.errors import DeskError
from core.gateways.payments import ChargeSnapshot, DisputeSnapshot, Payments, RefundSnapshot
from core.ledger import postings
from core.money import Money
from core.processes.outgoing import dispatch
from core.records import (
    BalanceTransaction,
    Milestone,
    OutgoingOperation,
    Party,
    PaymentOrder,
    Project,
    StatementLine,
)
from core.rules import statement_line_types
from core.rules.milestones import Status
from core.rules.statement_line_types import Handling

log = structlog.get_logger(__name__)

# What is younger may still be explained by an answer or an event that is on its way.
UNEXPLAINED_AFTER = timedelta(days=1)
MOST = 1_000


@dataclass(frozen=True)
class Unbooked:
    id: str
    kind: str
    category: str
    source: str
    created_at: datetime


@dataclass(frozen=True)
class Clue:
    """What is known of a line that nothing explains: the payment it came by, and whose it seems to be. `known`: what
    caused it is the desk's own, and as Stripe shows it now."""

    payment_intent: str | None = None
    milestone_id: int | None = None
    known: bool = False


NONE = Clue()


def explain(desk: Desk, unbooked: Sequence[str]) -> int:
    """Look at each of these lines of the statement that is not booked yet; returns how many sources were explained."""
    with desk.database.reading() as session:
        lines = _lines(session, unbooked)
    explained, clues = 0, dict[str, Clue]()
    for line in {line.source: line for line in lines}.values():
        try:
            done = _explain(desk, line)
        except DeskError as problem:
            log.warning("statement.unexplained", source=line.source, reason=problem.message)
            continue
        explained += done.known
        clues[line.source] = done
    for line in lines:
        if line.created_at <= desk.clock() - UNEXPLAINED_AFTER:
            clue = clues.get(line.source, NONE)
            desk.database.run(
                lambda session, number=line.id, clue=clue: to_suspense(  # type: ignore[misc]
                    session, number, now=desk.clock(), clue=clue
                )
            )
    return explained


def explain_again(desk: Desk, line_id: str) -> None:
    """Look at one line's cause once more, and apply its present state. Raises what the provider refuses."""
    with desk.database.reading() as session:
        stated = session.get(StatementLine, line_id)
    if stated is not None:
        _explain(
            desk,
            Unbooked(stated.id, stated.kind, stated.reporting_category, stated.source, stated.created_at),
        )


def _lines(session: Session, unbooked: Sequence[str]) -> list[Unbooked]:
    stated = StatementLine
    rows = session.execute(
        select(stated.id, stated.kind, stated.reporting_category, stated.source, stated.created_at)
        .outerjoin(BalanceTransaction, BalanceTransaction.id == stated.id)
        .where(stated.id == func.any(list(unbooked)), BalanceTransaction.id.is_(None))
        .where((stated.amount != 0) | (stated.fee != 0))
        .order_by(stated.created_at, stated.id)
        .limit(MOST)
    )
    return [Unbooked(*row) for row in rows]


def _explain(desk: Desk, line: Unbooked) -> Clue:
    """What is known of it. Where its cause is known, it is booked now if the cause's state says so."""
    if statement_line_types.of(line.kind, line.category).handling is not Handling.CAUSE:
        return NONE
    look = _look_up(desk.payments, line)
    if look is None:
        return NONE
    snapshot = look(line.source)
    if isinstance(snapshot, DisputeSnapshot):
        followed = desk.database.run(lambda s: lifecycle.follow(s, snapshot, now=desk.clock()))
        return Clue(known=followed is not None)
    if snapshot.op and desk.database.run(lambda s: _settle(s, snapshot, now=desk.clock())):
        return Clue(known=True)
    if isinstance(snapshot, RefundSnapshot):
        desk.database.run(
            lambda session: external_movements.refund_made_outside(session, snapshot, now=desk.clock())
        )
    return desk.database.run(lambda session: _clue(session, snapshot))


def _look_up(payments: Payments, line: Unbooked) -> Callable[[str], Any] | None:
    kinds: dict[str, Callable[[str], Any]] = {
        "du": payments.dispute_by_id,
        "dp": payments.dispute_by_id,
        "ch": payments.charge_by_id,
        "py": payments.charge_by_id,
        "re": payments.refund_by_id,
        "pyr": payments.refund_by_id,
        "tr": payments.transfer_by_id,
        "trr": lambda _: payments.reversal_of(line.id),
    }
    return kinds.get(line.source.partition("_")[0])


def _settle(session: Session, snapshot: Any, *, now: datetime) -> bool:
    operation_id = session.scalars(
        select(OutgoingOperation.id).where(OutgoingOperation.key == snapshot.op)
    ).one_or_none()
    if operation_id is None:
        return False
    dispatch.settle(session, operation_id, snapshot=snapshot, now=now)
    return True


def _clue(session: Session, snapshot: Any) -> Clue:
    """The milestone of a payment by its payer's last project, that of a refund by the payment it gives back."""
    match snapshot:
        case ChargeSnapshot():
            return Clue(snapshot.id, _last_milestone(session, snapshot.customer))
        case RefundSnapshot():
            paid = select(PaymentOrder.milestone_id).where(
                PaymentOrder.stripe_payment_intent == snapshot.payment_intent
            )
            return Clue(milestone_id=session.scalars(paid).first())
    return NONE


def _last_milestone(session: Session, customer: str | None) -> int | None:
    if customer is None:
        return None
    wanted = (
        select(Milestone.id)
        .join(Project, Project.id == Milestone.project_id)
        .join(Party, Party.id == Project.payer_id)
        .where(Party.stripe_customer == customer, Milestone.status != Status.PLANNED)
    )
    return session.scalars(wanted.order_by(Milestone.id.desc())).first()


def to_suspense(session: Session, line_id: str, *, now: datetime, clue: Clue = NONE) -> bool:
    """Book a line that nobody explained, unless it was booked meanwhile. A line of nothing is not booked."""
    stated = session.get_one(StatementLine, line_id)
    line = platform_money.balance_line(stated)
    if balance_transactions.is_booked(session, line) or not (line.amount or line.fee):
        return False
    journal = postings.unknown_money(
        key=f"unknown.{line.id}",
        amount=Money(line.amount, line.currency),
        fee=Money(line.fee, line.currency),
        cause={"balance_transaction": line.id, "source": line.source or ""},
    )
    balance_transactions.book_line(session, line, journal, now=now)
    by_type = statement_line_types.of(line.type, line.reporting_category).why
    why = statement_line_types.NOT_BY_ITS_CAUSE if clue.known else by_type
    item = suspense_items.of_stripe(session, line, now=now, why=why)
    external_movements.payment_reversed(
        session, Money(line.amount, line.currency), line.source or "", now=now
    )
    item.payment_intent, item.milestone_id = clue.payment_intent, clue.milestone_id
    session.flush()
    return True
