"""Lifting a hold that stops more than the threshold: one person proposes it, and another approves (internal policy).

Whoever placed the hold may propose to lift it, and never approves.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit
from core.actions.milestones.milestone_context import open_milestone
from core.actions.risk import holds, lifting_alone, payee_holds
from core.actions.staff import proposals
from core.actions.staff.proposals import Subject, Waiting
from core.audit.actions import AuditAction, StoredAction
from core.audit.content_hashes import Words
from core.errors import DeskError, NotFound
from core.money import Money
from core.records import Hold, HoldLift, PayeeHold, Staff
from core.rules import holds as rules
from core.rules.permissions import SYSTEM, Actor, Permission, require
from core.rules.proposals import ProposalKind, ProposalStatus, ended
from core.rules.reasons import given
from core.rules.references import reference
from core.rules.refusal_reasons import Block


class OnePersonLifts(DeskError):
    """Hold {hold} stops no more than the threshold, so one person lifts it."""


@dataclass(frozen=True)
class Lifted:
    """What lifting released: of one milestone this much, of a payee's the money of so many milestones."""

    released: Money | None = None
    milestones: int = 0


@dataclass(frozen=True)
class Proposed:
    """What waits for a second person: `by` whom, and why the hold can be lifted."""

    id: int
    by_id: int
    by: str
    at: datetime
    reason: str


@dataclass(frozen=True)
class LiftRequirement:
    """`why`: two people lift it, for these reasons; empty where one is enough. `proposed`: what waits already."""

    why: tuple[Block, ...]
    proposed: Proposed | None


def requirement(session: Session, hold_id: int, *, now: datetime) -> LiftRequirement:
    """How many people lift this hold, and what was proposed. Nothing is locked."""
    of_milestone = session.get(Hold, hold_id)
    if of_milestone is not None:
        context = open_milestone(session, of_milestone.milestone_id, lock=False)
        why = holds.two_people(session, context)
    else:
        why = payee_holds.two_people(session, session.get_one(PayeeHold, hold_id).party_id, now=now)
    row = lifting_alone.proposed(session, hold_id)
    if row is None:
        return LiftRequirement(tuple(why), None)
    by = session.get_one(Staff, row.proposed_by).name
    return LiftRequirement(tuple(why), Proposed(row.id, row.proposed_by, by, row.proposed_at, row.reason))


def propose(session: Session, actor: Actor, *, now: datetime, hold_id: int, reason: str) -> HoldLift:
    """Propose to lift it; nothing moves yet. Raises `OnePersonLifts`, `ProposalWaits`, `TiedToParty`,
    `RecusedFromCase`, `HoldAlreadyLifted`, `StepUpRequired`."""
    require(actor, Permission.RELEASE_HOLD, now)
    reason = given(reason)
    if session.get(Hold, hold_id) is not None:
        context, hold = holds.opened(session, hold_id)
        subject, why, own = Subject.of(context), holds.two_people(session, context), {"hold_id": hold.id}
    else:
        _, of_payee = payee_holds.opened(session, hold_id)
        subject = Subject(frozenset({of_payee.party_id}))
        why, own = payee_holds.two_people(session, of_payee.party_id, now=now), {"payee_hold_id": of_payee.id}
    me = proposals.require_maker(session, actor, subject)
    lifting_alone.require_none_waits(session, hold_id)
    if not why:
        raise OnePersonLifts(hold=hold_id)
    row = HoldLift(reason=reason, proposed_by=me, proposed_at=now, status=ProposalStatus.PROPOSED, **own)
    session.add(row)
    session.flush()
    audit.record(
        session,
        actor,
        AuditAction.HOLD_PROPOSE_LIFT.by("staff"),
        object_kind="hold_lift",
        object_id=row.id,
        now=now,
        reason=reason,
        after={"hold": row.number},
        contents=[row],
    )
    return row


def approve(session: Session, actor: Actor, *, now: datetime, lift_id: int, reason: str = "") -> Lifted:
    """Lift it, as another person than who proposed it or placed the hold. Raises what `proposals.require_checker`
    does, `OwnHold`, `ProposalEnded`, `StepUpRequired`."""
    require(actor, Permission.RELEASE_HOLD, now)
    said = given(reason) if reason.strip() else None
    plain = _known(session, lift_id)
    if plain.hold_id is not None:
        context, hold = holds.opened(session, plain.hold_id)
        row = _approved(session, actor, lift_id, hold, said=said, now=now)
        return Lifted(released=holds.lifted(session, actor, context, hold, reason=row.reason, now=now))
    contexts, of_payee = payee_holds.opened(session, plain.number)
    row = _approved(session, actor, lift_id, of_payee, said=said, now=now)
    return Lifted(
        milestones=payee_holds.lifted(session, actor, contexts, of_payee, reason=row.reason, now=now)
    )


