"""Refunds outside Stripe: a failed refund is paid from the platform's bank, recorded by one person and confirmed by
another, with its credit note.

The card is closed or the account is gone: the debt to the payer stays open until the money has left
(milestone-payment-flow, Error Handling; internal policy).
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from core import audit
from core.actions.chargebacks import refund_offsets
from core.actions.milestones import completion, documents, orders
from core.actions.milestones.milestone_context import MilestoneContext, open_milestone
from core.actions.operations import operation_states
from core.actions.operations.operation_keys import operation_key
from core.actions.refunds import return_conflicts
from core.actions.staff import proposals
from core.actions.staff.proposals import Subject, Waiting
from core.audit.actions import AuditAction
from core.errors import DeskError, NotFound
from core.ledger import journal_store, postings
from core.records import OutgoingOperation, Refund, RefundReturn
from core.rules import refunds as rules
from core.rules.payment_states import Cause, CauseKind
from core.rules.permissions import Actor, Permission, require, require_one
from core.rules.proposals import ProposalKind, ProposalStatus, ended
from core.rules.reasons import given
from core.rules.refunds import RefundEvent, RefundStatus
from core.rules.visible_text import says_something

WAYS = rules.WAYS


class RefundNotBack(DeskError):
    """This refund is {status}; only one that came back can be returned another way."""


class ReferenceMissing(DeskError):
    """Give the bank's reference of the payment, so that it can be found."""


def propose(
    session: Session, actor: Actor, *, now: datetime, refund_id: int, way: str, reference: str, reason: str
) -> RefundReturn:
    """Record how a failed refund was sent instead. Raises `NotFound`, `RefundNotBack`, `ReferenceMissing`,
    `ProposalWaits`."""
    require(actor, Permission.PROPOSE_RETURN)
    reason = given(reason)
    if not says_something(reference) or way not in WAYS:
        raise ReferenceMissing()
    context, refund = _locked(session, refund_id)
    me = proposals.require_maker(session, actor, Subject.of(context))
    _require_back(refund)
    return_conflicts.require_free(session, refund)
    row = RefundReturn(
        refund_id=refund.id,
        way=way,
        reference=reference.strip(),
        reason=reason,
        proposed_by=me,
        proposed_at=now,
        status=ProposalStatus.PROPOSED,
    )
    session.add(row)
    session.flush()
    _note(session, actor, context, refund, row, AuditAction.REFUND_PROPOSE_RETURN, now=now)
    return row


def approve(session: Session, actor: Actor, *, now: datetime, return_id: int, reason: str = "") -> Refund:
    """Confirm that the money has left our bank: the debt is paid, and the call to Stripe is called off. Without words
    of one's own the entry repeats the record's.

    Raises what `proposals.require_checker` does, `ProposalEnded`, `RefundNotBack`, `StepUpRequired`.
    """
    require(actor, Permission.CONFIRM_SUSPENSE, now)
    said = given(reason) if reason.strip() else None
    context, refund, row = _proposal(session, return_id)
    proposals.require_checker(session, actor, waiting(context, row), now=now)
    _require_back(refund)
    proposals.settle(row, ProposalStatus.DONE, actor, now=now)
    audit.become(refund, rules.after(refund.status, RefundEvent.RETURN), now=now, by=actor)
    refund.settled_at = now
    call = session.get_one(OutgoingOperation, refund.operation_id, with_for_update=True)
    operation_states.canceled(call, reason=f"returned by {WAYS[row.way].lower()}", now=now)
    amount, part = context.money(refund.amount_minor), context.money(refund.milestone_part_minor)
    key = operation_key(session, "refund_return", row.id)
    journal = postings.refund_returned(
        key=key,
        milestone_id=context.milestone.id,
        party_id=context.payer.id,
        amount=amount,
        cause={"refund": refund.id, "way": row.way},
    )
    journal_store.post(session, journal, now=now)
    orders.shift(
        session,
        context,
        now=now,
        cause=Cause(CauseKind.REFUND, key, refund=refund.id),
        refundable=-part,
        refunded=part,
    )
    documents.of_refund(
        session, context, call, refund, now=now
    )  # where Stripe never confirmed it, none was written
    _note(session, actor, context, refund, row, AuditAction.REFUND_CONFIRM_RETURN, now=now, reason=said)
    context.tell(
        session,
        "refund_returned",
        context.payer,
        key=f"refund-return-{row.id}",
        now=now,
        about=("refund", refund.id),
        refunded=amount,
        way=WAYS[row.way],
        reference=row.reference,
    )
    session.flush()
    completion.finish(session, context, now=now)
    return refund


