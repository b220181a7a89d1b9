"""A hold on a payee as a whole: whatever milestone their money is of, nothing is released or paid out while it stands.

It is asked where the holds of a milestone are asked (`core.queries.release_blocks`): in the releasing transaction, and
again when the money is about to be sent (payment-escrow-rules, Release Rules).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit, notifications, outbox
from core.actions.milestones.milestone_context import MilestoneContext, open_milestone
from core.actions.payouts import release
from core.actions.risk import lifting_alone
from core.actions.risk.holds import HoldAlreadyLifted
from core.actions.staff import policy_in_force
from core.audit.actions import AuditAction
from core.audit.content_hashes import Words
from core.errors import DeskError, NotFound, Wording
from core.queries import payee_holds as queries
from core.records import Milestone, Party, PayeeHold, PaymentOrder, Project
from core.rules import holds
from core.rules.holds import HoldKind
from core.rules.milestones import Status
from core.rules.permissions import Actor, Permission, require, staff_number
from core.rules.reasons import given
from core.rules.refusal_reasons import Block


class NotAPayee(DeskError):
    """{party} is paid for no project, so a hold would stop nothing. No hold was placed."""


class KindOfAMilestone(DeskError):
    """A hold on a payee is a manual or a risk hold; the other types are of one milestone."""


def place(
    session: Session,
    actor: Actor,
    *,
    now: datetime,
    party_id: int,
    reason: str,
    kind: HoldKind = HoldKind.MANUAL,
    expected_end: datetime | None = None,
) -> PayeeHold:
    """Stop all of this payee's money until the hold is lifted.

    Every milestone of theirs that holds money is locked first, so what is being released is released before it or not
    at all. Raises `KindOfAMilestone`, `NotFound`, `NotAPayee`, `EndNotAhead`.
    """
    require(actor, Permission.PLACE_HOLD)
    reason = given(reason)
    if kind not in holds.OF_PAYEE:
        raise KindOfAMilestone()
    holds.check_end(expected_end, now)
    party = session.get(Party, party_id)
    if party is None:
        raise NotFound(kind="party", id=party_id)
    if session.scalars(select(Project.id).where(Project.payee_id == party_id).limit(1)).first() is None:
        raise NotAPayee(party=Wording(party.name, party.id))
    for number in _with_money(session, party_id):
        open_milestone(session, number)
    hold = PayeeHold(
        party_id=party_id,
        kind=kind,
        reason=reason,
        placed_by=staff_number(actor, action="place a hold"),
        placed_at=now,
        expected_end=expected_end,
    )
    session.add(hold)
    session.flush()
    audit.record(
        session,
        actor,
        AuditAction.PAYEE_HOLD_PLACE.by("staff"),
        object_kind="hold",
        object_id=hold.id,
        now=now,
        reason=reason,
        after={"kind": kind, "payee": party_id, "expected_end": expected_end},
        contents=[hold],
    )
    if "payee" in holds.TOLD[kind]:
        key = f"payee-hold-{hold.id}-placed"
        notifications.tell_party(session, "payee_hold_placed", party=party, key=key, now=now)
    return hold


def lift(session: Session, actor: Actor, *, now: datetime, hold_id: int, reason: str) -> int:
    """Lift it: what was verified meanwhile is released now, unless something else blocks it; returns of how many
    milestones. By someone else than who placed it. Raises `NotFound`, `OwnHold`, `HoldAlreadyLifted`,
    `StepUpRequired`, `ProposalWaits`, and above the threshold `LiftTakesTwo` (`hold_lifts`)."""
    require(actor, Permission.RELEASE_HOLD, now)
    contexts, hold = opened(session, hold_id)
    holds.check_lifter(hold_id, placed_by=hold.placed_by, lifted_by=actor.id)
    lifting_alone.require_one_person(session, hold_id, two_people(session, hold.party_id, now=now))
    return lifted(session, actor, contexts, hold, reason=reason, now=now)


def two_people(session: Session, party_id: int, *, now: datetime) -> Sequence[Block]:
    """Why two people lift a hold on this payee; empty when one is enough. By the policy that is in force: what the
    hold stops may be of projects under several."""
    stopped = queries.stopped(session, [party_id]).get(party_id, ())
    _, profile = policy_in_force.of(session, session.get_one(Party, party_id).platform, now)
    return holds.takes_two(stopped, profile.second_person_above)


def opened(session: Session, hold_id: int) -> tuple[list[MilestoneContext], PayeeHold]:
    """A hold in force, behind the locks of the payee's milestones with money. Raises `NotFound`,
    `HoldAlreadyLifted`."""
    plain = session.get(PayeeHold, hold_id)
    if plain is None:
        raise NotFound(kind="hold", id=hold_id)
    contexts = [open_milestone(session, number) for number in _with_money(session, plain.party_id)]
    hold = session.get_one(PayeeHold, hold_id, with_for_update=True, populate_existing=True)
    if hold.released_at is not None:
        raise HoldAlreadyLifted(hold=hold_id)
    return contexts, hold


def lifted(
    session: Session,
    actor: Actor,
    contexts: Sequence[MilestoneContext],
    hold: PayeeHold,
    *,
    reason: str,
    now: datetime,
) -> int:
    """Lift the hold; returns of how many milestones money was released."""
    reason = given(reason)
    hold.released_by, hold.released_at, hold.release_reason = actor.id, now, reason
    session.flush()
    audit.record(
        session,
        actor,
        AuditAction.PAYEE_HOLD_LIFT.by("staff"),
        object_kind="hold",
        object_id=hold.id,
        now=now,
        reason=reason,
        contents=[Words("payee_hold_ends", hold)],
    )
    if "payee" in holds.TOLD[HoldKind(hold.kind)]:
        party, key = session.get_one(Party, hold.party_id), f"payee-hold-{hold.id}-lifted"
        notifications.tell_party(session, "payee_hold_lifted", party=party, key=key, now=now)
    released = 0
    for context in contexts:
        if release.awaited(context) and not release.release_verified(session, actor, context, now=now):
            released += 1
    outbox.wake_party(session, hold.party_id, now=now)
    return released


def _with_money(session: Session, party_id: int) -> list[int]:
    """The payee's milestones that hold money or owe them some, in the order in which they are locked."""
    wanted = (
        select(Milestone.id)
        .join(Project, Project.id == Milestone.project_id)
        .join(PaymentOrder, PaymentOrder.milestone_id == Milestone.id)
        .where(
            Project.payee_id == party_id,
            (PaymentOrder.held_minor > 0)
            | (PaymentOrder.payable_minor > 0)
            | (Milestone.status == Status.VERIFIED),
        )
        .order_by(Milestone.id)
    )
    return list(session.scalars(wanted))
