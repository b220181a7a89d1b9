"""Carrying out a decision: exactly the plan that was confirmed, once its cooling-off is over, or not at all."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from core import audit
from core.actions import (
    dispute,
    ending,
    mediate,
    payouts,
    plan,
    projects,
    receivables,
    refunds,
    release,
    standing,
)
from core.actions.dossier import Dossier
from core.actions.plan import Plan
from core.records import Decision, Ticket
from core.rules import approvals, decision_letters, holds, milestones
from core.rules.approvals import DecisionEvent, DecisionStatus
from core.rules.grounds import DecisionOutcome
from core.rules.permissions import SYSTEM


def execute_if_due(session: Session, decision: Decision, *, now: datetime) -> bool:
    """Carry out a decision whose cooling-off has passed; returns whether it did.

    Posts exactly the journal of the plan and queues exactly its calls. A case that changed since voids the decision.
    """
    if not approvals.cooled_off(decision.execute_at, now):
        return False
    dossier, ticket = mediate.locked_ticket(session, decision.ticket_id)
    decision = session.get_one(Decision, decision.id, with_for_update=True, populate_existing=True)
    if decision.status != DecisionStatus.COOLING_OFF:
        return False
    if holds.blocking(release.facts_of(session, dossier, deciding=ticket.id)):
        return False
    receivables.line_up(session, dossier)
    made = standing.unchanged(session, dossier, ticket, decision)
    if made is None:
        standing.void(session, SYSTEM, dossier, decision, now=now)
        return False
    _execute(session, dossier, ticket, decision, made, now=now)
    return True


def _execute(
    session: Session, dossier: Dossier, ticket: Ticket, decision: Decision, made: Plan, *, now: datetime
) -> None:
    outcome = DecisionOutcome(decision.outcome)
    draft, sides = standing.draft_of(decision), (("payer", dossier.payer), ("payee", dossier.payee))
    # Before anything is booked: what is kept back settles the debt that a letter speaks of.
    told = {
        side: plan.letter_facts(session, dossier, draft, made.split, side, made.content["looked"])
        for side, _ in sides
    }
    audit.become(decision, approvals.after(decision.status, DecisionEvent.EXECUTE), now=now)
    decision.executed_at = now
    dispute.close(session, SYSTEM, ticket, outcome, now=now, notes=decision.reasons)
    _settle_milestone(dossier, outcome, now=now)
    cause = {"ticket": ticket.id, "milestone": dossier.milestone.id, "outcome": outcome.value}
    release.post_split(session, dossier, made.split, key=made.key, now=now, cause=cause)
    refunds.request(
        session,
        dossier,
        made.calls.refund,
        part=made.split.refund,
        ground=decision.ground,
        now=now,
        decision_id=decision.id,
    )
    payouts.withdraw(session, dossier, made.calls, amount=made.split.release, key=made.key, now=now)
    standing.trace(session, SYSTEM, "system:decision:execute", decision, dossier, now=now)
    parties = dict(sides)
    for due in decision_letters.carried_out(outcome):
        party = parties[due.audience]
        key, about = f"{made.key}-{party.id}", ("decision", decision.id)
        dossier.tell(session, due.template, party, key=key, now=now, about=about, **told[due.audience])
    if decision.ends_project:
        projects.cancel_unfunded(session, dossier, now=now)
    ending.finish(session, dossier, now=now)


def _settle_milestone(dossier: Dossier, outcome: DecisionOutcome, *, now: datetime) -> None:
    refunded = outcome is DecisionOutcome.FULL_REFUND
    dossier.move(milestones.Event.DECIDE_REFUND if refunded else milestones.Event.DECIDE_RELEASE, now=now)
    if not refunded:
        dossier.milestone.verified_at = now
        released = outcome is DecisionOutcome.FULL_RELEASE
        dossier.milestone.outcome = milestones.Outcome.RELEASED if released else milestones.Outcome.SPLIT
