"""What the bank is told about a chargeback: evidence against it, or that it is accepted."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import Session

from core.actions.chargebacks import lifecycle
from core.actions.milestones.milestone_context import MilestoneContext
from core.actions.operations import operation_states
from core.desk import Desk
from core.errors import DeskError
from core.gateways.payments import DisputeSnapshot, NeedsOperator, Payments
from core.processes.outgoing import review
from core.processes.outgoing.claim import Claim
from core.processes.outgoing.kind import OutgoingKind
from core.records import OutgoingOperation
from core.rules.chargebacks import FILE_KINDS, ChargebackStatus


class EvidenceUnread(NeedsOperator):
    """Nothing was sent, because a file of the evidence could not be read: {reason}"""


def _answer(desk: Desk, claim: Claim) -> DisputeSnapshot:
    payload = claim.payload
    told = {**payload["texts"], **_uploaded(desk, claim)}
    return desk.payments.submit_evidence(
        *claim.sent_as, dispute=payload["dispute"], evidence=told, submit=payload["submit"]
    )


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


def _accept(desk: Desk, claim: Claim) -> DisputeSnapshot:
    return desk.payments.accept_dispute(claim.idempotency_key, dispute=claim.payload["dispute"])


def _find_answer(payments: Payments, claim: Claim) -> DisputeSnapshot | None:
    answered = payments.dispute_by_id(claim.payload["dispute"])
    return answered if answered.op == claim.key else None


def _find_acceptance(payments: Payments, claim: Claim) -> DisputeSnapshot | None:
    accepted = payments.dispute_by_id(claim.payload["dispute"])
    return accepted if accepted.status == ChargebackStatus.LOST else None


def _look(payments: Payments, claim: Claim) -> DisputeSnapshot:
    return payments.dispute_by_id(claim.at_provider)


def _settle(
    session: Session,
    context: MilestoneContext,
    operation: OutgoingOperation,
    snapshot: DisputeSnapshot,
    now: datetime,
) -> None:
    lifecycle.follow(session, snapshot, now=now)
    operation_states.succeeded(operation, provider_id=snapshot.id, now=now)


EVIDENCE = OutgoingKind(
    call=_answer,
    find=_find_answer,
    look=_look,
    settle=_settle,
    refused=review.refused_for_now,
    waits_for_money=True,
)
ACCEPTANCE = replace(EVIDENCE, call=_accept, find=_find_acceptance)