def reject(session: Session, actor: Actor, *, now: datetime, lift_id: int, reason: str) -> None:
    """The hold stands: whoever proposed it withdraws it, anybody else rejects it. Raises `ProposalEnded`."""
    require(actor, Permission.RELEASE_HOLD, now)
    reason = given(reason)
    row = _open(session, lift_id)
    status = proposals.outcome(actor, row.proposed_by)
    withdrawn = status is ProposalStatus.WITHDRAWN
    action = AuditAction.HOLD_WITHDRAW_LIFT if withdrawn else AuditAction.HOLD_REJECT_LIFT
    _settle(session, actor, row, status, action.by("staff"), said=reason, now=now)


def stale(session: Session, *, now: datetime) -> list[int]:
    """Which can no longer be approved, whoever wants to. Nothing is locked or written."""
    wanted = select(HoldLift).where(HoldLift.status == ProposalStatus.PROPOSED)
    return [row.id for row in session.scalars(wanted) if fallen(session, row, now=now)]


def fallen(session: Session, row: HoldLift, *, now: datetime) -> str | None:
    """Why: its maker, its time, or that the hold is lifted."""
    if _hold(session, row).released_at is not None:
        return "The hold was lifted in the meantime."
    return proposals.flaw(session, waiting(session, row), now=now)


def return_stale(session: Session, *, now: datetime, number: int) -> bool:
    """What can no longer be approved goes back to its maker, with the reason."""
    row = _open(session, number)
    why = fallen(session, row, now=now)
    if why is None:
        return False
    action = AuditAction.HOLD_RETURN_LIFT.by("system")
    _settle(session, SYSTEM, row, ProposalStatus.RETURNED, action, said=why, now=now)
    what = f"lifting of hold {reference('hold', row.number)}"
    about = ("hold_lift", row.id)
    proposals.tell_returned(session, waiting(session, row), what=what, why=why, about=about, now=now)
    return True


def waiting_of(session: Session, lift_id: int) -> Waiting:
    """The proposal of this number as it waits, for the timer that may return it. There must be one."""
    return waiting(session, session.get_one(HoldLift, lift_id))


def waiting(session: Session, row: HoldLift) -> Waiting:
    """As it waits, for whoever reads of it."""
    hold = _hold(session, row)
    if isinstance(hold, Hold):
        subject = Subject.of(open_milestone(session, hold.milestone_id, lock=False))
    else:
        subject = Subject(frozenset({hold.party_id}))
    return Waiting(ProposalKind.HOLD_LIFT, row.proposed_by, row.proposed_at, subject)


def _approved(
    session: Session, actor: Actor, lift_id: int, hold: Hold | PayeeHold, *, said: str | None, now: datetime
) -> HoldLift:
    row = _open(session, lift_id)
    proposals.require_checker(session, actor, waiting(session, row), now=now)
    rules.check_lifter(hold.id, placed_by=hold.placed_by, lifted_by=actor.id)
    action = AuditAction.HOLD_APPROVE_LIFT.by("staff")
    _settle(session, actor, row, ProposalStatus.DONE, action, said=said, now=now)
    return row


def _settle(
    session: Session,
    actor: Actor,
    row: HoldLift,
    status: ProposalStatus,
    action: StoredAction,
    *,
    said: str | None,
    now: datetime,
) -> None:
    proposals.settle(row, status, actor, now=now)
    row.note = said
    session.flush()
    audit.record(
        session,
        actor,
        action,
        object_kind="hold_lift",
        object_id=row.id,
        now=now,
        reason=said or row.reason,
        after={"hold": row.number},
        contents=[Words("hold_lift_ends", row)],
    )


def _hold(session: Session, row: HoldLift) -> Hold | PayeeHold:
    return (
        session.get_one(Hold, row.hold_id)
        if row.hold_id is not None
        else session.get_one(PayeeHold, row.number)
    )


def _known(session: Session, lift_id: int) -> HoldLift:
    row = session.get(HoldLift, lift_id)
    if row is None:
        raise NotFound(kind="proposal", id=lift_id)
    return row


def _open(session: Session, lift_id: int) -> HoldLift:
    _known(session, lift_id)
    row = session.get_one(HoldLift, lift_id, with_for_update=True, populate_existing=True)
    if row.status != ProposalStatus.PROPOSED:
        raise ended(ProposalKind.HOLD_LIFT, row.status)
    return row
