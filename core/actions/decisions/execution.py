"""Carrying out a decision: exactly the plan that was confirmed, once its cooling-off is over, or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from core import audit
from core.actions.cases import disputes
from core.actions.debts import receivables
from core.actions.decisions import outcome, plan, recorded_decision
from core.actions.decisions.plan import Plan
from core.actions.milestones import completion, project_progression
from core.actions.milestones.milestone_context import MilestoneContext, open_case
from core.actions.payouts import release
from core.audit.actions import AuditAction
from core.records import Case, Decision
from core.rules import approvals, decision_letters, holds
from core.rules.approvals import DecisionEvent, DecisionStatus
from core.rules.grounds import DecisionOutcome
from core.rules.permissions import SYSTEM


@dataclass(frozen=True)
class JustMade:
    """What a decision was made from in this transaction: case and parties are locked since, nothing was seen to block
    it, and its plan is the one that would be made now."""

    context: MilestoneContext
    case: Case
    plan: Plan


def execute_if_due(
    session: Session, decision: Decision, *, now: datetime, just: JustMade | None = None
) -> bool:
    """Carry out a decision whose cooling-off has passed; returns whether it did.

    Posts exactly the journal of the plan and queues exactly its calls. A case that changed since voids the decision.
    """
    if not approvals.cooled_off(decision.execute_at, now):
        return False
    if just is not None:
        _execute(session, just.context, just.case, decision, just.plan, now=now)
        return True
    context, case = open_case(session, decision.case_id)
    decision = session.get_one(Decision, decision.id, with_for_update=True, populate_existing=True)
    if decision.status != DecisionStatus.COOLING_OFF:
        return False
    if holds.blocking(release.facts_of(session, context, deciding=case.id)):
        return False
    receivables.lock_payee(session, context)
    made = recorded_decision.unchanged(session, context, case, decision)
    if made is None:
        recorded_decision.void(session, SYSTEM, context, decision, now=now)
        return False
    _execute(session, context, case, decision, made, now=now)
    return True


def _execute(
    session: Session,
    context: MilestoneContext,
    case: Case,
    decision: Decision,
    made: Plan,
    *,
    now: datetime,
) -> None:
    came_to = DecisionOutcome(decision.outcome)
    draft, sides = recorded_decision.draft_of(decision), (("payer", context.payer), ("payee", context.payee))
    kept = made.calls.kept_back
    told = {
        side: plan.letter_facts(session, context, draft, made.split, side, made.content["looked"], kept)
        for side, _ in sides
    }
    audit.become(decision, approvals.after(decision.status, DecisionEvent.EXECUTE), now=now)
    decision.executed_at = now
    with session.no_autoflush:  # case and decision are written with the milestone (`orders.follow`)
        disputes.close(session, SYSTEM, case, came_to, now=now, notes=decision.reasons)
    cause = {"ticket": case.id, "milestone": context.milestone.id, "outcome": came_to.value}
    outcome.settle(
        session,
        context,
        came_to,
        made.split,
        made.calls,
        events=outcome.DECIDED,
        key=made.key,
        ground=decision.ground,
        cause=cause,
        now=now,
        decision_id=decision.id,
    )
    recorded_decision.trace(
        session, SYSTEM, AuditAction.DECISION_EXECUTE.by("system"), decision, context, now=now
    )
    parties = dict(sides)
    for due in decision_letters.carried_out(came_to):
        party = parties[due.audience]
        key, about = f"{made.key}-{party.id}", ("decision", decision.id)
        context.tell(session, due.template, party, key=key, now=now, about=about, **told[due.audience])
    if decision.ends_project:
        project_progression.cancel_unfunded(session, context, now=now)
    completion.finish(session, context, now=now)
