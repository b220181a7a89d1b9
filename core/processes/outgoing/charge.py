"""A payer's payment for a milestone."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from core.actions.funding import charges, fund
from core.actions.milestones.milestone_context import MilestoneContext
from core.actions.operations import operation_states
from core.desk import Desk
from core.gateways.payments import ChargeSnapshot, Payments, ProviderRefused
from core.processes.outgoing.claim import Claim
from core.processes.outgoing.kind import OutgoingKind, Payload
from core.records import OutgoingOperation
from core.rules.charges import AUTHENTICATION_REQUIRED

CALL_OFF = "call_off"


def _claimed(
    session: Session, context: MilestoneContext, operation: OutgoingOperation, now: datetime
) -> Payload:
    """One that the payer did not confirm in time is called off when it is looked at."""
    return {**operation.payload, CALL_OFF: charges.is_over(session, operation)}


def _call(desk: Desk, claim: Claim) -> ChargeSnapshot:
    """A bank that wants to ask a payer who is away refuses: the payment stays, for them to come back to."""
    asked_for = {name: value for name, value in claim.payload.items() if name != CALL_OFF}
    try:
        return desk.payments.charge(*claim.sent_as, amount=claim.amount, **asked_for)
    except ProviderRefused as refusal:
        intent = refusal.facts["payment_intent"]
        if refusal.provider_code != AUTHENTICATION_REQUIRED or intent is None:
            raise
        return desk.payments.charge_of(intent)


def _find(payments: Payments, claim: Claim) -> ChargeSnapshot | None:
    return payments.find_charge(claim.key, transfer_group=claim.payload["transfer_group"])


def _look(payments: Payments, claim: Claim) -> ChargeSnapshot:
    if claim.payload[CALL_OFF]:
        return payments.cancel_charge(f"{claim.idempotency_key}:cancel", payment_intent=claim.at_provider)
    return payments.charge_of(claim.at_provider)


def _settle(
    session: Session,
    context: MilestoneContext,
    operation: OutgoingOperation,
    snapshot: ChargeSnapshot,
    now: datetime,
) -> None:
    fund.settle(session, operation, snapshot, now=now)


def _refused(session: Session, operation: OutgoingOperation, refusal: ProviderRefused, now: datetime) -> None:
    operation_states.refused(operation, reason=refusal.message, now=now)
    reason = str(refusal.facts["reason"])
    fund.declined(session, operation, reason=reason, code=refusal.provider_code, now=now)


CHARGE = OutgoingKind(
    call=_call,
    find=_find,
    look=_look,
    settle=_settle,
    refused=_refused,
    waits_for_money=False,
    claimed=_claimed,
)
