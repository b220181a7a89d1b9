"""Applying webhook events: the event only says where to look. The object is fetched again and its present state
booked, so events may come late, twice or in any order."""

from __future__ import annotations

import random
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit, logs
from core.actions.chargebacks import lifecycle
from core.actions.parties import payee_accounts, payment_method_setups
from core.actions.risk import external_movements
from core.desk import Desk
from core.gateways import stripe_events
from core.gateways.payments import (
    DisputeSnapshot,
    PayeeAccountSnapshot,
    Payments,
    RefundSnapshot,
    SetupSnapshot,
)
from core.gateways.stripe_events import EventUnusable, Subject
from core.gateways.stripe_ids import IdUnusable
from core.processes import leases
from core.processes.outgoing import dispatch
from core.records import OutgoingOperation, WebhookEvent
from core.rules import retries
from core.rules.webhooks import WebhookStatus

log = structlog.get_logger(__name__)

NOT_FOLLOWED = "The desk does not follow events of this kind."
NOT_OURS = "It is about nothing that the desk sent, and nothing that changes what the desk holds."


def sweep(desk: Desk, *, limit: int = 200) -> int:
    """Apply every stored event that is due, oldest first; returns how many were taken up."""
    due = (
        select(WebhookEvent.id)
        .where(WebhookEvent.status == WebhookStatus.RECEIVED, WebhookEvent.next_try_at <= desk.clock())
        .order_by(WebhookEvent.created_at, WebhookEvent.id)
    )
    return leases.each_due(desk, due.limit(limit), apply)


def apply(desk: Desk, event_id: str) -> None:
    """Fetch what the event is about and book its present state. Whatever stops it is written on the event."""
    leases.alone(desk, event_id, _apply, failed=_failed)


def _apply(desk: Desk, event_id: str) -> None:
    with desk.database.reading() as session:
        event = session.get(WebhookEvent, event_id)
    if event is None or event.status != WebhookStatus.RECEIVED:
        return
    with logs.about(webhook=event_id):
        _take(desk, event)


def _take(desk: Desk, event: WebhookEvent) -> None:
    asked_at = desk.clock()
    snapshot = _fetch(desk.payments, stripe_events.subject(event.kind, event.payload))
    desk.database.run(lambda session: _book(session, event.id, snapshot, asked_at=asked_at, now=desk.clock()))


def _fetch(payments: Payments, about: Subject | None) -> Any:
    """The object as it is now; None for what the desk does not follow."""
    match about:
        case Subject("dispute", number):
            return payments.dispute_by_id(number)
        case Subject("payment_intent", number):
            return payments.charge_of(number)
        case Subject("charge", number):
            return payments.charge_by_id(number)
        case Subject("setup_intent", number):
            return payments.set_up_of(number)
        case Subject("account", number):
            return payments.payee_account(number)
        case Subject("payout", number, str(account)):
            return payments.payout_by_id(number, account=account)
        case Subject("refund", number):
            return payments.refund_by_id(number)
        case Subject("transfer", number):
            return payments.transfer_by_id(number)
    return None


def _book(session: Session, event_id: str, snapshot: Any, *, asked_at: datetime, now: datetime) -> None:
    applied = False
    if isinstance(snapshot, DisputeSnapshot):
        applied = lifecycle.follow(session, snapshot, now=now) is not None
    elif isinstance(snapshot, SetupSnapshot):
        applied = payment_method_setups.follow(session, snapshot, now=now)
    elif isinstance(snapshot, PayeeAccountSnapshot):
        applied = payee_accounts.follow(session, snapshot, asked_at=asked_at, now=now)
    elif snapshot is not None and snapshot.op:
        operation = session.scalars(
            select(OutgoingOperation).where(OutgoingOperation.key == snapshot.op)
        ).one_or_none()
        if operation is not None:
            applied = True
            dispatch.settle(session, operation.id, snapshot=snapshot, now=now)
    if not applied and isinstance(snapshot, RefundSnapshot):
        applied = external_movements.refund_made_outside(session, snapshot, now=now)
    event = session.get_one(WebhookEvent, event_id, with_for_update=True)
    audit.become(event, WebhookStatus.APPLIED if applied else WebhookStatus.IGNORED, now=now)
    event.error = None if applied else NOT_OURS if stripe_events.followed(event.kind) else NOT_FOLLOWED
    event.finished_at = now


def _failed(desk: Desk, event_id: str, problem: Exception) -> None:
    """Later again, up to the last try, however long ago it came: fetching changes nothing at Stripe. Given up where
    trying again cannot help, because of what the event itself says."""
    reason = leases.why(problem)
    hopeless = isinstance(problem, EventUnusable | IdUnusable)

    def write(session: Session) -> None:
        event = session.get_one(WebhookEvent, event_id, with_for_update=True)
        if event.status != WebhookStatus.RECEIVED:
            return
        now = desk.clock()
        event.tries += 1
        event.error = reason
        over = hopeless or retries.exhausted(event.tries)
        again = None if over else now + retries.delay(event.tries, random.randrange)
        leases.put_off(event, until=again, now=now)
        event.finished_at = now if again is None else None

    log.warning("event.failed" if hopeless else "event.later", id=event_id, problem=reason)
    desk.database.run(write)
