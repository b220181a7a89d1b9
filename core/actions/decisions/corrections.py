"""Correcting a decision that was carried out: never by changing it, always by a new case that is linked to it.

Internal policy. The correction is in other hands than the decision was. While it is open it blocks what has not yet
been paid out; what must go back goes back through the tools of finance, and the correction says so when it is closed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.actions.cases import disputes, mediator_assignment
from core.actions.milestones.milestone_context import MilestoneContext, open_case
from core.audit.actions import AuditAction, StoredAction
from core.audit.content_hashes import Words
from core.db import Record
from core.errors import DeskError
from core.records import Case, Decision, Recusal
from core.rules import deadlines
from core.rules.approvals import DecisionStatus
from core.rules.cases import BLOCKING, CaseStatus
from core.rules.mediation import CORRECTED_BY_OTHERS
from core.rules.permissions import Actor, Permission, require
from core.rules.reasons import given
from core.rules.transitions import label


class CorrectionOutcome(StrEnum):
    """How a correction ends."""

    UPHELD = "UPHELD"
    CORRECTED = "CORRECTED"

    @property
    def label(self) -> str:
        return label(self)


class NothingToCorrect(DeskError):
    """Case D-{case} has no decision that was carried out, so there is nothing to correct."""


class AlreadyBeingLookedAt(DeskError):
    """Case D-{case} is open about this milestone already. Work on it there."""


class NotACorrection(DeskError):
    """Case D-{case} is no correction; it ends by a decision or an agreement."""


class OwnDecision(DeskError):
    """You made or approved the decision that this case corrects, so someone else must close it."""


def open_correction(session: Session, actor: Actor, *, now: datetime, case_id: int, reason: str) -> Case:
    """A new case about a decided one, for a mediator who neither made nor approved the decision.

    Raises `ReasonMissing`, `NothingToCorrect`, `AlreadyBeingLookedAt`.
    """
    require(actor, Permission.WORK_CASE)
    reason = given(reason)
    context, case = open_case(session, case_id)
    decision = session.scalars(
        select(Decision).where(Decision.case_id == case.id, Decision.status == DecisionStatus.EXECUTED)
    ).one_or_none()
    if decision is None:
        raise NothingToCorrect(case=case.id)
    _require_none_open(session, context)
    due = deadlines.deadlock_at(now, context.profile)
    made = Case(
        milestone_id=context.milestone.id,
        opened_by=case.opened_by,
        reason=case.reason,
        details=reason,
        status=CaseStatus.UNDER_REVIEW,
        opened_at=now,
        in_mediation_at=now,
        decision_due_at=due,
        due_at=due,
        corrects_id=case.id,
    )
    session.add(made)
    session.flush()
    mine = {decision.maker_id, decision.checker_id} - {None}
    recused = [
        Recusal(case_id=made.id, staff_id=staff_id, reason=CORRECTED_BY_OTHERS, at=now) for staff_id in mine
    ]
    session.add_all(recused)
    session.flush()
    context.touch()
    begins = [Words(part, made) for part in ("ticket_details", "ticket_mediators")]
    contents: list[Record | Words] = [made, *begins, *recused]
    _trace(
        session,
        actor,
        AuditAction.CORRECTION_OPEN.by("staff"),
        context,
        made,
        now=now,
        reason=reason,
        contents=contents,
    )
    mediator_assignment.assign_best(session, context, made, now=now)
    _tell(session, context, made, "correction_opened", now=now, decision_due_at=due)
    return made


def close_correction(
    session: Session, actor: Actor, *, now: datetime, case_id: int, finding: CorrectionOutcome, notes: str
) -> Case:
    """The decision stands, or was corrected; the notes say why and what was done about the money.

    Raises `NotACorrection`, `CaseClosed`, `OwnDecision`, `ReasonMissing`.
    """
    require(actor, Permission.CLOSE_CORRECTION, now)
    context, case = open_case(session, case_id)
    if case.corrects_id is None:
        raise NotACorrection(case=case.id)
    mediator_assignment.require_open(case)
    if session.get(Recusal, (case.id, actor.id)) is not None:
        raise OwnDecision()
    notes = given(notes)
    disputes.close(session, actor, case, finding, now=now, notes=notes)
    context.touch()
    session.flush()
    _trace(session, actor, AuditAction.CORRECTION_CLOSE.by("staff"), context, case, now=now, reason=notes)
    corrected = finding == CorrectionOutcome.CORRECTED
    _tell(session, context, case, "correction_closed", now=now, corrected=corrected)
    return case


def _tell(
    session: Session, context: MilestoneContext, case: Case, template: str, *, now: datetime, **facts: Any
) -> None:
    """Both parties; the notes are staff's own."""
    for party in (context.payer, context.payee):
        key, about = f"ticket-{case.id}-{template}-{party.id}", ("ticket", case.id)
        context.tell(session, template, party, key=key, now=now, about=about, **facts)


def _require_none_open(session: Session, context: MilestoneContext) -> None:
    wanted = select(Case.id).where(Case.milestone_id == context.milestone.id, Case.status.in_(BLOCKING))
    if (found := session.scalars(wanted).one_or_none()) is not None:
        raise AlreadyBeingLookedAt(case=found)


def _trace(
    session: Session,
    actor: Actor,
    action: StoredAction,
    context: MilestoneContext,
    case: Case,
    *,
    now: datetime,
    reason: str,
    contents: Sequence[Record | Words] = (),
) -> None:
    context.note(
        session,
        actor,
        action,
        now=now,
        about=("ticket", case.id),
        reason=reason,
        after={"status": case.status, "corrects": case.corrects_id, "resolution": case.resolution},
        contents=contents,
        case_id=case.id,
    )
