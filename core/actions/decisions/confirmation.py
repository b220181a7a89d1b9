"""Deciding a case: preview a plan, and confirm it once. Then follow `approvals` where a second person is required,
the cooling-off, and `execution`, which does exactly what was confirmed."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy.orm import Session

from core.actions.cases import mediator_assignment
from core.actions.decisions import cautions, cooling_off_letters, daily_limits, plan, recorded_decision
from core.actions.decisions.approvals import DecisionNotPending, approve, send_back, withdraw
from core.actions.decisions.execution import JustMade, execute_if_due
from core.actions.decisions.plan import Draft, Plan
from core.actions.decisions.recorded_decision import LIVE, AlreadyDecided, draft_of, require_undecided
from core.actions.milestones.milestone_context import MilestoneContext, open_case
from core.actions.payouts import release
from core.audit.actions import AuditAction
from core.audit.recorded_steps import WHY_TWO, digest
from core.errors import ChangedMeanwhile, DeskError
from core.records import Case, Decision
from core.rules import approvals, deadlines, holds, milestones
from core.rules.approvals import DecisionStatus
from core.rules.cautions import Caution
from core.rules.permissions import Actor, deciding, require_decider, require_one
from core.rules.refusal_reasons import Block
from core.rules.transitions import status_words

__all__ = [
    "LIVE",
    "AlreadyDecided",
    "DecisionNotPending",
    "Draft",
    "IntentReused",
    "NotInMediation",
    "approve",
    "confirm",
    "draft_of",
    "execute_if_due",
    "preview",
    "require_undecided",
    "send_back",
    "withdraw",
]


class IntentReused(DeskError):
    """This confirmation was already used for another decision. Nothing was recorded; open the case again."""


class NotInMediation(DeskError):
    """Case D-{case} is not in mediation ({status}), so it cannot be decided yet."""


def preview(session: Session, actor: Actor, *, now: datetime, draft: Draft) -> tuple[Plan, tuple[Block, ...]]:
    """The plan for a draft and why a second person would be needed. Changes nothing and locks nothing."""
    context, case = open_case(session, draft.case_id, lock=False)
    earlier = recorded_decision.of_case(session, case.id)
    _may_decide(session, actor, context, case, earlier)
    me = recorded_decision.person(actor)
    made = plan.make(session, context, case, draft, maker_id=me, earlier=len(earlier))
    return made, _second_person(session, context, draft, made, now=now)


def confirm(
    session: Session,
    actor: Actor,
    *,
    now: datetime,
    draft: Draft,
    plan_hash: str,
    intent: str,
    known: Collection[Caution] = (),
    seen: int | None = None,
) -> Decision:
    """Record the decision and carry it out, or hand it to a second person or to the cooling-off.

    `intent` is the key of this one confirmation: the same again (a double click) gives the same decision. `plan_hash`
    is what the mediator saw, `seen` the last message on their screen, `known` what they said they know of the case:
    that it is another's, that an answer is pending. Raises `AlreadyDecided`, `ChangedMeanwhile`, `IntentReused`,
    `ReleaseBlocked`, `StepUpRequired`, `AnothersCase`, `AnswerPending`, `NewsUnread`.
    """
    require_decider(actor, now)
    context, case = open_case(session, draft.case_id)
    earlier = recorded_decision.of_case(session, case.id, intent=intent)
    if (before := next((each for each in earlier if each.intent == intent), None)) is not None:
        if (before.maker_id, before.plan_hash) != (actor.id, plan_hash):
            raise IntentReused()
        return before
    _may_decide(session, actor, context, case, earlier)
    daily_limits.lock_parties(
        session, context
    )  # from here on their debts and what they were given stay as they are
    holds.require_clear(release.facts_of(session, context, deciding=case.id))
    me = recorded_decision.person(actor)
    made = plan.make(session, context, case, draft, maker_id=me, earlier=len(earlier))
    if made.hash != plan_hash:
        raise ChangedMeanwhile(kind="case", what="the plan is not the one you saw")
    despite = cautions.require_known(session, actor, case, known)
    if seen is not None:
        cautions.require_read(session, actor, context.milestone.id, after=None, seen=seen)
    reasons = _second_person(session, context, draft, made, now=now)
    decision = _record(session, actor, context, case, draft, made, reasons, intent=intent, now=now)
    cautions.record(session, actor, context, case, decision, despite, now=now)
    if decision.status == DecisionStatus.COOLING_OFF:
        execute_if_due(session, decision, now=now, just=JustMade(context, case, made))
        cooling_off_letters.announce(session, context, decision, now=now)
    return decision


def _may_decide(
    session: Session, actor: Actor, context: MilestoneContext, case: Case, earlier: Iterable[Decision]
) -> None:
    require_one(actor, *deciding(escalated=case.escalated))
    mediator_assignment.require_may_decide(session, context, case, recorded_decision.person(actor))
    recorded_decision.require_undecided(session, case, earlier)
    if context.status is not milestones.Status.IN_MEDIATION:
        raise NotInMediation(case=case.id, status=status_words(context.status))


def _second_person(
    session: Session, context: MilestoneContext, draft: Draft, made: Plan, *, now: datetime
) -> tuple[Block, ...]:
    today = daily_limits.given_today(session, context, made.split, now=now)
    return approvals.second_person_reasons(
        made.split.release + made.split.refund,
        context.profile,
        draft.ground,
        today.count,
        override=draft.override,
        given_today=today.sums,
    )


def _record(
    session: Session,
    actor: Actor,
    context: MilestoneContext,
    case: Case,
    draft: Draft,
    made: Plan,
    reasons: tuple[Block, ...],
    *,
    intent: str,
    now: datetime,
) -> Decision:
    status = approvals.initial(reasons)
    decision = Decision(
        case_id=case.id,
        milestone_id=context.milestone.id,
        intent=intent,
        outcome=draft.outcome,
        ground=draft.ground,
        ends_project=draft.ends_project,
        currency=context.milestone.currency,
        release_minor=made.split.release.minor,
        refund_minor=made.split.refund.minor,
        reasons=draft.reasons,
        citations=made.content["citations"],
        plan=made.content,
        plan_hash=made.hash,
        status=status,
        needs_approval=bool(reasons),
        approval_reasons=[{"code": each.code, "sentence": each.sentence} for each in reasons],
        maker_id=recorded_decision.person(actor),
        made_at=now,
        execute_at=None if reasons else deadlines.execution_at(now, context.profile),
    )
    session.add(decision)
    session.flush()
    # From here on the case is due when the decision is carried out.
    case.due_at = decision.execute_at or case.due_at
    recorded_decision.trace(
        session,
        actor,
        AuditAction.DECISION_CONFIRM.by("mediator"),
        decision,
        context,
        now=now,
        reason=draft.reasons,
        extra={WHY_TWO: digest(decision.approval_reasons)},
    )
    if made.unopened:  # said before confirming, and kept in the log
        recorded_decision.trace(
            session,
            actor,
            AuditAction.DECISION_UNOPENED.by("mediator"),
            decision,
            context,
            now=now,
            extra={"unopened": list(made.unopened)},
        )
    return decision
