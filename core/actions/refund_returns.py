"""A refund that came back is returned another way: sent from our bank, said by one person and confirmed by another.

The card is closed, the account is gone: the debt to the payer stays open until the money has left by some way
(milestone-payment-flow, Error Handling; the desk's choice).
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from core import audit
from core.actions import ending, operations, orders, overtaken, roads
from core.actions.dossier import Dossier, open_dossier
from core.actions.keys import operation_key
from core.errors import DeskError, NotFound, ReasonMissing
from core.ledger import book, postings
from core.records import OutgoingOperation, Refund, RefundReturn
from core.rules import refunds as rules
from core.rules.permissions import Actor, Permission, require
from core.rules.refunds import RefundEvent, RefundStatus

WAYS = rules.WAYS


class RefundNotBack(DeskError):
    """This refund is {status}; only one that came back can be returned another way."""


class ReferenceMissing(DeskError):
    """Give the bank's reference of the payment, so that it can be found."""


class ReturnSettled(DeskError):
    """This proposal is {status}."""


class ProposerConfirms(DeskError):
    """You said that it was sent, so someone else must confirm it."""


def propose(
    session: Session, actor: Actor, *, now: datetime, refund_id: int, way: str, reference: str, reason: str
) -> RefundReturn:
    """Say how a refund that came back was sent instead. Raises `RefundNotBack`, `ReturnProposed`."""
    require(actor, Permission.PROPOSE_RETURN)
    if not reason.strip():
        raise ReasonMissing()
    if not reference.strip() or way not in WAYS:
        raise ReferenceMissing()
    dossier, refund = _locked(session, refund_id)
    _require_back(refund)
    roads.require_free(session, refund)
    row = RefundReturn(
        refund_id=refund.id,
        way=way,
        reference=reference.strip(),
        reason=reason,
        proposed_by=actor.id,
        proposed_at=now,
        status="PROPOSED",
    )
    session.add(row)
    session.flush()
    _note(session, actor, dossier, refund, row, "propose_return", now=now)
    return row


def confirm(session: Session, actor: Actor, *, now: datetime, return_id: int) -> Refund:
    """Confirm that the money has left our bank: the debt is paid, and the call to Stripe is called off.

    Raises `ProposerConfirms`, `ReturnSettled`, `RefundNotBack`, `StepUpRequired`.
    """
    require(actor, Permission.CONFIRM_SUSPENSE, now)
    dossier, refund, row = _proposal(session, return_id)
    if row.proposed_by == actor.id:
        raise ProposerConfirms()
    _require_back(refund)
    audit.become(row, "DONE", now=now, by=actor)
    row.settled_by, row.settled_at = actor.id, now
    audit.become(refund, rules.after(refund.status, RefundEvent.RETURN), now=now, by=actor)
    refund.settled_at = now
    call = session.get_one(OutgoingOperation, refund.operation_id, with_for_update=True)
    operations.canceled(call, reason=f"returned by {WAYS[row.way].lower()}", now=now)
    amount, part = dossier.money(refund.amount_minor), dossier.money(refund.milestone_part_minor)
    key = operation_key(session, "refund_return", row.id)
    journal = postings.refund_returned(
        key=key,
        milestone_id=dossier.milestone.id,
        party_id=dossier.payer.id,
        amount=amount,
        cause={"refund": refund.id, "way": row.way},
    )
    book.post(session, journal, now=now)
    orders.shift(session, dossier, now=now, cause=key, refundable=-part, refunded=part)
    _note(session, actor, dossier, refund, row, "confirm_return", now=now)
    dossier.tell(
        session,
        "refund_returned",
        dossier.payer,
        key=f"refund-return-{row.id}",
        now=now,
        about=("refund", refund.id),
        refunded=amount,
        way=WAYS[row.way],
        reference=row.reference,
    )
    session.flush()
    ending.finish(session, dossier, now=now)
    return refund


def withdraw(session: Session, actor: Actor, *, now: datetime, return_id: int) -> None:
    """Take it back: the money was not sent after all. That is possible whatever became of the refund meanwhile."""
    require(actor, Permission.PROPOSE_RETURN)
    dossier, refund, row = _proposal(session, return_id)
    audit.become(row, "WITHDRAWN", now=now, by=actor)
    row.settled_by, row.settled_at = actor.id, now
    session.flush()
    _note(session, actor, dossier, refund, row, "withdraw_return", now=now)
    call = session.get_one(OutgoingOperation, refund.operation_id, with_for_update=True)
    overtaken.came_back(session, call, now=now)


def _locked(session: Session, refund_id: int) -> tuple[Dossier, Refund]:
    plain = session.get(Refund, refund_id)
    if plain is None:
        raise NotFound(kind="refund", id=refund_id)
    dossier = open_dossier(session, plain.milestone_id)
    refund = session.get_one(Refund, refund_id, with_for_update=True, populate_existing=True)
    return dossier, refund


def _require_back(refund: Refund) -> None:
    if refund.status not in (RefundStatus.FAILED, RefundStatus.CANCELED):
        raise RefundNotBack(status=RefundStatus(refund.status).label.lower())


def _proposal(session: Session, return_id: int) -> tuple[Dossier, Refund, RefundReturn]:
    plain = session.get(RefundReturn, return_id)
    if plain is None:
        raise NotFound(kind="proposal", id=return_id)
    if plain.status != "PROPOSED":
        raise ReturnSettled(status=plain.status.lower())
    dossier, refund = _locked(session, plain.refund_id)
    row = session.get_one(RefundReturn, return_id, with_for_update=True, populate_existing=True)
    if row.status != "PROPOSED":
        raise ReturnSettled(status=row.status.lower())
    return dossier, refund, row


def _note(
    session: Session,
    actor: Actor,
    dossier: Dossier,
    refund: Refund,
    row: RefundReturn,
    verb: str,
    *,
    now: datetime,
) -> None:
    dossier.note(
        session,
        actor,
        f"finance:refund:{verb}",
        now=now,
        about=("refund", refund.id),
        reason=row.reason,
        after={"way": row.way, "amount": dossier.money(refund.amount_minor).as_dict()},
    )
