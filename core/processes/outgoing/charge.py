"""A payer's payment for a milestone."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from core.actions.funding import fund
from core.actions.milestones.milestone_context import MilestoneContext
from core.actions.operations import operation_states
from core.desk import Desk
from core.gateways.payments import ChargeSnapshot, Payments, ProviderRefused
from core.processes.outgoing.claim import Claim
from core.processes.outgoing.kind import OutgoingKind
from core.records import OutgoingOperation


def _call(desk: Desk, claim: Claim) -> ChargeSnapshot:
    return desk.payments.charge(*claim.sent_as, amount=claim.amount, **claim.payload)


def _find(payments: Payments, claim: Claim) -> ChargeSnapshot | None:
    return payments.find_charge(claim.key, transfer_group=claim.payload["transfer_group"])


def _look(payments: Payments, claim: Claim) -> ChargeSnapshot:
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
    call=_call, find=_find, look=_look, settle=_settle, refused=_refused, waits_for_money=False
)
