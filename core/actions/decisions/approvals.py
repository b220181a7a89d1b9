"""Approving a decision: a second person approves exactly the plan that was confirmed, returns it with a note, or
withdraws it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from core import audit
from core.actions.cases import mediator_assignment
from core.actions.decisions import cautions, cooling_off_letters, drafts, execution, recorded_decision
from core.actions.milestones.milestone_context import MilestoneContext, open_case
from core.actions.payouts import release
from core.audit.actions import AuditAction
from core.errors import DeskError, NotFound
from core.records import Case, Decision
from core.rules import approvals, deadlines, holds
from core.rules import proposals as rules
from core.rules.approvals import DecisionEvent, DecisionStatus
from core.rules.permissions import Actor, Permission, deciding, require, require_decider, require_one
from core.rules.proposals import ProposalKind
from core.rules.reasons import given
from core.rules.transitions import status_words

TAKEN_BACK = "A colleague withdrew it; the case shows the reason."
NOT_APPROVED = "The second person did not approve it; the case shows the reason."


class DecisionNotPending(DeskError):
    """This decision is {status}, so it can no longer be withdrawn. Open a correction instead."""


def approve(
    session: Session,
    actor: Actor,
    *,
    now: datetime,
    decision_id: int,
    plan_hash: str,
    note: str = "",
    seen: int = 0,
) -> Decision:
    """A second person approves exactly the plan that the maker confirmed (docs/decisions/0006). When the case has
    changed since, the decision is voided instead: look at the returned status. New messages are no such change; they
    are shown to the second person, and `seen` is the last message on their screen.

    Raises `NewsUnread`, and `ReleaseBlocked` while something blocks the money.
    """
    require(actor, Permission.APPROVE_DECISION, now)
    context, case, decision = _waiting(session, actor, decision_id)
    approvals.check_plan(decision.plan_hash, plan_hash)
    if recorded_decision.voided_if_changed(session, context, case, decision, now=now):
        return decision
    holds.require_clear(release.facts_of(session, context, deciding=case.id))
    cautions.require_read(session, actor, context.milestone.id, after=decision.made_at, seen=seen)
    decision.checker_id, decision.checked_at, decision.check_note = actor.id, now, note
    audit.become(decision, approvals.after(decision.status, DecisionEvent.APPROVE), now=now, by=actor)
    decision.execute_at = deadlines.execution_at(now, context.profile)
    session.flush()
    recorded_decision.trace(
        session,
        actor,
        AuditAction.DECISION_APPROVE.by("staff"),
        decision,
        context,
        now=now,
        reason=note or None,
    )
    execution.execute_if_due(session, decision, now=now)
    cooling_off_letters.announce(session, context, decision, now=now)
    return decision


def send_back(session: Session, actor: Actor, *, now: datetime, decision_id: int, note: str) -> Decision:
    """The second person does not approve: the decision is its maker's draft again, with a note.

    When its maker may no longer decide it, nobody gets it back, and it is voided instead: look at the returned status.
    """
    require(actor, Permission.APPROVE_DECISION, now)
    note = given(note)
    context, case, decision = _waiting(session, actor, decision_id)
    if not recorded_decision.maker_decides_anew(session, context, case, decision):
        recorded_decision.void(session, actor, context, decision, now=now, why=note, mail=NOT_APPROVED)
        return decision
    decision.checker_id, decision.checked_at, decision.check_note = actor.id, now, note
    audit.become(decision, approvals.after(decision.status, DecisionEvent.RETURN), now=now, by=actor)
    session.flush()
    drafts.give_back(session, decision, now=now)
    recorded_decision.trace(
        session, actor, AuditAction.DECISION_RETURN.by("staff"), decision, context, now=now, reason=note
    )
    return decision


def withdraw(session: Session, actor: Actor, *, now: datetime, decision_id: int, reason: str) -> Decision:
    """Void a decision on purpose before it is carried out, because of what came to light since: by whoever may decide
    the case, without a tie to a party, with a reason. Its maker has the draft again, unless they recused themselves
    (internal policy). Raises `DecisionNotPending`."""
    require_decider(actor, now)
    reason = given(reason)
    context, case, decision = _locked(session, actor, decision_id)
    require_one(actor, *deciding(escalated=case.escalated))
    if decision.status not in recorded_decision.PENDING:
        raise DecisionNotPending(status=status_words(decision.status))
    recorded_decision.void(session, actor, context, decision, now=now, why=reason, mail=TAKEN_BACK)
    return decision


def _waiting(session: Session, actor: Actor, decision_id: int) -> tuple[MilestoneContext, Case, Decision]:
    context, case, decision = _locked(session, actor, decision_id)
    if decision.status != DecisionStatus.AWAITING_APPROVAL:
        raise rules.ended(ProposalKind.DECISION, DecisionStatus(decision.status).label)
    rules.check_two(ProposalKind.DECISION, maker_id=decision.maker_id, checker_id=actor.id)
    return context, case, decision


def _locked(session: Session, actor: Actor, decision_id: int) -> tuple[MilestoneContext, Case, Decision]:
    plain = session.get(Decision, decision_id)
    if plain is None:
        raise NotFound(kind="decision", id=decision_id)
    context, case = open_case(session, plain.case_id)
    decision = session.get_one(Decision, decision_id, with_for_update=True, populate_existing=True)
    me = recorded_decision.person(actor)
    mediator_assignment.require_may_decide(session, context, case, me)
    return context, case, decision
