"""Warnings before a case is decided or approved, evaluated under its lock and recorded with the decision."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from core.actions.decisions import recorded_decision
from core.actions.milestones.milestone_context import MilestoneContext
from core.actions.risk import external_movements
from core.audit.actions import AuditAction
from core.errors import DeskError
from core.records import Case, Decision, Message, Party, PartyRequest, Staff
from core.rules import cautions
from core.rules.cautions import Caution
from core.rules.permissions import Actor
from core.rules.requests import RequestStatus

ENTRIES = {
    Caution.ANOTHERS_CASE: AuditAction.DECISION_IN_PLACE_OF.by("mediator"),
    Caution.ANSWER_PENDING: AuditAction.DECISION_WITHOUT_ANSWER.by("mediator"),
    Caution.REFUND_BY_HAND: AuditAction.DECISION_REFUNDED_BY_HAND.by("mediator"),
}


def of(session: Session, actor: Actor, case_id: int) -> dict[Caution, DeskError]:
    """The warnings that its mediator must acknowledge before deciding this case now."""
    case, me = session.get_one(Case, case_id), recorded_decision.person(actor)
    mediator = session.get(Staff, case.mediator_id) if case.mediator_id not in (None, me) else None
    asked = _request(session, case.id) if case.waiting_on else None
    return cautions.against(
        mediator=(mediator.id, mediator.name) if mediator else None,
        me=me,
        asked=(session.get_one(Party, asked.party_id).role, asked.asked_at, asked.due_at) if asked else None,
        by_hand=" ".join(
            each.sentence for each in external_movements.stopping_refunds(session, case.milestone_id)
        ),
    )


def require_known(
    session: Session, actor: Actor, case: Case, known: Collection[Caution]
) -> tuple[Caution, ...]:
    """The warnings that were acknowledged and are to be recorded. Raises `AnothersCase`, `AnswerPending`,
    `RefundByHand`."""
    found = of(session, actor, case.id)
    cautions.require_known(found, known)
    return tuple(found)


def record(
    session: Session,
    actor: Actor,
    context: MilestoneContext,
    case: Case,
    decision: Decision,
    despite: Collection[Caution],
    *,
    now: datetime,
) -> None:
    """An entry for each, on the timeline of the case; the mediator whose case it is gets a letter."""
    facts = {
        Caution.ANOTHERS_CASE: {"mediator": case.mediator_id},
        Caution.ANSWER_PENDING: {"waiting_on": case.waiting_on},
        Caution.REFUND_BY_HAND: {},
    }
    for caution in despite:
        recorded_decision.trace(
            session, actor, ENTRIES[caution], decision, context, now=now, extra=dict(facts[caution])
        )
    if Caution.ANOTHERS_CASE in despite and case.mediator_id is not None:
        context.tell_staff(
            session,
            "case_decided_by_another",
            [case.mediator_id],
            key=f"decision-{decision.id}-in-place-of",
            now=now,
            about=("ticket", case.id),
            case=f"D-{case.id}",
            by=session.get_one(Staff, decision.maker_id).name,
        )


def require_read(
    session: Session, actor: Actor, milestone_id: int, *, after: datetime | None, seen: int
) -> None:
    """Everything that others wrote, and that came in `after` then, is among what was `seen`: the last message on the
    screen, by its number. Raises `NewsUnread`."""
    wanted = select(Message.id).where(
        Message.milestone_id == milestone_id,
        Message.id > seen,
        or_(Message.author_kind != actor.kind, Message.author_id != actor.id),
    )
    cautions.require_read(session.scalars(wanted.where(Message.at > after) if after else wanted))


def _request(session: Session, case_id: int) -> PartyRequest | None:
    wanted = select(PartyRequest).where(
        PartyRequest.case_id == case_id, PartyRequest.status == RequestStatus.OPEN
    )
    return session.scalars(wanted).one_or_none()
