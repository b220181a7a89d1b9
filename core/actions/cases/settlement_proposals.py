"""Settlement proposals: one party proposes, the other accepts, and the case closes without a mediator's decision.

Journal, calls and e-mails come from the same plan as those of a decision, under the key `agreement.{case}.{n}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import audit, letters
from core.actions.cases import disputes, mediator_assignment
from core.actions.cases.messages import MOST, MessageTooLong
from core.actions.debts import receivables
from core.actions.decisions import outcome, plan, plan_letters, planned_calls, recorded_decision
from core.actions.decisions.plan import Draft
from core.actions.decisions.planned_calls import Calls
from core.actions.milestones import completion
from core.actions.milestones.milestone_context import MilestoneContext, open_case, open_milestone
from core.actions.payouts import release
from core.audit.actions import AuditAction, StoredAction
from core.audit.recorded_steps import UNTIL, digest
from core.errors import ChangedMeanwhile, NotFound
from core.letters import Letter
from core.money import Money
from core.records import Case, Party, SettlementProposal
from core.rules import amount_limits, holds
from core.rules import settlement_proposals as rules
from core.rules.grounds import Ground
from core.rules.permissions import SYSTEM, Actor, NotYours
from core.rules.settlement_proposals import (
    SettlementProposalEvent,
    SettlementProposalNotYours,
    SettlementProposalStatus,
)
from core.rules.splits import Split

FORMAT = "escrow-desk/agreement/2"
RESOLUTION = "AGREED"
ENDED_AS: Mapping[SettlementProposalEvent, AuditAction] = {
    SettlementProposalEvent.DECLINE: AuditAction.SETTLEMENT_PROPOSAL_DECLINE,
    SettlementProposalEvent.WITHDRAW: AuditAction.SETTLEMENT_PROPOSAL_WITHDRAW,
    SettlementProposalEvent.REPLACE: AuditAction.SETTLEMENT_PROPOSAL_REPLACE,
    SettlementProposalEvent.EXPIRE: AuditAction.SETTLEMENT_PROPOSAL_EXPIRE,
}


def propose(
    session: Session, actor: Actor, *, now: datetime, case_id: int, release: Money, note: str = ""
) -> SettlementProposal:
    """A party proposes that `release` goes to the payee and the rest of the held amount to the payer. An open
    proposal of the same party is replaced by it; an open one of the other party is thereby declined.

    Raises `NotYours`, `CaseClosed`, `AlreadyDecided`, `MessageTooLong` and what a decision raises about amounts.
    """
    context, case = open_case(session, case_id)
    proposer = _party(context, actor)
    _require_undecided(session, case)
    split = _split(context, case, release)
    amount_limits.require_payable(split.release)
    if len(note) > MOST:
        raise MessageTooLong(most=MOST, length=len(note))
    if (standing := open_proposal(session, case.id)) is not None:
        own = standing.proposed_by == proposer.id
        _end(
            session,
            actor,
            context,
            standing,
            SettlementProposalEvent.REPLACE if own else SettlementProposalEvent.DECLINE,
            now=now,
        )
    proposal = SettlementProposal(
        case_id=case.id,
        proposed_by=proposer.id,
        currency=split.release.currency,
        release_minor=split.release.minor,
        refund_minor=split.refund.minor,
        note=note.strip(),
        status=SettlementProposalStatus.OPEN,
        made_at=now,
        expires_at=rules.expires_at(now),
    )
    session.add(proposal)
    session.flush()
    _trace(session, actor, AuditAction.SETTLEMENT_PROPOSAL_MAKE.by("party"), context, proposal, now=now)
    context.tell(
        session,
        "settlement_proposal_made",
        _other(context, proposer),
        key=f"offer-{proposal.id}-made",
        now=now,
        about=("offer", proposal.id),
        **_letter_facts(context, case, proposal),
        note=proposal.note,
        answer_by=proposal.expires_at,
    )
    return proposal


def accept(session: Session, actor: Actor, *, now: datetime, proposal_id: int) -> SettlementProposal:
    """The other party accepts: the money moves as proposed and the case is closed. Accepting again changes nothing.

    Raises `SettlementProposalNotYours`, `SettlementProposalExpired`, `ReleaseBlocked`, `AlreadyDecided`,
    `ChangedMeanwhile`, `IllegalMove`.
    """
    context, case, proposal = _locked(session, proposal_id)
    party = _party(context, actor)
    if proposal.proposed_by == party.id:
        raise SettlementProposalNotYours(who="You", what="accept", **_made_by(session, proposal))
    if proposal.status == SettlementProposalStatus.ACCEPTED:
        return proposal
    status = rules.after(proposal.status, SettlementProposalEvent.ACCEPT)
    rules.require_standing(proposal.expires_at, now)
    _require_undecided(session, case)
    holds.require_clear(release.facts_of(session, context, deciding=case.id))
    split = _split(context, case, Money(proposal.release_minor, proposal.currency))
    if split.refund.minor != proposal.refund_minor:  # the bank has taken a part of it since
        raise ChangedMeanwhile(
            kind="settlement proposal", what=f"{context.money(context.order.held_minor)} is held now"
        )
    key = _key(session, proposal)
    if split.release.is_positive:
        receivables.lock_payee(session, context)
    made = planned_calls.of_split(session, context, split, key=key)
    proposal.plan = _plan(context, case, proposal, split, made, party, key)
    proposal.plan_hash = digest(proposal.plan)
    audit.become(proposal, status, now=now, by=actor)
    proposal.ended_at = now
    session.flush()
    _trace(session, actor, AuditAction.SETTLEMENT_PROPOSAL_ACCEPT.by("party"), context, proposal, now=now)
    _settle(session, context, case, proposal, split, made, key, now=now)
    return proposal


def foreseen(session: Session, proposal_id: int) -> tuple[dict[str, Any], dict[str, Letter]]:
    """The plan of an proposal, as it is recorded or as it would be if it were accepted now; and then its two letters.

    Raises what accepting would say about the amounts. Writes nothing.
    """
    proposal = session.get_one(SettlementProposal, proposal_id)
    case = session.get_one(Case, proposal.case_id)
    context = open_milestone(session, case.milestone_id, lock=False)
    if proposal.plan is not None:
        return proposal.plan, {}
    split = _split(context, case, Money(proposal.release_minor, proposal.currency))
    key = _key(session, proposal)
    made = planned_calls.of_split(session, context, split, key=key)
    accepting = _other(context, session.get_one(Party, proposal.proposed_by))
    told, moves = _letter_facts(context, case, proposal), _moves(context, made)
    papers = {
        side: letters.render(
            "settlement_proposal_accepted",
            side,
            project=context.project.title,
            milestone=context.milestone.title,
            amount=context.money(context.milestone.amount_minor),
            platform=context.project.platform,
            **told,
            on_its_way=moves[party.id],
        )
        for side, party in plan_letters.sides(context)
    }
    return _plan(context, case, proposal, split, made, accepting, key), papers


def decline(session: Session, actor: Actor, *, now: datetime, proposal_id: int) -> SettlementProposal:
    """The other party declines; the one that made the proposal is told by e-mail.

    Raises `SettlementProposalNotYours`.
    """
    context, case, proposal = _locked(session, proposal_id)
    party = _party(context, actor)
    if proposal.proposed_by == party.id:
        raise SettlementProposalNotYours(who="You", what="decline", **_made_by(session, proposal))
    _end(session, actor, context, proposal, SettlementProposalEvent.DECLINE, now=now)
    context.tell(
        session,
        "settlement_proposal_declined",
        _other(context, party),
        key=f"offer-{proposal.id}-declined",
        now=now,
        about=("offer", proposal.id),
        **_letter_facts(context, case, proposal),
    )
    return proposal


def withdraw(session: Session, actor: Actor, *, now: datetime, proposal_id: int) -> SettlementProposal:
    """The party that made the proposal withdraws it. Raises `SettlementProposalNotYours`."""
    context, case, proposal = _locked(session, proposal_id)
    proposer = _party(context, actor)
    if proposal.proposed_by != proposer.id:
        raise SettlementProposalNotYours(who="The other side", what="answer", **_made_by(session, proposal))
    _end(session, actor, context, proposal, SettlementProposalEvent.WITHDRAW, now=now)
    _tell_end(
        session, context, case, proposal, "settlement_proposal_withdrawn", _other(context, proposer), now=now
    )
    return proposal


def expire(session: Session, *, now: datetime, proposal_id: int) -> bool:
    """End a proposal whose time is over or whose case is closed; returns whether it was still open."""
    context, case, proposal = _locked(session, proposal_id)
    if proposal.status != SettlementProposalStatus.OPEN or (
        now < proposal.expires_at and case.resolved_at is None
    ):
        return False
    _end(session, SYSTEM, context, proposal, SettlementProposalEvent.EXPIRE, now=now)
    if case.resolved_at is None:
        proposer = session.get_one(Party, proposal.proposed_by)
        _tell_end(session, context, case, proposal, "settlement_proposal_expired", proposer, now=now)
    return True


def _tell_end(
    session: Session,
    context: MilestoneContext,
    case: Case,
    proposal: SettlementProposal,
    template: str,
    party: Party,
    *,
    now: datetime,
) -> None:
    facts, about = _letter_facts(context, case, proposal), ("offer", proposal.id)
    context.tell(
        session, template, party, key=f"offer-{proposal.id}-{template}", now=now, about=about, **facts
    )


def open_proposal(session: Session, case_id: int) -> SettlementProposal | None:
    """The settlement proposal that stands in this case; the database keeps at most one."""
    wanted = select(SettlementProposal).where(
        SettlementProposal.case_id == case_id, SettlementProposal.status == SettlementProposalStatus.OPEN
    )
    return session.scalars(wanted).one_or_none()


def _locked(session: Session, proposal_id: int) -> tuple[MilestoneContext, Case, SettlementProposal]:
    plain = session.get(SettlementProposal, proposal_id)
    if plain is None:
        raise NotFound(kind="settlement proposal", id=proposal_id)
    context, case = open_case(session, plain.case_id)
    return (
        context,
        case,
        session.get_one(SettlementProposal, proposal_id, with_for_update=True, populate_existing=True),
    )


def _party(context: MilestoneContext, actor: Actor) -> Party:
    for party in (context.payer, context.payee):
        if actor.kind == "party" and actor.id == party.id:
            return party
    raise NotYours(actor=actor.label)


def _made_by(session: Session, proposal: SettlementProposal) -> Mapping[str, Any]:
    """Which proposal it is and whose, for a program."""
    return {
        "settlement_proposal": proposal.id,
        "proposed_by": session.get_one(Party, proposal.proposed_by).external_id,
    }


def _other(context: MilestoneContext, party: Party) -> Party:
    return context.payee if party.id == context.payer.id else context.payer


def _require_undecided(session: Session, case: Case) -> None:
    mediator_assignment.require_open(case)
    recorded_decision.require_undecided(session, case, recorded_decision.of_case(session, case.id))


def _split(context: MilestoneContext, case: Case, release: Money) -> Split:
    return plan.split_of(context, _draft(context, case, release))


def _draft(context: MilestoneContext, case: Case, release: Money) -> Draft:
    held = context.money(context.order.held_minor)
    return Draft(
        case_id=case.id,
        outcome=rules.outcome(release, held),
        ground=Ground.AGREED_SPLIT,
        reasons="",
        release=release,
    )


def _key(session: Session, proposal: SettlementProposal) -> str:
    count = select(func.count()).where(
        SettlementProposal.case_id == proposal.case_id, SettlementProposal.id <= proposal.id
    )
    return f"agreement.{proposal.case_id}.{session.scalar(count)}"


def _plan(
    context: MilestoneContext,
    case: Case,
    proposal: SettlementProposal,
    split: Split,
    made: Calls,
    by: Party,
    key: str,
) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "ticket": case.id,
        "milestone": context.milestone.id,
        "project": context.project.id,
        "offer": proposal.id,
        "proposed_by": proposal.proposed_by,
        "accepted_by": by.id,
        "outcome": rules.outcome(split.release, context.money(context.order.held_minor)).value,
        "ground": Ground.AGREED_SPLIT.value,
        **plan.movements(context, split, made, key=key, cause=_cause(case, context, proposal)),
    }


def _cause(case: Case, context: MilestoneContext, proposal: SettlementProposal) -> dict[str, Any]:
    return {"ticket": case.id, "milestone": context.milestone.id, "offer": proposal.id}


def _settle(
    session: Session,
    context: MilestoneContext,
    case: Case,
    proposal: SettlementProposal,
    split: Split,
    made: Calls,
    key: str,
    *,
    now: datetime,
) -> None:
    told = _letter_facts(context, case, proposal)
    moves = _moves(context, made)
    disputes.close(session, SYSTEM, case, RESOLUTION, now=now)
    outcome.settle(
        session,
        context,
        rules.outcome(split.release, context.money(context.order.held_minor)),
        split,
        made,
        events=outcome.AGREED,
        key=key,
        ground=Ground.AGREED_SPLIT,
        cause=_cause(case, context, proposal),
        now=now,
    )
    for party in (context.payer, context.payee):
        about = ("offer", proposal.id)
        own = {**told, "on_its_way": moves[party.id]}
        context.tell(
            session,
            "settlement_proposal_accepted",
            party,
            key=f"{key}-{party.id}",
            now=now,
            about=about,
            **own,
        )
    completion.finish(session, context, now=now)


def _moves(context: MilestoneContext, made: Calls) -> dict[int, bool]:
    """Which parties receive money automatically, by id."""
    return {context.payer.id: made.refund is not None, context.payee.id: made.transfer is not None}


def _letter_facts(context: MilestoneContext, case: Case, proposal: SettlementProposal) -> dict[str, Any]:
    released = Money(proposal.release_minor, proposal.currency)
    facts = {"released": released, "refunded": Money(proposal.refund_minor, proposal.currency)}
    if not (proposal.refund_minor and context.order.held_minor):
        return facts
    return facts | plan_letters.fees(context, _split(context, case, released))


def _end(
    session: Session,
    actor: Actor,
    context: MilestoneContext,
    proposal: SettlementProposal,
    event: SettlementProposalEvent,
    *,
    now: datetime,
) -> None:
    audit.become(proposal, rules.after(proposal.status, event), now=now, by=actor)
    proposal.ended_at = now
    session.flush()
    kind = "system" if actor.kind == "system" else "party"
    _trace(session, actor, ENDED_AS[event].by(kind), context, proposal, now=now)


def _trace(
    session: Session,
    actor: Actor,
    action: StoredAction,
    context: MilestoneContext,
    proposal: SettlementProposal,
    *,
    now: datetime,
) -> None:
    context.note(
        session,
        actor,
        action,
        now=now,
        about=("offer", proposal.id),
        after={
            "status": proposal.status,
            "released": Money(proposal.release_minor, proposal.currency).as_dict(),
            "refunded": Money(proposal.refund_minor, proposal.currency).as_dict(),
            "plan": proposal.plan_hash,
            UNTIL: proposal.expires_at,
        },
        case_id=proposal.case_id,
        contents=[proposal] if action == AuditAction.SETTLEMENT_PROPOSAL_MAKE.by("party") else [],
    )
