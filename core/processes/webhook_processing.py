"""Applying webhook events: the event only says where to look. The object is fetched again and its present state
booked, so events may come late, twice or in any order."""

from __future__ import annotations

import random
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit
from core.actions.chargebacks import lifecycle
from core.actions.risk import external_movements
from core.desk import Desk
from core.errors import DeskError
from core.gateways.payments import DisputeSnapshot, Payments, RefundSnapshot
from core.processes import dispatch, leases
from core.records import OutgoingOperation, WebhookEvent
from core.rules import retries
from core.rules.webhooks import WebhookStatus

log = structlog.get_logger(__name__)


def sweep(desk: Desk, *, limit: int = 200) -> int:
    """Apply every stored event that is due, oldest first; returns how many were taken up."""
    due = (
        select(WebhookEvent.id)
        .where(WebhookEvent.status == WebhookStatus.RECEIVED, WebhookEvent.next_try_at <= desk.clock())
        .order_by(WebhookEvent.created_at, WebhookEvent.id)
    )
    return leases.each_due(desk, due.limit(limit), apply)


def apply(desk: Desk, event_id: str) -> None:
    """Fetch what the event is about and book its present state."""
    with desk.database.reading() as session:
        event = session.get(WebhookEvent, event_id)
    if event is None or event.status != WebhookStatus.RECEIVED:
        return
    try:
        snapshot = _fetch(desk.payments, event)
        desk.database.run(lambda session: _book(session, event.id, snapshot, now=desk.clock()))
    except DeskError as problem:
        _later(desk, event.id, problem)


def _fetch(payments: Payments, event: WebhookEvent) -> Any:
    """The object as it is now; None for a kind that the desk does not follow."""
    if event.kind.startswith("charge.dispute"):
        return payments.dispute_by_id(event.object_id)
    family = event.kind.partition(".")[0]
    body = event.payload.get("data", {}).get("object", {})
    intent = event.object_id if family == "payment_intent" else body.get("payment_intent")
    if family in ("payment_intent", "charge") and intent:
        return payments.charge_of(intent)
    if family == "payout" and event.account:
        return payments.payout_by_id(event.object_id, account=event.account)
    by_id = {"refund": payments.refund_by_id, "transfer": payments.transfer_by_id}.get(family)
    return by_id(event.object_id) if by_id else None


def _book(session: Session, event_id: str, snapshot: Any, *, now: datetime) -> None:
    applied = False
    if isinstance(snapshot, DisputeSnapshot):
        applied = lifecycle.follow(session, snapshot, now=now) is not None
    elif snapshot is not None and snapshot.op:
        operation_id = session.scalars(
            select(OutgoingOperation.id).where(OutgoingOperation.key == snapshot.op)
        ).one_or_none()
        if applied := operation_id is not None:
            dispatch.settle(session, operation_id, snapshot=snapshot, now=now)
    if not applied and isinstance(snapshot, RefundSnapshot):
        applied = external_movements.refund_made_outside(session, snapshot, now=now)
    event = session.get_one(WebhookEvent, event_id, with_for_update=True)
    audit.become(event, WebhookStatus.APPLIED if applied else WebhookStatus.IGNORED, now=now)
    event.finished_at = now


def _later(desk: Desk, event_id: str, problem: DeskError) -> None:
    def write(session: Session) -> None:
        event = session.get_one(WebhookEvent, event_id, with_for_update=True)
        now = desk.clock()
        event.tries += 1
        event.error = problem.message
        again = retries.next_try(event.tries, event.received_at, now, random.randrange)
        leases.put_off(event, until=again, now=now)
        event.finished_at = now if again is None else None

    log.warning("event.later", id=event_id, problem=problem.message)
    desk.database.run(write)
