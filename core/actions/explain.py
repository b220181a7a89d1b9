"""Explaining the statement: each line that is not booked is looked up at the provider and booked by what caused it.

So reconciliation makes good whatever webhooks missed. What nobody can explain after a day goes to suspense, where a
person says what it was.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit
from core.actions import booking, burden, chargebacks, dispatch, treasury
from core.desk import Desk
from core.errors import DeskError
from core.gateways.payments import DisputeSnapshot, Payments
from core.ledger import postings
from core.money import Money
from core.records import BalanceTransaction, OutgoingOperation, StatementLine
from core.rules.permissions import SYSTEM

log = structlog.get_logger(__name__)

# What is younger may still be explained by an answer or an event that is on its way.
UNEXPLAINED_AFTER = timedelta(days=1)
MOST = 1_000


@dataclass(frozen=True)
class Unbooked:
    id: str
    source: str
    created_at: datetime


def unbooked(desk: Desk) -> int:
    """Look at every line of the statement that is not booked; returns how many were explained."""
    with desk.database.reading() as session:
        lines = _lines(session)
    explained = 0
    for source in dict.fromkeys(line.source for line in lines):
        try:
            explained += _explain(desk, source)
        except DeskError as problem:
            log.warning("statement.unexplained", source=source, reason=problem.message)
    for line in lines:
        if line.created_at <= desk.clock() - UNEXPLAINED_AFTER:
            desk.database.run(lambda session, number=line.id: to_suspense(session, number, now=desk.clock()))  # type: ignore[misc]
    return explained


def _lines(session: Session) -> list[Unbooked]:
    rows = session.execute(
        select(StatementLine.id, StatementLine.source, StatementLine.created_at)
        .outerjoin(BalanceTransaction, BalanceTransaction.id == StatementLine.id)
        .where(BalanceTransaction.id.is_(None), StatementLine.reporting_category.not_in(treasury.OWN))
        .order_by(StatementLine.created_at, StatementLine.id)
        .limit(MOST)
    )
    return [Unbooked(*row) for row in rows]


def _explain(desk: Desk, source: str) -> bool:
    look = _look_up(desk.payments, source)
    if look is None:
        return False
    snapshot = look(source)
    if isinstance(snapshot, DisputeSnapshot):
        followed = desk.database.run(lambda s: chargebacks.follow(s, snapshot, now=desk.clock()))
        return followed is not None
    return bool(snapshot.op) and desk.database.run(lambda s: _settle(s, snapshot, now=desk.clock()))


def _look_up(payments: Payments, source: str) -> Callable[[str], Any] | None:
    kinds: dict[str, Callable[[str], Any]] = {
        "du": payments.dispute_by_id,
        "dp": payments.dispute_by_id,
        "ch": payments.charge_by_id,
        "py": payments.charge_by_id,
        "re": payments.refund_by_id,
        "pyr": payments.refund_by_id,
        "tr": payments.transfer_by_id,
    }
    return kinds.get(source.partition("_")[0])


def _settle(session: Session, snapshot: Any, *, now: datetime) -> bool:
    operation_id = session.scalars(
        select(OutgoingOperation.id).where(OutgoingOperation.key == snapshot.op)
    ).one_or_none()
    if operation_id is None:
        return False
    dispatch.settle(session, operation_id, snapshot=snapshot, now=now)
    return True


def to_suspense(session: Session, line_id: str, *, now: datetime) -> bool:
    """Book a line that nobody explained, unless it was booked meanwhile. A line of nothing is not booked."""
    stated = session.get_one(StatementLine, line_id)
    line = treasury.line_of(stated)
    if booking.is_booked(session, line) or not (line.amount or line.fee):
        return False
    journal = postings.unknown_money(
        key=f"unknown.{line.id}",
        amount=Money(line.amount, line.currency),
        fee=Money(line.fee, line.currency),
        cause={"balance_transaction": line.id, "source": line.source or ""},
    )
    booking.book_line(session, line, journal, now=now)
    burden.leave_to_a_person(session, line, now=now)
    session.flush()
    audit.record(
        session,
        SYSTEM,
        "system:suspense:find",
        object_kind="balance_transaction",
        object_id=line.id,
        now=now,
        after={"amount": line.amount, "currency": line.currency, "source": line.source},
    )
    return True
