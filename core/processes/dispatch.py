"""Sending outgoing operations: claimed and committed as SENDING before the call, booked after it, never twice.

A worker may die at any instant. Whoever finds an operation that was sent before looks it up at the provider by its
operation id before sending again, and after 23 hours leaves it to a person, because the provider forgets keys after 24.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from core import audit
from core.actions.chargebacks import duplicate_chargebacks, liability, lifecycle, refund_offsets
from core.actions.funding import duplicate_payments, fund
from core.actions.milestones.milestone_context import MilestoneContext, open_milestone
from core.actions.operations import client_funds, operation_states
from core.actions.payouts import release, reversals, withdrawals
from core.actions.refunds import refunds
from core.actions.risk import external_movements
from core.desk import Desk
from core.errors import DeskError
from core.gateways.payments import NeedsOperator, OutcomeUnknown, ProviderRefused
from core.money import Money
from core.processes import operation_lookups
from core.processes.operation_lookups import Claim, NoTrace
from core.records import Chargeback, OutgoingOperation, Payout
from core.rules import client_funds as client_funds_rules
from core.rules import holds, retries
from core.rules.chargebacks import FILE_KINDS
from core.rules.payouts import NotPaid, PayoutEvent, PayoutStatus
from core.rules.permissions import SYSTEM

log = structlog.get_logger(__name__)

STALE_AFTER = timedelta(seconds=60)
LOOK_FIRST_AFTER = timedelta(hours=1)
BLOCKED_LOOK_AGAIN = timedelta(minutes=5)
NO_MONEY_YET = timedelta(hours=1)
TO_PAYEE = ("TRANSFER", "PAYOUT")
SHORT = ("balance_insufficient", "insufficient_funds")
HEALED_BY_TIME = (*SHORT, "charge_disputed")


class EvidenceUnread(NeedsOperator):
    """Nothing was sent, because a file of the evidence could not be read: {reason}"""


def sweep(desk: Desk, *, limit: int = 100) -> int:
    """Send every operation that is due or was left behind by a worker that died; returns how many were taken up."""
    now = desk.clock()
    with desk.database.reading() as session:
        ids = session.scalars(
            select(OutgoingOperation.id)
            .where(_due(now))
            .order_by(OutgoingOperation.next_try_at, OutgoingOperation.id)
            .limit(limit)
        ).all()
    for operation_id in ids:
        send(desk, operation_id)
    return len(ids)


def _due(now: datetime) -> Any:
    return or_(
        OutgoingOperation.status.in_(("QUEUED", "BLOCKED")) & (OutgoingOperation.next_try_at <= now),
        (OutgoingOperation.status == "SENDING") & (OutgoingOperation.sending_since <= now - STALE_AFTER),
    )


def send(desk: Desk, operation_id: int) -> None:
    """Claim, call, book. Does nothing when another worker has it, when it is not due or when something blocks it."""
    claim = desk.database.run(lambda session: _claim(session, operation_id, now=desk.clock()))
    if claim is None:
        return
    log.info("operation.sending", key=claim.key, kind=claim.kind, attempt=claim.attempt)
    try:
        snapshot = _call(desk, claim, now=desk.clock())
    except ProviderRefused as refusal:
        write = partial(_refused, refusal=refusal)
    except OutcomeUnknown as unknown:
        write = partial(_try_again, unknown=unknown)
    except NeedsOperator as problem:
        write = partial(_for_review, reason=problem.message)
    else:
        write = partial(settle, snapshot=snapshot)
    desk.database.run(lambda session: write(session, claim.id, now=desk.clock()))


def _claim(session: Session, operation_id: int, *, now: datetime) -> Claim | None:
    plain = session.get(OutgoingOperation, operation_id)
    if plain is None:
        return None
    context = open_milestone(session, plain.milestone_id)
    operation = session.scalars(
        select(OutgoingOperation)
        .where(OutgoingOperation.id == operation_id, _due(now))
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if operation is None or _blocked(session, context, operation, now=now):
        return None
    # An operation that waited long may have been sent by a desk whose backup this is: look before sending.
    tried = operation.first_sent_at is not None
    sent_before = tried or now - operation.created_at >= LOOK_FIRST_AFTER
    payout = _payout_of(session, operation)
    if operation.kind == "TRANSFER" and payout is not None and payout.status == PayoutStatus.REQUESTED:
        withdrawals.move(payout, PayoutEvent.SEND, now=now)
    operation_states.sending(operation, now=now)
    assert operation.first_sent_at is not None
    return Claim(
        id=operation.id,
        key=operation.key,
        kind=operation.kind,
        attempt=operation.attempt,
        amount=Money(operation.amount_minor, operation.currency),
        payload=_payload(context, operation),
        provider_id=operation.provider_id,
        sent_before=sent_before,
        tried=tried,
        first_sent_at=operation.first_sent_at,
        created_at=operation.created_at,
    )


def _payload(context: MilestoneContext, operation: OutgoingOperation) -> dict[str, Any]:
    """As it was queued. A transfer that waited for the payee's account goes to the account that they have since."""
    payload = dict(operation.payload)
    if operation.kind == "TRANSFER" and payload["destination"] is None:
        payload["destination"] = context.payee.stripe_account
    return payload


