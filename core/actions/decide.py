"""Deciding a dispute: preview, confirm once, a second person where the rules ask for one, and execution of exactly the
plan that was confirmed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.actions import dispute, ending, mediate, payouts, plan, refunds, release
from core.actions.dossier import Dossier
from core.actions.plan import Draft, Plan
from core.errors import ChangedMeanwhile, DeskError, NotFound, ReasonMissing
from core.money import Money
from core.records import Decision, Evidence, EvidenceView, Milestone, Party, Project, Staff, Ticket
from core.rules import approvals, deadlines, holds, mediation, milestones
from core.rules.approvals import DecisionEvent, DecisionStatus
from core.rules.blocks import Block
from core.rules.grounds import DecisionOutcome, Ground, Reference
from core.rules.permissions import SYSTEM, Actor, NotPermitted, Permission, allowed, require, require_fresh

LIVE = (DecisionStatus.AWAITING_APPROVAL, DecisionStatus.COOLING_OFF, DecisionStatus.EXECUTED)


class AlreadyDecided(DeskError):
    """Case D-{ticket} was decided meanwhile: {outcome} by {maker}, {when:%d %B %Y at %H:%M} UTC.

    Yours was not recorded: two mediators at once, one wins.
    """


class IntentReused(DeskError):
    """This confirmation was already used for another decision. Nothing was recorded; open the case again."""


class NotInMediation(DeskError):
    """Case D-{ticket} is not in mediation ({status}), so it cannot be decided yet."""


class DecisionNotWaiting(DeskError):
    """This decision is {status}; there is nothing to approve."""


def preview(session: Session, actor: Actor, *, now: datetime, draft: Draft) -> tuple[Plan, tuple[Block, ...]]:
    """The plan for a draft and why a second person would be needed. Changes nothing and locks nothing for long."""
    dossier, ticket = _may_decide(session, actor, draft.ticket_id)
    made = plan.make(session, dossier, ticket, draft, maker_id=_id(actor))
    return made, _second_person(session, dossier, draft, made, now=now)


def confirm(
    session: Session, actor: Actor, *, now: datetime, draft: Draft, plan_hash: str, intent: str
) -> Decision:
    """Record the decision and carry it out, or hand it to a second person or to the cooling-off.

    `intent` is the key of this one confirmation: the same again (a double click) gives the same decision. `plan_hash`
    is what the mediator saw. Raises `AlreadyDecided`, `ChangedMeanwhile`, `IntentReused`, `ReleaseBlocked`,
    `StepUpRequired`.
    """
    require_fresh(actor, now)
    dossier, ticket = mediate.locked_ticket(session, draft.ticket_id)
    before = session.scalars(select(Decision).where(Decision.intent == intent)).one_or_none()
    if before is not None:
        if (before.maker_id, before.plan_hash) != (actor.id, plan_hash):
            raise IntentReused()
        return before
    dossier, ticket = _may_decide(session, actor, draft.ticket_id)
    holds.require_clear(release.facts_of(session, dossier, deciding=ticket.id))
    made = plan.make(session, dossier, ticket, draft, maker_id=_id(actor))
    if made.hash != plan_hash:
        raise ChangedMeanwhile(kind="case", what="the plan is not the one you saw")
    _count_alone(session, _beneficiary(dossier, made))
    reasons = _second_person(session, dossier, draft, made, now=now)
    decision = _record(session, actor, dossier, ticket, draft, made, reasons, intent=intent, now=now)
    if decision.status == DecisionStatus.COOLING_OFF:
        execute_if_due(session, decision, now=now)
    return decision


def _may_decide(session: Session, actor: Actor, ticket_id: int) -> tuple[Dossier, Ticket]:
    dossier, ticket = mediate.locked_ticket(session, ticket_id)
    if ticket.escalated and not allowed(actor, Permission.DECIDE):
        require(actor, Permission.DECIDE_ESCALATED)
    else:
        require(actor, Permission.DECIDE)
    mediation.may_mediate(
        _id(actor), mediate.ties_of(session, _id(actor)), dossier.payer.id, dossier.payee.id
    )
    require_undecided(session, ticket)
    if dossier.status is not milestones.Status.IN_MEDIATION:
        raise NotInMediation(ticket=ticket.id, status=dossier.status.label.lower())
    return dossier, ticket


def require_undecided(session: Session, ticket: Ticket) -> None:
    """No decision about this case stands, carried out or waiting. Raises `AlreadyDecided`."""
    live = session.scalars(
        select(Decision).where(Decision.ticket_id == ticket.id, Decision.status.in_(LIVE))
    ).one_or_none()
    if live is not None:
        raise AlreadyDecided(
            ticket=ticket.id,
            outcome=DecisionOutcome(live.outcome).label.lower(),
            maker=session.get_one(Staff, live.maker_id).name,
            when=live.made_at,
        )


def _id(actor: Actor) -> int:
    if actor.id is None:
        raise NotPermitted(action="decide", roles="a mediator")
    return actor.id


def _second_person(
    session: Session, dossier: Dossier, draft: Draft, made: Plan, *, now: datetime
) -> tuple[Block, ...]:
    return approvals.second_person_reasons(
        made.split.release + made.split.refund,
        dossier.profile,
        draft.ground,
        _decisions_in_a_day(session, dossier, made, now=now),
        override=draft.override,
    )


def _decisions_in_a_day(session: Session, dossier: Dossier, made: Plan, *, now: datetime) -> int:
    """Earlier decisions of the last 24 hours in favour of whoever gets more of this one."""
    beneficiary = _beneficiary(dossier, made)
    to_payee = beneficiary is dossier.payee
    party = (Project.payee_id if to_payee else Project.payer_id) == beneficiary.id
    wanted = (
        select(func.count())
        .select_from(Decision)
        .join(Milestone, Milestone.id == Decision.milestone_id)
        .join(Project, Project.id == Milestone.project_id)
        .where(party, Decision.status.in_(LIVE), Decision.made_at > now - timedelta(days=1))
    )
    return session.scalar(wanted) or 0


def _beneficiary(dossier: Dossier, made: Plan) -> Party:
    return dossier.payee if made.split.release >= made.split.refund else dossier.payer


def _count_alone(session: Session, beneficiary: Party) -> None:
    """Decisions for one party wait for each other, so that each counts those before it; others do not wait."""
    session.execute(select(Party.id).where(Party.id == beneficiary.id).with_for_update(key_share=True))


def _record(
    session: Session,
    actor: Actor,
    dossier: Dossier,
    ticket: Ticket,
    draft: Draft,
    made: Plan,
    reasons: tuple[Block, ...],
    *,
    intent: str,
    now: datetime,
) -> Decision:
    status = approvals.initial(reasons)
    decision = Decision(
        ticket_id=ticket.id,
        milestone_id=dossier.milestone.id,
        intent=intent,
        outcome=draft.outcome,
        ground=draft.ground,
        currency=dossier.milestone.currency,
        release_minor=made.split.release.minor,
        refund_minor=made.split.refund.minor,
        reasons=draft.reasons,
        citations=made.content["citations"],
        plan=made.content,
        plan_hash=made.hash,
        status=status,
        needs_approval=bool(reasons),
        approval_reasons=[{"code": each.code, "sentence": each.sentence} for each in reasons],
        maker_id=_id(actor),
        made_at=now,
        execute_at=None if reasons else deadlines.execution_at(now, dossier.profile),
    )
    session.add(decision)
    # From here on the case is due when the decision is carried out.
    ticket.due_at = decision.execute_at or ticket.due_at
    session.flush()
    _trace(session, actor, "mediator:decision:confirm", decision, dossier, now=now, reason=draft.reasons)
    unopened = _unopened(session, dossier, _id(actor))
    if unopened:
        _trace(
            session,
            actor,
            "mediator:decision:unopened",
            decision,
            dossier,
            now=now,
            extra={"unopened": unopened},
        )
    return decision


def _unopened(session: Session, dossier: Dossier, staff_id: int) -> list[int]:
    """Evidence that this mediator never opened: said before confirming, and kept in the log."""
    opened = select(EvidenceView.evidence_id).where(EvidenceView.staff_id == staff_id)
    wanted = select(Evidence.id).where(
        Evidence.milestone_id == dossier.milestone.id, Evidence.id.not_in(opened)
    )
    return sorted(session.scalars(wanted))


def _trace(
    session: Session,
    actor: Actor,
    action: str,
    decision: Decision,
    dossier: Dossier,
    *,
    now: datetime,
    reason: str | None = None,
    extra: dict[str, Any] | None = None,
) -> None:
    dossier.note(
        session,
        actor,
        action,
        now=now,
        about=("decision", decision.id),
        reason=reason,
        after={
            "status": decision.status,
            "outcome": decision.outcome,
            "ground": decision.ground,
            "release": decision.release_minor,
            "refund": decision.refund_minor,
            "plan": decision.plan_hash,
            **(extra or {}),
        },
        ticket_id=decision.ticket_id,
    )


def approve(
    session: Session, actor: Actor, *, now: datetime, decision_id: int, plan_hash: str, note: str = ""
) -> Decision:
    """A second person approves exactly the plan that the maker confirmed (DESIGN 6).

    When the case has changed since, the decision is voided instead: look at the returned status.
    """
    require(actor, Permission.APPROVE_DECISION)
    require_fresh(actor, now)
    dossier, ticket, decision = _waiting(session, actor, decision_id)
    approvals.check_plan(decision.plan_hash, plan_hash)
    if _present_hash(session, dossier, ticket, decision) != decision.plan_hash:
        decision.status = approvals.after(decision.status, DecisionEvent.VOID)
        decision.check_note = "The case changed after the decision was made."
        _trace(
            session, SYSTEM, "system:decision:void", decision, dossier, now=now, reason=decision.check_note
        )
        return decision
    decision.checker_id, decision.checked_at, decision.check_note = actor.id, now, note
    decision.status = approvals.after(decision.status, DecisionEvent.APPROVE)
    decision.execute_at = deadlines.execution_at(now, dossier.profile)
    session.flush()
    _trace(session, actor, "staff:decision:approve", decision, dossier, now=now, reason=note or None)
    execute_if_due(session, decision, now=now)
    return decision


def send_back(session: Session, actor: Actor, *, now: datetime, decision_id: int, note: str) -> Decision:
    """The second person does not approve: the case goes back to its mediator with a note."""
    require(actor, Permission.APPROVE_DECISION)
    if not note.strip():
        raise ReasonMissing()
    dossier, _, decision = _waiting(session, actor, decision_id)
    decision.checker_id, decision.checked_at, decision.check_note = actor.id, now, note
    decision.status = approvals.after(decision.status, DecisionEvent.RETURN)
    session.flush()
    _trace(session, actor, "staff:decision:return", decision, dossier, now=now, reason=note)
    return decision


def _waiting(session: Session, actor: Actor, decision_id: int) -> tuple[Dossier, Ticket, Decision]:
    plain = session.get(Decision, decision_id)
    if plain is None:
        raise NotFound(kind="decision", id=decision_id)
    dossier, ticket = mediate.locked_ticket(session, plain.ticket_id)
    decision = session.get_one(Decision, decision_id, with_for_update=True, populate_existing=True)
    if decision.status != DecisionStatus.AWAITING_APPROVAL:
        raise DecisionNotWaiting(status=DecisionStatus(decision.status).label.lower())
    approvals.check_checker(decision.maker_id, _id(actor))
    mediation.may_mediate(
        _id(actor), mediate.ties_of(session, _id(actor)), dossier.payer.id, dossier.payee.id
    )
    return dossier, ticket, decision


def draft_of(decision: Decision) -> Draft:
    """The draft that a recorded decision was made from, to compute its plan again."""
    cited = [(Reference(each["reference"]), each["id"], each["sha256"]) for each in decision.citations]
    pieces = decision.plan["bindings"]["evidence"]
    return Draft(
        ticket_id=decision.ticket_id,
        outcome=DecisionOutcome(decision.outcome),
        ground=Ground(decision.ground),
        reasons=decision.reasons,
        release=Money(decision.release_minor, decision.currency),
        references=frozenset(reference for reference, _, _ in cited),
        evidence_ids=frozenset(
            number
            for reference, number, digest in cited
            if reference is Reference.MILESTONE_EVIDENCE and digest in pieces
        ),
        override=bool(decision.plan["override"]),
    )


def _present_hash(session: Session, dossier: Dossier, ticket: Ticket, decision: Decision) -> str:
    """The hash of the plan as it would be made today, under the same key."""
    made = plan.make(
        session,
        dossier,
        ticket,
        draft_of(decision),
        maker_id=decision.maker_id,
        key=decision.plan["journal"]["key"],
    )
    return made.hash


def execute_if_due(session: Session, decision: Decision, *, now: datetime) -> bool:
    """Carry out a decision whose cooling-off has passed; returns whether it did.

    Posts exactly the journal of the plan and queues exactly its calls. A case that changed since voids the decision.
    """
    if decision.execute_at is None or now < decision.execute_at:
        return False
    dossier, ticket = mediate.locked_ticket(session, decision.ticket_id)
    decision = session.get_one(Decision, decision.id, with_for_update=True, populate_existing=True)
    if decision.status != DecisionStatus.COOLING_OFF:
        return False
    if holds.blocking(release.facts_of(session, dossier, deciding=ticket.id)):
        return False
    made = plan.make(
        session,
        dossier,
        ticket,
        draft_of(decision),
        maker_id=decision.maker_id,
        key=decision.plan["journal"]["key"],
    )
    if made.hash != decision.plan_hash:
        decision.status = approvals.after(decision.status, DecisionEvent.VOID)
        decision.check_note = "The case changed after the decision was made."
        _trace(
            session, SYSTEM, "system:decision:void", decision, dossier, now=now, reason=decision.check_note
        )
        return False
    _execute(session, dossier, ticket, decision, made, now=now)
    return True


def _execute(
    session: Session, dossier: Dossier, ticket: Ticket, decision: Decision, made: Plan, *, now: datetime
) -> None:
    outcome = DecisionOutcome(decision.outcome)
    refunded = outcome is DecisionOutcome.FULL_REFUND
    decision.status = approvals.after(decision.status, DecisionEvent.EXECUTE)
    decision.executed_at = now
    dispute.close(ticket, outcome, now=now, notes=decision.reasons)
    dossier.move(milestones.Event.DECIDE_REFUND if refunded else milestones.Event.DECIDE_RELEASE)
    milestone = dossier.milestone
    if not refunded:
        milestone.verified_at = now
        released = outcome is DecisionOutcome.FULL_RELEASE
        milestone.outcome = milestones.Outcome.RELEASED if released else milestones.Outcome.SPLIT
    cause = {"ticket": ticket.id, "milestone": milestone.id, "outcome": outcome.value}
    release.post_split(session, dossier, made.split, key=made.key, now=now, cause=cause)
    refunds.request(
        session, dossier, made.split, ground=decision.ground, key=made.key, now=now, decision_id=decision.id
    )
    payouts.request(session, dossier, made.split.release, key=made.key, now=now)
    _trace(session, SYSTEM, "system:decision:execute", decision, dossier, now=now)
    told = plan.letter_facts(dossier, draft_of(decision), made.split)
    for party in (dossier.payer, dossier.payee):
        key = f"{made.key}-{party.id}"
        dossier.tell(session, plan.template_of(outcome), party, key=key, now=now, **told)
    ending.finish(session, dossier, now=now)
