"""Holds: staff stop a release by hand, on reports, disputes and risk (payment-escrow-rules, Release Rules)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import outbox
from core.actions.milestones import verification_timeout
from core.actions.milestones.milestone_context import MilestoneContext, open_milestone
from core.actions.payouts import release
from core.actions.risk import lifting_alone
from core.actions.risk.hold_letters import tell_of_hold
from core.audit.actions import AuditAction
from core.audit.content_hashes import Words
from core.errors import DeskError, NotFound, Wording
from core.money import Money
from core.records import Hold
from core.rules import cases, holds, milestones
from core.rules.holds import HoldKind
from core.rules.permissions import Actor, Permission, Role, require, require_party
from core.rules.reasons import given
from core.rules.refusal_reasons import Block


class NotALateComplaint(DeskError):
    """“{milestone}” can still be disputed, or there is nothing to complain about: open a dispute instead."""


class ComplaintIsThePayers(DeskError):
    """Only the payer makes a complaint. Choose why you stop the money yourself."""


class HoldAlreadyLifted(DeskError):
    """Hold H-{hold} was already lifted."""


class NoOpenComplaint(DeskError):
    """There is no complaint about “{milestone}” that waits for staff."""


WITHDRAWN = "The payer withdrew the complaint."


def stoppable(session: Session, context: MilestoneContext) -> Money:
    """What a hold of this milestone would keep from the payee."""
    return context.money(session.scalar(select(func.stoppable_minor(context.milestone.id))) or 0)


def place(
    session: Session,
    actor: Actor,
    *,
    now: datetime,
    milestone_id: int,
    reason: str,
    kind: HoldKind = HoldKind.MANUAL,
    report_id: int | None = None,
    expected_end: datetime | None = None,
) -> Hold:
    """Stop every release and payout of a milestone until the hold is lifted; the reason is kept. At `expected_end`
    its placer is reminded of it, and nothing else happens.

    Who hears of it depends on `kind` alone: `core.rules.holds.TOLD`. Raises `ComplaintIsThePayers`, `NothingToHold`
    where that is nothing.
    """
    require(actor, Permission.PLACE_HOLD)
    reason = given(reason)
    if kind not in holds.BY_STAFF:
        raise ComplaintIsThePayers()
    holds.check_end(expected_end, now)
    context = open_milestone(session, milestone_id)
    return _placed(
        session,
        actor,
        context,
        now=now,
        reason=reason,
        kind=kind,
        report_id=report_id,
        expected_end=expected_end,
    )


def complain(session: Session, actor: Actor, *, now: datetime, milestone_id: int, reason: str) -> Hold:
    """The payer complains after the dispute window: no dispute is opened, but nothing is released until staff has
    looked (docs/decisions/0013: a complaint between day 5 and day 7).

    Raises `NotALateComplaint` within the window.
    """
    reason = given(reason)
    context = open_milestone(session, milestone_id)
    require_party(actor, context.payer.id)
    notice = context.milestone.completion_notice_at
    late = notice is not None and cases.too_late(notice, now, context.profile)
    if not late or context.status is not milestones.Status.PENDING_VERIFICATION:
        raise NotALateComplaint(milestone=Wording(context.milestone.title, context.milestone.id))
    return _placed(session, actor, context, now=now, reason=reason, kind=HoldKind.COMPLAINT, report_id=None)


def withdraw_complaint(session: Session, actor: Actor, *, now: datetime, milestone_id: int) -> Hold:
    """The payer withdraws a late complaint: its hold is lifted, and what waited for it continues. Holds that staff
    placed stay. Raises `NoOpenComplaint`."""
    context = open_milestone(session, milestone_id)
    require_party(actor, context.payer.id)
    found = complaints(session, context)
    if not found:
        raise NoOpenComplaint(milestone=Wording(context.milestone.title, context.milestone.id))
    for complaint in found:
        lifted(session, actor, context, complaint, reason=WITHDRAWN, now=now)
    return found[-1]


def complaints(session: Session, context: MilestoneContext) -> Sequence[Hold]:
    """The payer's late complaints that wait for staff, locked, oldest first."""
    wanted = select(Hold).where(
        Hold.milestone_id == context.milestone.id,
        Hold.kind == HoldKind.COMPLAINT,
        Hold.released_at.is_(None),
    )
    return session.scalars(wanted.order_by(Hold.id).with_for_update()).all()


def taken_up(
    session: Session,
    actor: Actor,
    context: MilestoneContext,
    complaint: Hold,
    *,
    case_id: int,
    now: datetime,
) -> None:
    """A case was opened about a complaint: it blocks the release instead, and both sides are told of the case."""
    _ended(session, actor, context, complaint, reason=f"Case D-{case_id} was opened about it.", now=now)


