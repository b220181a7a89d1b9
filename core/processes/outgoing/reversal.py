"""A transfer reversed from the payee's account at the provider."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from core.actions.milestones.milestone_context import MilestoneContext
from core.actions.operations import operation_states
from core.actions.payouts import reversals
from core.desk import Desk
from core.gateways.payments import Payments, ProviderRefused, ReversalSnapshot
from core.processes.outgoing.claim import Claim
from core.processes.outgoing.kind import OutgoingKind
from core.records import OutgoingOperation


def _call(desk: Desk, claim: Claim) -> ReversalSnapshot:
    transfer = claim.payload["transfer"]
    return desk.payments.reverse_transfer(*claim.sent_as, transfer=transfer, amount=claim.amount)


def _find(payments: Payments, claim: Claim) -> ReversalSnapshot | None:
    return payments.find_reversal(claim.key, transfer=claim.payload["transfer"])


def _look(payments: Payments, claim: Claim) -> ReversalSnapshot:
    return payments.reversal_by_id(claim.payload["transfer"], claim.at_provider)


def _settle(
    session: Session,
    context: MilestoneContext,
    operation: OutgoingOperation,
    snapshot: ReversalSnapshot,
    now: datetime,
) -> None:
    reversals.settle(session, operation, snapshot, now=now)


def _refused(session: Session, operation: OutgoingOperation, refusal: ProviderRefused, now: datetime) -> None:
    """The payee's money is not there any more; the debt stays, and later releases settle it."""
    operation_states.refused(operation, reason=refusal.message, now=now)


REVERSAL = OutgoingKind(
    call=_call, find=_find, look=_look, settle=_settle, refused=_refused, waits_for_money=False
)
