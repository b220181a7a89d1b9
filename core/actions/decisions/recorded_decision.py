"""A recorded decision: what it was made from, whether its plan is still the one that would be made, and its trace."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from core import audit
from core.actions.decisions import cooling_off_letters, drafts, plan
from core.actions.decisions.plan import Draft, Plan
from core.actions.decisions.planned_calls import Asked
from core.actions.milestones.milestone_context import MilestoneContext, open_case, open_milestone
from core.actions.staff import proposals
from core.actions.staff.proposals import Subject, Waiting
from core.audit.actions import AuditAction, StoredAction
from core.errors import DeskError
from core.money import Money
from core.records import Case, Decision, Staff
from core.rules import approvals
from core.rules import proposals as rules
from core.rules.approvals import DecisionEvent, DecisionStatus
from core.rules.grounds import DecisionOutcome, Ground, Reference
from core.rules.items import Item
from core.rules.permissions import SYSTEM, Actor, staff_number
from core.rules.proposals import ProposalKind

LIVE = (DecisionStatus.AWAITING_APPROVAL, DecisionStatus.COOLING_OFF, DecisionStatus.EXECUTED)
PENDING = (DecisionStatus.AWAITING_APPROVAL, DecisionStatus.COOLING_OFF)
CHANGED = "The case changed after the decision was made."
NEW_EVIDENCE = "New evidence came in after the decision was made."
MAKER_LEFT = "The maker of the decision has since been recused from the case."
CHECKER_LEFT = "The approver of the decision has since been recused from the case."
CHECKER_TIED = "Whoever approved the decision has declared a tie to a party since."
OUTDATED = "The desk was updated after the decision was made, and computes its plan differently now."


class AlreadyDecided(DeskError):
    """Case D-{case} was decided in the meantime: {outcome} by {maker}, {when:%d %B %Y at %H:%M} UTC.

    Yours was not recorded: two mediators at once, one wins.
    """


def of_case(session: Session, case_id: int, *, intent: str | None = None) -> list[Decision]:
    """Every decision about this case, void ones as well, in their order; and the one that was made with this
    `intent`, whatever case it is about."""
    theirs = Decision.case_id == case_id
    wanted = select(Decision).where(theirs if intent is None else or_(theirs, Decision.intent == intent))
    return list(session.scalars(wanted.order_by(Decision.id)))


def require_undecided(session: Session, case: Case, earlier: Iterable[Decision]) -> None:
    """No decision about this case stands, carried out or waiting, among these `earlier` ones. Raises
    `AlreadyDecided`."""
    for live in earlier:
        if live.case_id != case.id or live.status not in LIVE:
            continue
        raise AlreadyDecided(
            case=case.id,
            outcome=DecisionOutcome(live.outcome).label.lower(),
            maker=session.get_one(Staff, live.maker_id).name,
            when=live.made_at,
        )


def person(actor: Actor) -> int:
    """Who decides, by number. Raises `NotPermitted`."""
    return staff_number(actor, action="decide", roles="a mediator")


def draft_of(decision: Decision) -> Draft:
    """The draft that a recorded decision was made from, to compute its plan again, with the messages it cites."""
    cited = [(Reference(each["reference"]), each["id"], each["sha256"]) for each in decision.citations]
    pieces = decision.plan["bindings"]["evidence"]
    said = [number for reference, number, _ in cited if reference is Reference.MESSAGE_HISTORY]
    return Draft(
        case_id=decision.case_id,
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
        items=tuple(Item.from_dict(each, decision.currency) for each in decision.plan.get("items", ())),
        passages={
            each["audience"]: each["passage"] for each in decision.plan["letters"] if "passage" in each
        },
        said_until=said[0] if said else None,
        ends_project=decision.ends_project,
        looked_until=decision.made_at,
        asked=Asked.of_plan(decision.plan),
    )


def present(session: Session, context: MilestoneContext, case: Case, decision: Decision) -> Plan:
    """The plan as it would be made now, under the same key. Raises what making it would raise, and `ProposalFallen`
    where those who made and approved it would not do so now."""
    if why := fallen(session, context, case, decision):
        raise rules.fallen(ProposalKind.DECISION, why)
    return plan.make(
        session,
        context,
        case,
        draft_of(decision),
        maker_id=decision.maker_id,
        key=decision.plan["journal"]["key"],
    )


def waiting(context: MilestoneContext, case: Case, decision: Decision) -> Waiting:
    """As it waits for its second person."""
    parties = frozenset({context.payer.id, context.payee.id})
    return Waiting(
        ProposalKind.DECISION, decision.maker_id, decision.made_at, Subject(parties, case_id=case.id)
    )


def fallen(session: Session, context: MilestoneContext, case: Case, decision: Decision) -> str | None:
    """Why it no longer stands on those who made and approved it; None while it does.

    Nobody who is recused or has a tie would make or approve it. Its maker's role counts until it is approved.
    """
    subject = waiting(context, case, decision).subject
    maker = proposals.known_of(session, decision.maker_id, subject)
    if maker.recused:
        return MAKER_LEFT
    waits = decision.status == DecisionStatus.AWAITING_APPROVAL
    if (maker.tied or waits) and (why := rules.flaw(ProposalKind.DECISION, maker)):
        return why
    if decision.checker_id is None:
        return None
    checker = proposals.known_of(session, decision.checker_id, subject)
    if checker.recused:
        return CHECKER_LEFT
    return CHECKER_TIED if checker.tied else None


def maker_decides_anew(session: Session, context: MilestoneContext, case: Case, decision: Decision) -> bool:
    """Whether its maker may still decide this case, so that it can be their draft again."""
    known = proposals.known_of(session, decision.maker_id, waiting(context, case, decision).subject)
    return rules.flaw(ProposalKind.DECISION, known) is None


def unchanged(session: Session, context: MilestoneContext, case: Case, decision: Decision) -> Plan | None:
    """The plan that was confirmed, if it is what would be planned now; else None."""
    try:
        made = present(session, context, case, decision)
    except DeskError:  # what was decided could not even be decided now
        return None
    return made if made.hash == decision.plan_hash else None


def changed(session: Session, *, now: datetime) -> list[int]:
    """The milestones of decisions that wait although their plan would be another now, nobody may stand for them any
    more, or they have waited too long. Nothing is locked or written."""
    found = session.scalars(select(Decision).where(Decision.status.in_(PENDING)).order_by(Decision.id)).all()
    return [each.milestone_id for each in found if _changed(session, each, now=now)]


def _changed(session: Session, decision: Decision, *, now: datetime) -> bool:
    if expired(decision, now=now):
        return True
    context = open_milestone(session, decision.milestone_id, lock=False)
    return unchanged(session, context, session.get_one(Case, decision.case_id), decision) is None


def expired(decision: Decision, *, now: datetime) -> str | None:
    """That nobody approved it in time."""
    if decision.status != DecisionStatus.AWAITING_APPROVAL:
        return None
    return rules.expired(ProposalKind.DECISION, decision.made_at, now)


def return_changed(session: Session, *, now: datetime, number: int) -> bool:
    """The decision that waits about this milestone, if it no longer stands."""
    return look_again(session, now=now, milestone_id=number)


def look_again(session: Session, *, now: datetime, milestone_id: int, why: str | None = None) -> bool:
    """Something came in: a decision that waits returns to its mediator now, if its plan is no longer the one that would
    be made, and not only when its time is up; returns whether it did.

    What only stops money for a while (a hold, a review, a report) changes no plan: it is asked when money would move.
    """
    wanted = select(Decision).where(Decision.milestone_id == milestone_id, Decision.status.in_(PENDING))
    decision = session.scalars(wanted).one_or_none()
    if decision is None:
        return False
    context, case = open_case(session, decision.case_id)
    session.refresh(decision, with_for_update=True)
    return decision.status in PENDING and voided_if_changed(
        session, context, case, decision, now=now, why=why
    )


def voided_if_changed(
    session: Session,
    context: MilestoneContext,
    case: Case,
    decision: Decision,
    *,
    now: datetime,
    why: str | None = None,
) -> bool:
    """The same for a decision that is locked already, as its case is."""
    old = expired(decision, now=now)
    if old is None and unchanged(session, context, case, decision) is not None:
        return False
    void(session, SYSTEM, context, decision, now=now, why=old or why)
    return True


def void(
    session: Session,
    actor: Actor,
    context: MilestoneContext,
    decision: Decision,
    *,
    now: datetime,
    why: str | None = None,
    mail: str | None = None,
    ended: bool = False,
) -> None:
    """It no longer stands; unless the case has `ended`, its maker finds what they had written as a draft again.

    A maker who may no longer decide it does not: the decision stays on record for whoever decides now. `mail`
    stands in letters in the place of `why` where that is a person's own words.
    """
    case = session.get_one(Case, decision.case_id)
    why = why or _why(session, context, case, decision)
    again = not ended and maker_decides_anew(session, context, case, decision)
    audit.become(decision, approvals.after(decision.status, DecisionEvent.VOID), now=now, by=actor)
    decision.check_note = why
    if not ended:
        case.due_at = case.decision_due_at or case.due_at
    session.flush()
    if again:
        drafts.give_back(session, decision, now=now)
    action = (
        AuditAction.DECISION_VOID.by("system")
        if actor == SYSTEM
        else AuditAction.DECISION_VOID.by("mediator")
    )
    trace(session, actor, action, decision, context, now=now, reason=why)
    cooling_off_letters.tell_voided(session, context, decision, now=now, ended=ended)
    if not ended:
        _tell_mediators(session, actor, context, case, decision, why=mail or why, again=again, now=now)


def left_by(session: Session, actor: Actor, context: MilestoneContext, case: Case, *, now: datetime) -> None:
    """Someone was recused from the case: what they decided or approved there, and is not carried out, is void."""
    wanted = select(Decision).where(Decision.case_id == case.id, Decision.status.in_(PENDING))
    decision = session.scalars(wanted.with_for_update()).one_or_none()
    if decision is not None and actor.id in (decision.maker_id, decision.checker_id):
        void(session, actor, context, decision, now=now)


def _why(session: Session, context: MilestoneContext, case: Case, decision: Decision) -> str:
    """Why it is void, where no person gave a reason."""
    if why := fallen(session, context, case, decision):
        return why
    return CHANGED if decision.plan["format"] == plan.FORMAT else OUTDATED


def _tell_mediators(
    session: Session,
    actor: Actor,
    context: MilestoneContext,
    case: Case,
    decision: Decision,
    *,
    why: str,
    again: bool,
    now: datetime,
) -> None:
    """Whoever made it, and whose case it is now, must decide again; not who voided it, nor who may not decide again."""
    maker = decision.maker_id if again else None
    for staff_id in {maker, case.mediator_id} - {None, actor.id if actor.kind == "staff" else None}:
        context.tell_staff(
            session,
            "decision_voided",
            [staff_id] if staff_id else [],
            key=f"decision-{decision.id}-voided",
            now=now,
            about=("decision", decision.id),
            case=f"D-{case.id}",
            why=why,
            draft=staff_id == maker,
        )


def trace(
    session: Session,
    actor: Actor,
    action: StoredAction,
    decision: Decision,
    context: MilestoneContext,
    *,
    now: datetime,
    reason: str | None = None,
    extra: dict[str, Any] | None = None,
) -> None:
    """The entry about a step of a decision: its status, its case and the hash of its plan."""
    context.note(
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
        case_id=decision.case_id,
        contents=[decision] if action == AuditAction.DECISION_CONFIRM.by("mediator") else [],
    )
