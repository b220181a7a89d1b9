"""Recusal from a case: permanent, with a reason; the next available mediator takes over."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from core.actions.cases import mediator_assignment
from core.actions.cases.mediator_assignment import require_open
from core.actions.decisions import recorded_decision
from core.actions.milestones.milestone_context import open_case
from core.audit.actions import AuditAction
from core.errors import DeskError
from core.records import Case, Recusal
from core.rules.milestones import Status
from core.rules.permissions import Actor, Permission, require
from core.rules.reasons import given


class AlreadyRecused(DeskError):
    """You recused yourself from this case before. It is not yours, and it will not be."""


def recuse(session: Session, actor: Actor, *, now: datetime, case_id: int, reason: str) -> Case:
    """Recuse oneself from a case, whether it is assigned to oneself or might be. It is permanent.

    A case in mediation is reassigned at once, by skill and workload; with nobody available it waits in the queue. A
    decision that they made or approved and that is not executed yet is voided. The reason is for staff, and is kept
    apart from the audit log because it may name people.

    Raises `NotPermitted`, `CaseClosed`, `ReasonMissing`, `AlreadyRecused`.
    """
    require(actor, Permission.ASSIGN_CASE)
    context, case = open_case(session, case_id)
    require_open(case)
    before = session.get(Recusal, (case.id, actor.id))
    if before is not None:
        raise AlreadyRecused()
    mine = case.mediator_id == actor.id
    if mine:
        mediator_assignment.assign(session, actor, now=now, case_id=case.id, staff_id=None)
    stepped = Recusal(case_id=case.id, staff_id=actor.id, reason=given(reason), at=now)
    session.add(stepped)
    session.flush()
    context.note(
        session,
        actor,
        AuditAction.CASE_RECUSE.by("staff"),
        now=now,
        about=("ticket", case.id),
        case_id=case.id,
        contents=[stepped],
    )
    if mine and context.milestone.status == Status.IN_MEDIATION:
        mediator_assignment.assign_best(session, context, case, now=now)
    recorded_decision.left_by(session, actor, context, case, now=now)
    return case