def _blocked(
    session: Session, context: MilestoneContext, operation: OutgoingOperation, *, now: datetime
) -> bool:
    """Holds and tickets are looked at once more before money leaves for the payee (DESIGN 5)."""
    if operation.provider_id:
        return False
    if operation.kind in TO_PAYEE:
        blocks = release.blocking_payout(session, context)
        if operation.kind == "TRANSFER" and client_funds.stopped(session, operation.currency):
            blocks = (*blocks, client_funds_rules.stopped(operation.currency))
    elif operation.kind == "REFUND" and _of_the_order(operation, context):
        # What the bank holds cannot be refunded too, nor what was refunded by hand.
        blocks = (
            *holds.blocking(holds.Facts(chargeback_open=context.order.chargeback_open)),
            *external_movements.stopping_refunds(session, context.milestone.id),
        )
    elif operation.kind == "REFUND":
        blocks = holds.blocking(holds.Facts(chargeback_open=duplicate_chargebacks.frozen(session, operation)))
    else:
        return False
    if blocks:
        tried = (operation_states.MAY_BE_DONE,) if operation.first_sent_at is not None else ()
        reason = " ".join((*tried, *(block.sentence for block in blocks)))
        operation_states.later(
            operation, at=now + BLOCKED_LOOK_AGAIN, reason=reason, now=now, status="BLOCKED"
        )
    return bool(blocks)


def _of_the_order(operation: OutgoingOperation, context: MilestoneContext) -> bool:
    """A payment that came twice is returned whatever becomes of the first."""
    paid_with: str = operation.payload["payment_intent"]
    return paid_with == context.order.stripe_payment_intent


def _call(desk: Desk, claim: Claim, *, now: datetime) -> Any:
    payments = desk.payments
    if claim.provider_id:
        return operation_lookups.state(payments, claim)
    if claim.sent_before:
        if found := operation_lookups.found(payments, claim):
            return found
        if retries.given_up(claim.first_sent_at, now):
            raise NoTrace()
    return _send(desk, claim)


def _send(desk: Desk, claim: Claim) -> Any:
    payments = desk.payments
    payload, sent = claim.payload, (claim.key, claim.idempotency_key)
    match claim.kind:
        case "CHARGE":
            return payments.charge(*sent, amount=claim.amount, **payload)
        case "REFUND":
            return payments.refund(*sent, amount=claim.amount, **payload)
        case "TRANSFER":
            return payments.transfer(*sent, amount=claim.amount, **payload)
        case "PAYOUT":
            return payments.payout(
                *sent, account=payload["account"], amount=claim.amount, method=payload["method"]
            )
        case "REVERSAL":
            return payments.reverse_transfer(*sent, transfer=payload["transfer"], amount=claim.amount)
        case "EVIDENCE":
            told = {**payload["texts"], **_uploaded(desk, claim)}
            return payments.submit_evidence(
                *sent, dispute=payload["dispute"], evidence=told, submit=payload["submit"]
            )
    return payments.accept_dispute(claim.idempotency_key, dispute=payload["dispute"])