def reject(session: Session, actor: Actor, *, now: datetime, return_id: int, reason: str) -> None:
    """The money was not sent after all, whatever became of the refund meanwhile: whoever recorded it withdraws it,
    anybody else rejects it.

    It never lapses by itself: it says what was done, and a debt whose record fell would be paid twice.
    """
    require_one(actor, Permission.PROPOSE_RETURN, Permission.CONFIRM_SUSPENSE)
    reason = given(reason)
    context, refund, row = _proposal(session, return_id)
    proposals.settle(row, proposals.outcome(actor, row.proposed_by), actor, now=now)
    row.note = reason
    session.flush()
    withdrawn = row.status is ProposalStatus.WITHDRAWN
    action = AuditAction.REFUND_WITHDRAW_RETURN if withdrawn else AuditAction.REFUND_REJECT_RETURN
    _note(session, actor, context, refund, row, action, reason=reason, now=now)
    call = session.get_one(OutgoingOperation, refund.operation_id, with_for_update=True)
    refund_offsets.on_refund_failed(session, call, now=now)


def waiting_of(session: Session, return_id: int) -> Waiting:
    """The record as it waits, for pages."""
    row = session.get_one(RefundReturn, return_id)
    refund = session.get_one(Refund, row.refund_id)
    return waiting(open_milestone(session, refund.milestone_id, lock=False), row)


def waiting(context: MilestoneContext, row: RefundReturn) -> Waiting:
    """The record as what waits for a second person."""
    return Waiting(ProposalKind.REFUND_RETURN, row.proposed_by, row.proposed_at, Subject.of(context))


def _locked(session: Session, refund_id: int) -> tuple[MilestoneContext, Refund]:
    plain = session.get(Refund, refund_id)
    if plain is None:
        raise NotFound(kind="refund", id=refund_id)
    context = open_milestone(session, plain.milestone_id)
    refund = session.get_one(Refund, refund_id, with_for_update=True, populate_existing=True)
    return context, refund


def _require_back(refund: Refund) -> None:
    if refund.status not in (RefundStatus.FAILED, RefundStatus.CANCELED):
        raise RefundNotBack(status=RefundStatus(refund.status).label.lower())


def _proposal(session: Session, return_id: int) -> tuple[MilestoneContext, Refund, RefundReturn]:
    plain = session.get(RefundReturn, return_id)
    if plain is None:
        raise NotFound(kind="proposal", id=return_id)
    if plain.status != ProposalStatus.PROPOSED:
        raise ended(ProposalKind.REFUND_RETURN, plain.status)
    context, refund = _locked(session, plain.refund_id)
    row = session.get_one(RefundReturn, return_id, with_for_update=True, populate_existing=True)
    if row.status != ProposalStatus.PROPOSED:
        raise ended(ProposalKind.REFUND_RETURN, row.status)
    return context, refund, row


def _note(
    session: Session,
    actor: Actor,
    context: MilestoneContext,
    refund: Refund,
    row: RefundReturn,
    action: AuditAction,
    *,
    now: datetime,
    reason: str | None = None,
) -> None:
    context.note(
        session,
        actor,
        action.by("finance"),
        now=now,
        about=("refund", refund.id),
        reason=reason or row.reason,
        after={"way": row.way, "amount": context.money(refund.amount_minor).as_dict()},
    )
