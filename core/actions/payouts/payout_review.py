"""Where a payout is retried: administrative review of a failed one sends it again, perhaps by another method.

(milestone-payment-flow, Error Handling 2: failed payouts go to administrative review, and another payout method is
offered.) What to send again depends on how far the money came:

* The transfer was never made: the same operation again, which looks for its own trace at the provider first. By
  another method, and only when the provider had said no, a new operation, because the fee and so the amount are others.
* The transfer arrived and the payout failed: a new payout of what lies on the payee's account. The withdrawal fee was
  taken with the transfer; as much of it as another method costs more is reversed, unless a member of staff waives it.
* The payout's outcome is not known: the same operation again, which looks for its trace first. No other method.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import jobs, outbox
from core.actions.decisions import planned_calls
from core.actions.milestones.milestone_context import MilestoneContext, open_milestone
from core.actions.operations import operation_states
from core.actions.payouts import method_fees, withdrawals
from core.audit.actions import AuditAction, StoredAction
from core.errors import DeskError, NotFound, Wording
from core.money import stripe_exact
from core.policy import WithdrawalMethod
from core.queries import payout_progress
from core.records import OutgoingOperation, Payout, PayoutOffer, Staff
from core.rules import payouts as rules
from core.rules.operations import OperationKind, OperationStatus
from core.rules.payout_failures import WillFailAgain
from core.rules.payouts import PayoutEvent, PayoutOfferStatus, PayoutStatus
from core.rules.permissions import Actor, Permission, require
from core.rules.reasons import given
from core.rules.references import reference
from core.rules.transitions import status_words


class PayoutNotInReview(DeskError, tells=("payout",)):
    """This payout is {status}; only one that is in administrative review can be sent again."""


class OutcomeStillUnknown(DeskError, tells=("payout",)):
    """Whether the last call went through is not known, so the method cannot be changed yet. Try again by the same
    method: the desk looks for its trace at Stripe first and sends only what is not there."""


class MethodsOffered(DeskError):
    """{who} offered {methods} to the payee on {when}, and the payee may choose at any time. Withdraw the offer before
    you send this payout again."""


class NothingToWaive(DeskError):
    """Only the fee of another method can be waived: that of this one was agreed when the payout was requested."""


def retry(
    session: Session,
    actor: Actor,
    *,
    now: datetime,
    payout_id: int,
    reason: str,
    method: WithdrawalMethod | None = None,
    anyway: bool = False,
    waive_fee: bool = False,
) -> Payout:
    """Send a payout in review again, by `method` or as before. Raises `PayoutNotInReview`, `MethodsOffered`,
    `OutcomeStillUnknown`, `MethodNotSent`, `WithdrawalTooSmall`, `StepUpRequired`, `NothingToWaive`, and
    `WillFailAgain` where the bank account is still the one that refused it and nobody said `anyway`.

    Holds and cases are asked once more when it is dispatched. Another method costs its fee, which the payee reads of.
    """
    require(actor, Permission.REVIEW_PAYOUT, now)
    if waive_fee:
        require(actor, Permission.WAIVE_FEE, now)
    reason = given(reason)
    context, payout = locked(session, payout_id)
    _require_no_offer(session, payout.id)
    chosen = method or WithdrawalMethod(payout.method)
    other = chosen != payout.method
    if other:
        rules.require_sent(chosen)
    elif waive_fee:
        raise NothingToWaive()
    if not anyway:
        _require_another_account(session, payout)
    send_again(
        session,
        actor,
        context,
        payout,
        chosen,
        action=AuditAction.PAYOUT_RETRY.by("staff"),
        now=now,
        reason=reason,
        waived_by=actor.id if waive_fee else None,
    )
    if other:
        _tell_other_method(session, context, payout, now=now)
    return payout


def _require_another_account(session: Session, payout: Payout) -> None:
    """Raises `WillFailAgain`."""
    repeats = payout_progress.repeats(session, payout)
    if repeats is not None:
        raise WillFailAgain(payout=reference("payout", payout.id), why=repeats.why, remedy=repeats.remedy)


def _tell_other_method(session: Session, context: MilestoneContext, payout: Payout, *, now: datetime) -> None:
    context.tell(
        session,
        "payout_method_changed",
        context.payee,
        key=f"payout-{payout.id}-by-{payout.method}-{now.isoformat()}",
        now=now,
        about=("payout", payout.id),
        method=withdrawals.IN_WORDS[WithdrawalMethod(payout.method).sent_as],
        withdrawal_fee=context.money(payout.fee_minor),
        sent=context.money(payout.amount_minor - payout.fee_minor),
    )


def send_again(
    session: Session,
    actor: Actor,
    context: MilestoneContext,
    payout: Payout,
    method: WithdrawalMethod,
    *,
    action: StoredAction,
    now: datetime,
    reason: str | None = None,
    waived_by: int | None = None,
) -> None:
    """By whoever may: staff who review it, the payee who takes what was offered, or the desk when the payee has another
    bank account. `waived_by` let the fee go."""
    before = _standing(payout)
    send = _pay_out_again if payout.stripe_transfer else _transfer_again
    payout.failure = payout.failure_code = payout.failed_bank = None
    operation = send(session, context, payout, method, waived_by=waived_by, now=now)
    session.flush()
    context.note(
        session,
        actor,
        action,
        now=now,
        about=("payout", payout.id),
        reason=reason,
        before=before,
        after=_standing(payout),
        operation_key=operation.key,
    )


def _standing(payout: Payout) -> dict[str, object]:
    said: dict[str, object] = {"status": payout.status, "method": payout.method, "fee": payout.fee_minor}
    if payout.fee_waived_minor:
        said |= {"fee_waived": payout.fee_waived_minor, "fee_waived_by": payout.fee_waived_by}
    return said


def open_offer(session: Session, payout_id: int) -> PayoutOffer | None:
    """The other methods that the payee may choose from now."""
    wanted = select(PayoutOffer).where(
        PayoutOffer.payout_id == payout_id, PayoutOffer.status == PayoutOfferStatus.OPEN
    )
    return session.scalars(wanted.with_for_update()).one_or_none()


def _require_no_offer(session: Session, payout_id: int) -> None:
    """A payout has one way at a time. Raises `MethodsOffered`."""
    row = open_offer(session, payout_id)
    if row is not None:
        raise MethodsOffered(
            who=session.get_one(Staff, row.offered_by).name,
            methods=", ".join(row.methods),
            when=f"{row.offered_at:%-d %b %Y, %H:%M} UTC",
        )


def locked(session: Session, payout_id: int) -> tuple[MilestoneContext, Payout]:
    """The payout in review with its milestone, both locked. Raises `NotFound` or `PayoutNotInReview`."""
    plain = session.get(Payout, payout_id)
    if plain is None:
        raise NotFound(kind="payout", id=payout_id)
    context = open_milestone(session, plain.milestone_id)
    payout = session.get_one(Payout, payout_id, with_for_update=True, populate_existing=True)
    if payout.status != PayoutStatus.ADMINISTRATIVE_REVIEW:
        raise PayoutNotInReview(payout=payout_id, status=Wording(status_words(payout.status), payout.status))
    return context, payout


def _transfer_again(
    session: Session,
    context: MilestoneContext,
    payout: Payout,
    method: WithdrawalMethod,
    *,
    waived_by: int | None,
    now: datetime,
) -> OutgoingOperation:
    withdrawals.move(payout, PayoutEvent.RETRY, now=now)
    operation = session.get_one(OutgoingOperation, payout.transfer_operation_id, with_for_update=True)
    if method == payout.method:
        return _again(session, operation, now=now)
    if operation.status != OperationStatus.REFUSED:
        raise OutcomeStillUnknown(payout=payout.id)
    amount = context.money(payout.amount_minor)
    full = method_fees.due(context, payout, method)
    fee = full if waived_by is None else context.money(0)
    payout.fee_waived_minor, payout.fee_waived_by = 0, None
    if waived_by is not None:
        method_fees.waive(payout, full, waived_by)
    following = outbox.enqueue(
        session,
        key=_next_key(operation.key),
        kind=OperationKind.TRANSFER,
        milestone_id=payout.milestone_id,
        party_id=payout.party_id,
        amount=stripe_exact(amount - fee),
        payload=planned_calls.transfer_payload(context, context.payee.stripe_account),
        now=now,
    )
    payout.method, payout.fee_minor, payout.transfer_operation_id = method, fee.minor, following.id
    return following


def _pay_out_again(
    session: Session,
    context: MilestoneContext,
    payout: Payout,
    method: WithdrawalMethod,
    *,
    waived_by: int | None,
    now: datetime,
) -> OutgoingOperation:
    withdrawals.move(payout, PayoutEvent.TRANSFER, now=now)
    operation = session.scalars(
        select(OutgoingOperation)
        .where(
            OutgoingOperation.milestone_id == payout.milestone_id,
            OutgoingOperation.kind == OperationKind.PAYOUT,
            OutgoingOperation.payload["payout"].as_integer() == payout.id,
        )
        .order_by(OutgoingOperation.id.desc())
        .limit(1)
        .with_for_update()
    ).one()
    speed = method.sent_as.value
    if operation.status != OperationStatus.REFUSED:
        if speed != operation.payload["method"]:
            raise OutcomeStillUnknown(payout=payout.id)
        return _again(session, operation, now=now)
    extra, key = method_fees.due(context, payout, method), _next_key(operation.key)
    if waived_by is not None:
        method_fees.waive(payout, extra, waived_by)
        extra = context.money(0)
    method_fees.charge(session, context, payout, extra, key=key, now=now)
    payout.method = method
    return outbox.enqueue(
        session,
        key=key,
        kind=OperationKind.PAYOUT,
        milestone_id=payout.milestone_id,
        party_id=payout.party_id,
        amount=stripe_exact(context.money(operation.amount_minor) - extra),
        payload={**operation.payload, "account": context.payee.stripe_account, "method": speed},
        now=now,
    )


def _again(session: Session, operation: OutgoingOperation, *, now: datetime) -> OutgoingOperation:
    """The same operation once more. Unless the provider had said no, its trace is looked for before it is sent, and
    under the same key: within a day the provider does it once, and later the trace is all that protects."""
    reason = operation.last_error or "sent again after review"
    operation.finished_at = None
    if operation.status == OperationStatus.REFUSED:
        operation_states.again_as_new(operation, at=now, reason=reason, now=now)
    else:
        operation.tries, operation.first_sent_at = 0, now
        operation_states.later(operation, at=now, reason=reason, now=now)
    jobs.defer(session, jobs.DISPATCH, operation_id=operation.id)
    return operation


def _next_key(key: str) -> str:
    """`….payout` → `….payout.2` → `….payout.3`: another movement of money has another name."""
    stem, _, last = key.rpartition(".")
    return f"{stem}.{int(last) + 1}" if last.isdigit() else f"{key}.2"
