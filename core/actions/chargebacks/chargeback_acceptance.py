"""Accepting a chargeback on purpose: one person proposes it, another does it, and Stripe's answer books the loss.

It cannot be undone, and ends the cost of answering (payment-escrow-rules, Compliance Checklist 3; internal policy).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import outbox
from core.actions.chargebacks import chargeback_evidence
from core.actions.milestones.milestone_context import MilestoneContext, open_milestone
from core.actions.operations import operation_states
from core.actions.operations.operation_keys import operation_key
from core.actions.staff import proposals
from core.actions.staff.proposals import Subject, Waiting
from core.audit.actions import AuditAction, StoredAction
from core.db import Record
from core.errors import DeskError, NotFound
from core.records import Chargeback, ChargebackAcceptance, OutgoingOperation
from core.rules import chargebacks as rules
from core.rules import irreversible
from core.rules.operations import OperationKind, OperationStatus
from core.rules.permissions import SYSTEM, Actor, Permission, require
from core.rules.proposals import ProposalKind, ProposalStatus, ended
from core.rules.reasons import given
from core.rules.references import reference

UNDER_WAY = (OperationStatus.QUEUED, OperationStatus.SENDING, OperationStatus.BLOCKED)


class AnswerUnderWay(DeskError):
    """The answer is on its way to the bank, so it is too late to accept the chargeback."""


def propose(
    session: Session, actor: Actor, *, now: datetime, chargeback_id: int, reason: str
) -> ChargebackAcceptance:
    """Propose to accept the chargeback. Raises `NothingToAccept`, `ProposalWaits`, `AnswerUnderWay`, `GivenUp`."""
    require(actor, Permission.ANSWER_CHARGEBACK)
    reason = given(reason)
    context, row = _locked(session, chargeback_id)
    me = proposals.require_maker(session, actor, Subject.of(context))
    _check(session, row)
    if (other := _open(session, row.id)) is not None:
        raise proposals.waits(
            session, maker_id=other.proposed_by, made_at=other.proposed_at, what="to accept this chargeback"
        )
    proposal = ChargebackAcceptance(
        chargeback_id=row.id, reason=reason, proposed_by=me, proposed_at=now, status=ProposalStatus.PROPOSED
    )
    session.add(proposal)
    session.flush()
    _note(
        session,
        actor,
        context,
        row,
        AuditAction.CHARGEBACK_PROPOSE_ACCEPTANCE.by("staff"),
        reason=reason,
        now=now,
        contents=[proposal],
    )
    return proposal


def accept(
    session: Session, actor: Actor, *, now: datetime, acceptance_id: int, typed: str, reason: str = ""
) -> ChargebackAcceptance:
    """Accept it, for good; without words of one's own the entry repeats the proposal's. `typed` is its reference.

    Raises `NotTyped`, what `proposals.require_checker` does, `ProposalEnded`, `NothingToAccept`.
    """
    require(actor, Permission.SETTLE_CHARGEBACK, now)
    said = given(reason) if reason.strip() else ""
    context, row, proposal = _proposal(session, acceptance_id)
    proposals.require_checker(session, actor, _waiting(context, proposal), now=now)
    _check(session, row)
    irreversible.check_typed(typed, reference("chargeback", row.id))
    proposals.settle(proposal, ProposalStatus.ACCEPTED, actor, now=now)
    session.flush()
    _forget_staged(session, row, now=now)
    operation = outbox.enqueue(
        session,
        key=operation_key(session, "chargeback", row.id, "accept", proposal.id),
        kind=OperationKind.ACCEPTANCE,
        milestone_id=row.milestone_id,
        party_id=None,
        amount=row.amount,
        payload={"dispute": row.stripe_dispute},
        now=now,
    )
    _note(
        session,
        actor,
        context,
        row,
        AuditAction.CHARGEBACK_ACCEPT.by("staff"),
        reason=said or proposal.reason,
        now=now,
        operation_key=operation.key,
    )
    return proposal


def reject(session: Session, actor: Actor, *, now: datetime, acceptance_id: int, reason: str) -> None:
    """Say no and why; whoever proposed it withdraws it the same way. Whoever may answer a chargeback may do so."""
    require(actor, Permission.ANSWER_CHARGEBACK)
    reason = given(reason)
    context, row, proposal = _proposal(session, acceptance_id)
    status = proposals.outcome(actor, proposal.proposed_by)
    _end(session, actor, context, row, proposal, status, reason=reason, now=now)


def stale(session: Session, *, now: datetime) -> list[int]:
    """The proposals that can no longer be accepted, whoever wants to. Nothing is locked or written."""
    wanted = select(ChargebackAcceptance).where(ChargebackAcceptance.status == ProposalStatus.PROPOSED)
    found = session.scalars(wanted.order_by(ChargebackAcceptance.id)).all()
    return [each.id for each in found if fallen(session, each, now=now)]


def fallen(session: Session, proposal: ChargebackAcceptance, *, now: datetime) -> str | None:
    """Why it can no longer be accepted: its maker, its time, or the bank."""
    row = session.get_one(Chargeback, proposal.chargeback_id)
    context = open_milestone(session, row.milestone_id, lock=False)
    try:
        rules.check_acceptable(row.status)
    except DeskError as over:
        return over.message
    return proposals.flaw(session, _waiting(context, proposal), now=now)


def return_stale(session: Session, *, now: datetime, number: int) -> bool:
    """What can no longer be accepted goes back to its maker, with the reason."""
    context, row, proposal = _proposal(session, number)
    why = fallen(session, proposal, now=now)
    if why is None:
        return False
    _end(session, SYSTEM, context, row, proposal, ProposalStatus.RETURNED, reason=why, now=now)
    proposals.tell_returned(
        session,
        _waiting(context, proposal),
        what=f"chargeback CB-{row.id}",
        why=why,
        about=("chargeback", row.id),
        now=now,
    )
    return True


VERBS = {
    ProposalStatus.WITHDRAWN: AuditAction.CHARGEBACK_WITHDRAW_ACCEPTANCE.by("staff"),
    ProposalStatus.REJECTED: AuditAction.CHARGEBACK_REJECT_ACCEPTANCE.by("staff"),
    ProposalStatus.RETURNED: AuditAction.CHARGEBACK_RETURN_ACCEPTANCE.by("system"),
}


def _end(
    session: Session,
    actor: Actor,
    context: MilestoneContext,
    row: Chargeback,
    proposal: ChargebackAcceptance,
    status: ProposalStatus,
    *,
    reason: str,
    now: datetime,
) -> None:
    proposals.settle(proposal, status, actor, now=now)
    proposal.note = reason
    session.flush()
    _note(session, actor, context, row, VERBS[status], reason=reason, now=now)


def waiting_of(session: Session, acceptance_id: int) -> Waiting:
    """As it waits, for whoever reads of it."""
    proposal = session.get_one(ChargebackAcceptance, acceptance_id)
    row = session.get_one(Chargeback, proposal.chargeback_id)
    return _waiting(open_milestone(session, row.milestone_id, lock=False), proposal)


def _waiting(context: MilestoneContext, proposal: ChargebackAcceptance) -> Waiting:
    return Waiting(
        ProposalKind.CHARGEBACK_ACCEPTANCE, proposal.proposed_by, proposal.proposed_at, Subject.of(context)
    )


def _check(session: Session, row: Chargeback) -> None:
    rules.check_acceptable(row.status)
    chargeback_evidence.refuse_given_up(session, row)
    calls = session.scalars(_evidence_calls(row).with_for_update())
    if any(each.payload["submit"] and each.status in UNDER_WAY for each in calls):
        raise AnswerUnderWay()


def _forget_staged(session: Session, row: Chargeback, *, now: datetime) -> None:
    for call in session.scalars(_evidence_calls(row)):
        if call.status in (OperationStatus.QUEUED, OperationStatus.REVIEW) and call.provider_id is None:
            operation_states.canceled(call, reason="two people have accepted the chargeback", now=now)


def _evidence_calls(row: Chargeback):  # type: ignore[no-untyped-def]
    return (
        select(OutgoingOperation)
        .where(
            OutgoingOperation.milestone_id == row.milestone_id,
            OutgoingOperation.kind == OperationKind.EVIDENCE,
            OutgoingOperation.payload["dispute"].as_string() == row.stripe_dispute,
        )
        .order_by(OutgoingOperation.id)
    )


def _open(session: Session, chargeback_id: int) -> ChargebackAcceptance | None:
    wanted = select(ChargebackAcceptance).where(
        ChargebackAcceptance.chargeback_id == chargeback_id,
        ChargebackAcceptance.status == ProposalStatus.PROPOSED,
    )
    return session.scalars(wanted).one_or_none()


def _locked(session: Session, chargeback_id: int) -> tuple[MilestoneContext, Chargeback]:
    plain = session.get(Chargeback, chargeback_id)
    if plain is None:
        raise NotFound(kind="chargeback", id=chargeback_id)
    context = open_milestone(session, plain.milestone_id)
    return context, session.get_one(Chargeback, chargeback_id, with_for_update=True, populate_existing=True)


def _proposal(
    session: Session, acceptance_id: int
) -> tuple[MilestoneContext, Chargeback, ChargebackAcceptance]:
    plain = session.get(ChargebackAcceptance, acceptance_id)
    if plain is None:
        raise NotFound(kind="proposal", id=acceptance_id)
    context, row = _locked(session, plain.chargeback_id)
    proposal = session.get_one(
        ChargebackAcceptance, acceptance_id, with_for_update=True, populate_existing=True
    )
    if proposal.status != ProposalStatus.PROPOSED:
        raise ended(ProposalKind.CHARGEBACK_ACCEPTANCE, proposal.status)
    return context, row, proposal


def _note(
    session: Session,
    actor: Actor,
    context: MilestoneContext,
    row: Chargeback,
    action: StoredAction,
    *,
    reason: str | None,
    now: datetime,
    operation_key: str | None = None,
    contents: Sequence[Record] = (),
) -> None:
    context.note(
        session,
        actor,
        action,
        now=now,
        about=("chargeback", row.id),
        reason=reason,
        after={"amount": row.amount.as_dict()},
        operation_key=operation_key,
        contents=contents,
    )
