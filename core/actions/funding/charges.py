"""How a charge stands with the payer's bank, kept beside its operation: asked, confirmed in time or called off,
processing for days, and why it failed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from core import audit
from core.actions.milestones.milestone_context import MilestoneContext, open_milestone
from core.actions.operations import operation_states
from core.actions.parties import details
from core.audit.actions import AuditAction, StoredAction
from core.errors import DeskError, Wording
from core.gateways.payments import ChargeSnapshot, PaidWith
from core.policy import CONFIRM_WITHIN
from core.records import Charge, OutgoingOperation
from core.rules import declines
from core.rules.charges import OPEN, ChargeStatus
from core.rules.permissions import SYSTEM, Actor, require_party


class NothingToConfirm(DeskError):
    """No payment for “{milestone}” waits for the payer to confirm it, so there is nothing to call off."""


def begin(session: Session, operation: OutgoingOperation, *, off_session: bool, now: datetime) -> Charge:
    """A charge is written down; the database keeps one open charge for a milestone."""
    row = Charge(
        milestone_id=operation.milestone_id,
        operation_id=operation.id,
        off_session=off_session,
        created_at=now,
    )
    session.add(row)
    session.flush()
    return row


def of(session: Session, operation: OutgoingOperation) -> Charge:
    """The charge of this operation, locked."""
    wanted = select(Charge).where(Charge.operation_id == operation.id)
    return session.scalars(wanted.with_for_update().execution_options(populate_existing=True)).one()


def latest(session: Session, milestone_ids: Collection[int]) -> Mapping[int, Charge]:
    """The last one that was made for each milestone."""
    wanted = (
        select(Charge)
        .ext(distinct_on(Charge.milestone_id))
        .where(Charge.milestone_id.in_(milestone_ids))
        .order_by(Charge.milestone_id, Charge.id.desc())
    )
    return {each.milestone_id: each for each in session.scalars(wanted)}


def note_method(session: Session, operation: OutgoingOperation, told: PaidWith | None) -> None:
    """What was charged, as the provider says it; what it said before is kept while it says nothing."""
    if told is not None:
        row = of(session, operation)
        row.method_kind, row.method_country = told.kind, told.country
        row.card_brand, row.card_funding = told.brand, told.funding


def on_action_required(
    session: Session,
    context: MilestoneContext,
    operation: OutgoingOperation,
    snapshot: ChargeSnapshot,
    *,
    now: datetime,
) -> None:
    """The payer's bank wants them to confirm it: they have a day, and whoever was away is told by e-mail.

    Nothing is held meanwhile.
    """
    row = of(session, operation)
    if row.status == ChargeStatus.SENDING:
        row.client_secret, row.action_url = snapshot.client_secret, snapshot.action_url
        row.confirm_by = now + CONFIRM_WITHIN
        audit.become(row, ChargeStatus.REQUIRES_ACTION, now=now)
        context.note(
            session,
            SYSTEM,
            AuditAction.PAYMENT_ASK.by("system"),
            now=now,
            about=("charge", row.id),
            after={"confirm_by": str(row.confirm_by), "off_session": row.off_session},
            operation_key=operation.key,
        )
        if row.off_session:
            context.tell(
                session,
                "payment_confirmation",
                context.payer,
                key=f"{operation.key}-confirm",
                now=now,
                charged=context.money(context.order.charge_minor).text(),
                confirm_by=row.confirm_by,
            )
    operation_states.waiting(operation, provider_id=snapshot.id, now=now)
    session.flush()


def on_processing(
    session: Session, operation: OutgoingOperation, snapshot: ChargeSnapshot, *, now: datetime
) -> None:
    """It exists at the provider, and the bank that is debited answers days later."""
    if snapshot.status == "processing":
        row = of(session, operation)
        if row.status in OPEN:
            _forget(row)
            audit.become(row, ChargeStatus.PROCESSING, now=now)
    operation_states.waiting(operation, provider_id=snapshot.id, now=now)


def on_paid(
    session: Session, context: MilestoneContext, operation: OutgoingOperation, *, now: datetime
) -> None:
    """The payer's bank has paid: the charge succeeded. News of it that come again say nothing of what the payer has
    saved since, or withdrawn."""
    row = of(session, operation)
    if row.status == ChargeStatus.SUCCEEDED:
        return
    _end(session, operation, ChargeStatus.SUCCEEDED, now)
    if not row.off_session:
        details.paid_with(context.payer, operation.payload["payment_method"], now=now)


def on_failed(
    session: Session,
    operation: OutgoingOperation,
    *,
    code: str | None,
    next_retry_at: datetime | None,
    now: datetime,
) -> str:
    """Returns why, in a sentence for the payer."""
    row = of(session, operation)
    row.code, row.failure, row.next_retry_at = code, declines.sentence(code), next_retry_at
    _end(session, operation, ChargeStatus.FAILED, now)
    return row.failure


def is_over(session: Session, operation: OutgoingOperation) -> bool:
    """The payer did not confirm it in time, or called it off."""
    row = of(session, operation)
    return row.status == ChargeStatus.REQUIRES_ACTION and row.called_off_at is not None


def cancel(session: Session, actor: Actor, *, now: datetime, milestone_id: int) -> None:
    """The payer does not confirm it: it is canceled at the provider, and then they may pay another way. Raises
    `NothingToConfirm`."""
    context = open_milestone(session, milestone_id)
    require_party(actor, context.payer.id)
    row = latest(session, [milestone_id]).get(milestone_id)
    if row is None or row.status != ChargeStatus.REQUIRES_ACTION:
        raise NothingToConfirm(milestone=Wording(context.milestone.title, milestone_id))
    _cancel(session, actor, context, row, AuditAction.PAYMENT_CALL_OFF.by("party"), now=now)


def expire(session: Session, *, now: datetime, milestone_id: int) -> bool:
    """The payer did not confirm it by the time they had: it is canceled at the provider."""
    context = open_milestone(session, milestone_id)
    row = latest(session, [milestone_id]).get(milestone_id)
    if row is None or row.confirm_by is None or row.called_off_at is not None or row.confirm_by > now:
        return False
    _cancel(session, SYSTEM, context, row, AuditAction.PAYMENT_EXPIRE.by("system"), now=now)
    return True


def _cancel(
    session: Session,
    actor: Actor,
    context: MilestoneContext,
    row: Charge,
    action: StoredAction,
    *,
    now: datetime,
) -> None:
    """Its operation is looked at now, which calls it off; whoever confirmed it in the meantime has paid."""
    operation = operation_states.locked(session, row.operation_id)
    row.called_off_at = operation.next_try_at = now
    context.note(session, actor, action, now=now, about=("charge", row.id), operation_key=operation.key)
    session.flush()


def _end(session: Session, operation: OutgoingOperation, status: ChargeStatus, now: datetime) -> None:
    row = of(session, operation)
    if row.status == status:
        return
    _forget(row)
    row.ended_at = now
    audit.become(row, status, now=now)
    session.flush()


def _forget(row: Charge) -> None:
    """It waits for the payer no more: whoever has the secret could otherwise act on it."""
    row.client_secret = row.action_url = row.confirm_by = None
