"""Sending outgoing operations: claimed and committed as SENDING before the call, booked after it, never twice.

A database that was restored from a backup sends nothing before it is released (`core.actions.platform.restores`), and
looks for everything before sending it ever after: what it does not know of may have been sent under the same key.

A worker may die at any instant. Whoever finds an operation that was sent before looks it up at the provider by its
operation id before sending again, and after 23 hours leaves it to a person, because the provider forgets keys after 24.
What tells one kind of operation from another stands in `core.processes.outgoing.kinds`.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from core import logs
from core.actions.milestones.milestone_context import MilestoneContext, open_milestone
from core.actions.operations import operation_states
from core.desk import Desk
from core.gateways.payments import NeedsOperator, OutcomeUnknown, ProviderRefused
from core.money import Money
from core.processes import leases, payee_accounts
from core.processes.outgoing import failures, lookups
from core.processes.outgoing.claim import Claim
from core.processes.outgoing.kinds import KINDS
from core.records import OutgoingOperation, Restore
from core.rules import retries
from core.rules.operations import ENDED, OperationStatus

log = structlog.get_logger(__name__)

STALE_AFTER = timedelta(seconds=60)
LOOK_FIRST_AFTER = timedelta(hours=1)
PAUSED_WORDS = (
    "This database was restored from a backup. Nothing is sent before it is known what Stripe has done since."
)
PAUSED = select(Restore.id).where(Restore.released_at.is_(None)).exists().label("paused")
LOST_SINCE = select(func.min(Restore.taken_at)).scalar_subquery().label("lost_since")
"""What was written after this moment may be lost, and may be at Stripe."""


def sweep(desk: Desk, *, limit: int = 100) -> int:
    """Send every operation that is due or was left behind by a worker that died; returns how many were taken up."""
    due = (
        select(OutgoingOperation.id)
        .where(_due(desk.clock()))
        .order_by(OutgoingOperation.next_try_at, OutgoingOperation.id)
    )
    return leases.each_due(desk, due.limit(limit), send)


def _due(now: datetime) -> ColumnElement[bool]:
    return or_(
        OutgoingOperation.status.in_((OperationStatus.QUEUED, OperationStatus.BLOCKED))
        & (OutgoingOperation.next_try_at <= now),
        (OutgoingOperation.status == OperationStatus.SENDING)
        & (OutgoingOperation.sending_since <= now - STALE_AFTER),
    )


def send(desk: Desk, operation_id: int) -> None:
    """Claim, call, book. Does nothing when another worker has it, when it is not due or when something blocks it.

    Whatever else stops it is written on the operation.
    """
    leases.alone(desk, operation_id, _send, failed=_failed)


def _send(desk: Desk, operation_id: int) -> None:
    claim = desk.database.run(lambda session: _claim(session, operation_id, now=desk.clock()))
    if claim is None:
        return
    with logs.about(operation=claim.key):
        _do(desk, claim)


def _do(desk: Desk, claim: Claim) -> None:
    if claim.stopped:
        _ask_about(desk, claim)
        return
    log.info("operation.sending", key=claim.key, kind=claim.kind, attempt=claim.attempt)
    out_of_date = False
    try:
        snapshot = _call(desk, claim, now=desk.clock())
    except ProviderRefused as refusal:
        write = partial(failures.refused, refusal=refusal)
        out_of_date = refusal.provider_code in failures.NOT_ABLE
    except OutcomeUnknown as unknown:
        write = partial(failures.try_again, unknown=unknown)
    except NeedsOperator as problem:
        write = partial(failures.for_review, reason=problem.message)
    else:
        write = partial(settle, snapshot=snapshot)
    desk.database.run(lambda session: write(session, claim.id, now=desk.clock()))
    if out_of_date:
        payee_accounts.try_to_read(desk, claim.payload.get("destination") or claim.payload["account"])


def _ask_about(desk: Desk, claim: Claim) -> None:
    """What was sent before something stopped it may be done: then it is booked. Asked again when it is looked at
    again."""
    with suppress(OutcomeUnknown, NeedsOperator):
        if snapshot := lookups.found(desk.payments, claim):
            desk.database.run(lambda session: settle(session, claim.id, snapshot=snapshot, now=desk.clock()))


def _failed(desk: Desk, operation_id: int, problem: Exception) -> None:
    reason = leases.why(problem)
    desk.database.run(
        lambda session: failures.broke_off(session, operation_id, reason=reason, now=desk.clock())
    )


def _claim(session: Session, operation_id: int, *, now: datetime) -> Claim | None:
    plain = session.get(OutgoingOperation, operation_id)
    if plain is None:
        return None
    context = open_milestone(session, plain.milestone_id)
    found = session.execute(
        select(OutgoingOperation, PAUSED, LOST_SINCE)
        .where(OutgoingOperation.id == operation_id, _due(now))
        .with_for_update(of=OutgoingOperation, skip_locked=True)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if found is None:
        return None
    operation, paused = found.OutgoingOperation, found.paused
    lost_since: datetime | None = found.lost_since
    if paused and _paused(operation, now=now):
        return None
    if _blocked(session, context, operation, now=now):
        return _stopped(context, operation)
    # An operation that waited long may have been sent by a desk whose backup this is: look before sending.
    tried = operation.first_sent_at is not None
    sent_before = tried or lost_since is not None or now - operation.created_at >= LOOK_FIRST_AFTER
    payload = KINDS[operation.kind].claimed(session, context, operation, now)
    operation_states.sending(operation, now=now)
    assert operation.first_sent_at is not None
    return Claim(
        **_as_queued(operation),
        payload=payload,
        provider_id=operation.provider_id,
        sent_before=sent_before,
        tried=tried,
        first_sent_at=operation.first_sent_at,
        created_at=min(operation.created_at, lost_since or operation.created_at),
    )


def _as_queued(operation: OutgoingOperation) -> dict[str, Any]:
    """What of a claim never changes."""
    return {
        "id": operation.id,
        "key": operation.key,
        "kind": operation.kind,
        "attempt": operation.attempt,
        "amount": Money(operation.amount_minor, operation.currency),
    }


def _stopped(context: MilestoneContext, operation: OutgoingOperation) -> Claim | None:
    """What is needed to ask what became of it; None where it was not sent."""
    if operation.first_sent_at is None:
        return None
    payload = dict(operation.payload)
    if "destination" in payload:
        payload["destination"] = payload["destination"] or context.payee.stripe_account
    return Claim(
        **_as_queued(operation),
        payload=payload,
        provider_id=None,
        sent_before=True,
        tried=True,
        first_sent_at=operation.first_sent_at,
        created_at=operation.created_at,
        stopped=True,
    )


def _paused(operation: OutgoingOperation, *, now: datetime) -> bool:
    """After a restore nothing is sent before it is known what happened since; what is at Stripe is looked at."""
    if operation.provider_id:
        return False
    operation_states.later(
        operation, at=now + failures.LOOK_AGAIN, reason=PAUSED_WORDS, now=now, status=OperationStatus.BLOCKED
    )
    return True


def _blocked(
    session: Session, context: MilestoneContext, operation: OutgoingOperation, *, now: datetime
) -> bool:
    """What stops it is checked again before money leaves (docs/decisions/0004); what is at Stripe already continues."""
    if operation.provider_id:
        return False
    blocks = KINDS[operation.kind].blocks(session, context, operation)
    if blocks:
        tried = (operation_states.MAY_BE_DONE,) if operation.first_sent_at is not None else ()
        reason = " ".join((*tried, *(block.sentence for block in blocks)))
        operation_states.later(
            operation, at=now + failures.LOOK_AGAIN, reason=reason, now=now, status=OperationStatus.BLOCKED
        )
    return bool(blocks)


def _call(desk: Desk, claim: Claim, *, now: datetime) -> Any:
    if claim.provider_id:
        return lookups.state(desk.payments, claim)
    if claim.sent_before:
        if found := lookups.found(desk.payments, claim):
            return found
        if retries.given_up(claim.first_sent_at, now):
            raise lookups.NoTrace()
    return KINDS[claim.kind].call(desk, claim)


def settle(session: Session, operation_id: int, *, snapshot: Any, now: datetime) -> None:
    """Book what the provider says about an operation: the one function for answers, webhooks and reconciliation."""
    plain = session.get_one(OutgoingOperation, operation_id)
    context = open_milestone(session, plain.milestone_id)
    operation = operation_states.locked(session, operation_id)
    if operation.first_sent_at is None and operation.status not in ENDED:
        # Sent by a desk whose backup this is: what it was a step of is on its way too.
        KINDS[operation.kind].claimed(session, context, operation, now)
        operation.first_sent_at = now
    KINDS[operation.kind].settle(session, context, operation, snapshot, now)
    log.info(
        "operation.settled", key=operation.key, status=operation.status, provider_id=operation.provider_id
    )