def _uploaded(desk: Desk, claim: Claim) -> dict[str, str]:
    """The files of an answer, each by the id that the provider gave it. A file that cannot be read stops the answer:
    a person decides whether to send it without."""
    made = {}
    for field, piece in claim.payload.get("files", {}).items():
        try:
            content = desk.evidence.get(piece["owner"], piece["sha256"])
        except DeskError as problem:
            raise EvidenceUnread(reason=problem.message) from problem
        name = f"{field}.{FILE_KINDS[piece['kind']]}"
        key = f"{claim.idempotency_key}:{field}"
        made[field] = desk.payments.upload_evidence(key, filename=name, content=content)
    return made


def settle(session: Session, operation_id: int, *, snapshot: Any, now: datetime) -> None:
    """Book what the provider says about an operation: the one function for answers, webhooks and reconciliation."""
    plain = session.get_one(OutgoingOperation, operation_id)
    context = open_milestone(session, plain.milestone_id)
    operation = _locked(session, operation_id)
    before = operation.status
    match operation.kind:
        case "CHARGE":
            fund.settle(session, operation, snapshot, now=now)
        case "REFUND":
            second = duplicate_payments.returned_by(session, operation)
            if second is not None:
                duplicate_payments.settle(session, operation, second, snapshot, now=now)
            else:
                refunds.settle(session, operation, snapshot, now=now)
            refund_offsets.on_refund_failed(session, operation, now=now)
        case "TRANSFER":
            withdrawals.settle_transfer(session, operation, snapshot, now=now)
            if before != operation.status == "SUCCEEDED":
                liability.transfer_arrived(session, context, operation, now=now)
        case "PAYOUT":
            withdrawals.settle_payout(session, operation, snapshot, now=now)
        case "REVERSAL":
            reversals.settle(session, operation, snapshot, now=now)
        case "EVIDENCE" | "ACCEPTANCE":
            lifecycle.follow(session, snapshot, now=now)
            operation_states.succeeded(operation, provider_id=snapshot.id, now=now)
    log.info(
        "operation.settled", key=operation.key, status=operation.status, provider_id=operation.provider_id
    )


def _refused(session: Session, operation_id: int, *, refusal: ProviderRefused, now: datetime) -> None:
    operation = _unsettled(session, operation_id)
    if operation is None:
        return
    log.warning("operation.refused", key=operation.key, code=refusal.provider_code)
    if operation.kind == "REVERSAL":
        # The payee's money is not there any more; the debt stays, and later releases settle it.
        operation_states.refused(operation, reason=refusal.message, now=now)
    elif _heals(session, operation, refusal):
        operation_states.again_as_new(
            operation, at=now + NO_MONEY_YET, reason=_why_later(operation, refusal), now=now
        )
        payout = _payout_of(session, operation)
        if payout is not None and payout.status == PayoutStatus.SENDING:
            withdrawals.move(
                payout, PayoutEvent.BLOCK, now=now
            )  # certainly not sent: it can be called off meanwhile
    elif operation.kind == "CHARGE":
        operation_states.refused(operation, reason=refusal.message, now=now)
        reason = str(refusal.facts["reason"])
        fund.declined(session, operation, reason=reason, code=refusal.provider_code, now=now)
    else:
        # A refused payment to a payee is over: its payout is what a person looks at. Whatever else a person sends again
        # is another attempt, because the provider would repeat its no for this one.
        end = operation_states.refused if operation.kind in TO_PAYEE else operation_states.for_review
        _leave_to_a_person(session, operation, refusal.message, now=now, end=end)
        if operation.kind == "REFUND":
            refunds.refused(session, operation, now=now)
        if operation.kind not in TO_PAYEE:
            operation.attempt, operation.first_sent_at = operation.attempt + 1, None
        refund_offsets.on_refund_failed(session, operation, now=now)


