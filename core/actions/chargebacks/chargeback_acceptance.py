"""Giving in to a bank on purpose: one person proposes it, another does it, and the loss is booked when Stripe says so.

It cannot be undone, and ends the cost of answering (payment-escrow-rules, Compliance Checklist 3; the desk's choice).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit, outbox
from core.actions.chargebacks import chargeback_evidence
from core.actions.milestones.milestone_context import MilestoneContext, open_milestone
from core.actions.operations import operation_states
from core.actions.operations.operation_keys import operation_key
from core.db import Record
from core.errors import DeskError, NotFound
from core.records import Chargeback, ChargebackAcceptance, OutgoingOperation
from core.rules import chargebacks as rules
from core.rules.operations import OperationKind, OperationStatus
from core.rules.permissions import Actor, Permission, require
from core.rules.reasons import given

UNDER_WAY = (OperationStatus.QUEUED, OperationStatus.SENDING, OperationStatus.BLOCKED)


class AlreadyProposed(DeskError):
    """It was proposed to accept this chargeback already; someone else does it, or the proposal is withdrawn."""


class ProposalSettled(DeskError):
    """This proposal is {status}."""


class AnswerUnderWay(DeskError):
    """The answer is on its way to the bank, so it is too late to accept the chargeback."""


def propose(
    session: Session, actor: Actor, *, now: datetime, chargeback_id: int, reason: str
) -> ChargebackAcceptance:
    """Propose to accept the chargeback. Raises `NoGivingIn`, `AlreadyProposed`, `AnswerUnderWay`, `GivenUp`."""
    require(actor, Permission.ANSWER_CHARGEBACK)
    reason = given(reason)
    context, row = _locked(session, chargeback_id)
    _check(session, row)
    if _open(session, row.id) is not None:
        raise AlreadyProposed()
    proposal = ChargebackAcceptance(
        chargeback_id=row.id, reason=reason, proposed_by=actor.id, proposed_at=now, status="PROPOSED"
    )
    session.add(proposal)
    session.flush()
    _note(session, actor, context, row, "propose_acceptance", reason=reason, now=now, contents=[proposal])
    return proposal


def accept(session: Session, actor: Actor, *, now: datetime, acceptance_id: int) -> ChargebackAcceptance:
    """Give in, for good. Never by whoever proposed it. Raises `ProposerAccepts`, `NoGivingIn`, `StepUpRequired`."""
    require(actor, Permission.SETTLE_CHARGEBACK, now)
    context, row, proposal = _proposal(session, acceptance_id)
    if proposal.proposed_by == actor.id:
        raise rules.ProposerAccepts()
    _check(session, row)
    audit.become(proposal, "ACCEPTED", now=now, by=actor)
    proposal.settled_by, proposal.settled_at = actor.id, now
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
        session, actor, context, row, "accept", reason=proposal.reason, now=now, operation_key=operation.key
    )
    return proposal


def withdraw(session: Session, actor: Actor, *, now: datetime, acceptance_id: int) -> None:
    """Take the proposal back, or refuse it. Whoever may answer a chargeback may do so."""
    require(actor, Permission.ANSWER_CHARGEBACK)
    context, row, proposal = _proposal(session, acceptance_id)
    audit.become(proposal, "WITHDRAWN", now=now, by=actor)
    proposal.settled_by, proposal.settled_at = actor.id, now
    session.flush()
    _note(session, actor, context, row, "withdraw_acceptance", reason=None, now=now)


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
        ChargebackAcceptance.chargeback_id == chargeback_id, ChargebackAcceptance.status == "PROPOSED"
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
    if proposal.status != "PROPOSED":
        raise ProposalSettled(status=proposal.status.lower())
    return context, row, proposal


def _note(
    session: Session,
    actor: Actor,
    context: MilestoneContext,
    row: Chargeback,
    verb: str,
    *,
    reason: str | None,
    now: datetime,
    operation_key: str | None = None,
    contents: Sequence[Record] = (),
) -> None:
    context.note(
        session,
        actor,
        f"staff:chargeback:{verb}",
        now=now,
        about=("chargeback", row.id),
        reason=reason,
        after={"amount": row.amount.as_dict()},
        operation_key=operation_key,
        contents=contents,
    )