def _placed(
    session: Session,
    actor: Actor,
    context: MilestoneContext,
    *,
    now: datetime,
    reason: str,
    kind: HoldKind,
    report_id: int | None,
    expected_end: datetime | None = None,
) -> Hold:
    stops = stoppable(session, context)
    if holds.over(context.status, stops):
        raise holds.NothingToHold(milestone=Wording(context.milestone.title, context.milestone.id))
    hold = Hold(
        milestone_id=context.milestone.id,
        kind=kind,
        reason=reason,
        report_id=report_id,
        placed_by=actor.id if actor.kind == "staff" else None,
        placed_at=now,
        expected_end=expected_end,
    )
    session.add(hold)
    session.flush()
    # A party's words stand in the hold, where they can be erased, and not in the log, where they cannot.
    context.note(
        session,
        actor,
        AuditAction.HOLD_PLACE.by(actor.kind),
        now=now,
        about=("hold", hold.id),
        reason=None if actor.kind == "party" else reason,
        after={"kind": kind, **({"expected_end": expected_end} if expected_end else {})},
        contents=[hold],
        report_id=report_id,
    )
    key, about, told = f"hold-{hold.id}-placed", ("hold", hold.id), holds.TOLD[kind]
    if "payee" in told:
        context.tell(
            session, "hold_placed", context.payee, key=key, now=now, about=about, stopped=_any(stops)
        )
    if "payer" in told:
        context.tell(session, "complaint_received", context.payer, key=f"{key}-payer", now=now, about=about)
    if kind == HoldKind.COMPLAINT:
        tell_of_hold(session, context, hold, (Role.COMPLIANCE,), now=now, why=None)
    return hold


def _any(amount: Money) -> Money | None:
    return amount if amount.is_positive else None


def lift(session: Session, actor: Actor, *, now: datetime, hold_id: int, reason: str) -> Money | None:
    """Lift a hold; what was verified meanwhile is released now, unless something else blocks it: returns how much.

    By someone else than who placed it. Money may move, so it raises `StepUpRequired`. Raises `HoldAlreadyLifted`,
    `NotFound`, `OwnHold`, `ProposalWaits`, and above the threshold `LiftTakesTwo` (`hold_lifts`).
    """
    require(actor, Permission.RELEASE_HOLD, now)
    context, hold = opened(session, hold_id)
    holds.check_lifter(hold_id, placed_by=hold.placed_by, lifted_by=actor.id)
    lifting_alone.require_one_person(session, hold_id, two_people(session, context))
    return lifted(session, actor, context, hold, reason=reason, now=now)


def two_people(session: Session, context: MilestoneContext) -> Sequence[Block]:
    """Why two people lift a hold of this milestone; empty when one is enough."""
    return holds.takes_two([stoppable(session, context)], context.profile.second_person_above)


def opened(session: Session, hold_id: int) -> tuple[MilestoneContext, Hold]:
    """A hold in force, behind its milestone's lock. Raises `NotFound`, `HoldAlreadyLifted`."""
    plain = session.get(Hold, hold_id)
    if plain is None:
        raise NotFound(kind="hold", id=hold_id)
    context = open_milestone(session, plain.milestone_id)
    hold = session.get_one(Hold, hold_id, with_for_update=True, populate_existing=True)
    if hold.released_at is not None:
        raise HoldAlreadyLifted(hold=hold_id)
    return context, hold


def lifted(
    session: Session, actor: Actor, context: MilestoneContext, hold: Hold, *, reason: str, now: datetime
) -> Money | None:
    """Lift the hold; returns what was released."""
    _ended(session, actor, context, hold, reason=given(reason), now=now)
    if hold.kind == HoldKind.COMPLAINT:
        verification_timeout.look_again(context)
    _tell_lifted(session, actor, context, hold, now=now)
    outbox.wake(session, context.milestone.id, now=now)
    held = release.awaited(context)
    if held is None or release.release_verified(session, actor, context, now=now):
        return None
    return held


def _ended(
    session: Session, actor: Actor, context: MilestoneContext, hold: Hold, *, reason: str, now: datetime
) -> None:
    hold.released_by = actor.id if actor.kind == "staff" else None
    hold.released_at, hold.release_reason = now, reason
    session.flush()
    context.note(
        session,
        actor,
        AuditAction.HOLD_LIFT.by(actor.kind),
        now=now,
        about=("hold", hold.id),
        reason=reason,
        report_id=hold.report_id,
        contents=[Words("hold_ends", hold)],
    )


def _tell_lifted(
    session: Session, actor: Actor, context: MilestoneContext, hold: Hold, *, now: datetime
) -> None:
    """Whoever was told of it: the payee that this review is over, the payer what came of a complaint."""
    key, about, told = f"hold-{hold.id}-lifted", ("hold", hold.id), holds.TOLD[HoldKind(hold.kind)]
    if "payee" in told:
        context.tell(
            session,
            "hold_released",
            context.payee,
            key=key,
            now=now,
            about=about,
            stopped=_any(stoppable(session, context)),
            waits=bool(holds.blocking(release.facts_of(session, context))),
        )
    if "payer" in told and actor.kind == "staff" and context.status is milestones.Status.PENDING_VERIFICATION:
        silence = context.milestone.auto_approve_at
        context.tell(
            session,
            "complaint_settled",
            context.payer,
            key=f"{key}-payer",
            now=now,
            about=about,
            auto_approve_at=silence if silence and silence > now else None,
        )