def _why_later(operation: OutgoingOperation, refusal: ProviderRefused) -> str:
    """What finance reads beside a call that time, or a top-up, will heal."""
    if refusal.provider_code not in SHORT:
        return refusal.message
    return operation_states.NOT_SETTLED_YET if operation.kind == "PAYOUT" else operation_states.SHORT_OF_MONEY


def _heals(session: Session, operation: OutgoingOperation, refusal: ProviderRefused) -> bool:
    """Time heals want of money, and a chargeback that is not over; what the bank has kept for good it does not."""
    if operation.kind == "CHARGE" or refusal.provider_code not in HEALED_BY_TIME:
        return False
    kept = select(Chargeback.id).where(
        Chargeback.milestone_id == operation.milestone_id, Chargeback.status == "lost"
    )
    return refusal.provider_code != "charge_disputed" or session.scalars(kept).first() is None


def _try_again(session: Session, operation_id: int, *, unknown: OutcomeUnknown, now: datetime) -> None:
    """Same key, later: exponential backoff with full jitter; after the last try a person looks at it."""
    operation = _unsettled(session, operation_id)
    if operation is None:
        return
    assert operation.first_sent_at is not None
    at = retries.next_try(operation.tries, operation.first_sent_at, now, random.randrange)
    if at is None:
        _leave_to_a_person(session, operation, unknown.message, now=now)
    else:
        operation_states.later(operation, at=at, reason=unknown.message, now=now)


def _for_review(session: Session, operation_id: int, *, reason: str, now: datetime) -> None:
    operation = _unsettled(session, operation_id)
    if operation is not None:
        _leave_to_a_person(session, operation, reason, now=now)


def _leave_to_a_person(
    session: Session,
    operation: OutgoingOperation,
    reason: str,
    *,
    now: datetime,
    end: Callable[..., None] = operation_states.for_review,
) -> None:
    end(operation, reason=reason, now=now)
    audit.record(
        session,
        SYSTEM,
        "system:operation:review",
        object_kind="operation",
        object_id=operation.id,
        now=now,
        reason=reason,
        milestone_id=operation.milestone_id,
        operation_key=operation.key,
    )
    payout = _payout_of(session, operation)
    if payout is not None:
        payout.failure = reason
        if payout.status != PayoutStatus.ADMINISTRATIVE_REVIEW:
            withdrawals.move(payout, PayoutEvent.FAIL, now=now)
            withdrawals.move(payout, PayoutEvent.REVIEW, now=now)
        how = NotPaid.REFUSED if operation.status == "REFUSED" else NotPaid.UNKNOWN
        withdrawals.report_failure(session, payout, how, now=now, operation_key=operation.key)


def _payout_of(session: Session, operation: OutgoingOperation) -> Payout | None:
    if operation.kind == "PAYOUT":
        return session.get(Payout, operation.payload["payout"])
    if operation.kind == "TRANSFER":
        return session.scalars(
            select(Payout).where(Payout.transfer_operation_id == operation.id)
        ).one_or_none()
    return None


def _unsettled(session: Session, operation_id: int) -> OutgoingOperation | None:
    """The operation under its locks; None when it was settled by other news while we waited for the answer."""
    plain = session.get_one(OutgoingOperation, operation_id)
    open_milestone(session, plain.milestone_id)
    operation = _locked(session, operation_id)
    return None if operation.status in operation_states.ENDED else operation


def _locked(session: Session, operation_id: int) -> OutgoingOperation:
    return session.get_one(OutgoingOperation, operation_id, with_for_update=True, populate_existing=True)
