"""Messages between the parties and staff about a milestone, and requests to a party for which a case waits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit
from core.actions.cases import messages
from core.actions.cases.mediator_assignment import require_at_work, require_open
from core.actions.milestones.milestone_context import MilestoneContext, open_case, open_milestone
from core.audit.actions import AuditAction
from core.audit.content_hashes import Words
from core.errors import NotFound
from core.records import Case, Message, Party, PartyRequest
from core.rules import cases, requests
from core.rules.cases import BLOCKING, CaseEvent, CaseStatus
from core.rules.display_limits import bounded
from core.rules.messages import Audience
from core.rules.permissions import SYSTEM, Actor, NotYours, Permission, require
from core.rules.requests import RequestKind, RequestStatus

ENDED_BY = {
    "party": RequestStatus.ANSWERED,
    "system": RequestStatus.UNANSWERED,
    "staff": RequestStatus.WITHDRAWN,
}


def say(
    session: Session,
    actor: Actor,
    *,
    now: datetime,
    milestone_id: int,
    body: str,
    audience: str = Audience.PARTIES,
    contents: Sequence[Words] = (),
) -> Message:
    """Write a message: a party to everyone, staff to the parties or (`STAFF`) among themselves. A message from the
    party that a case is waiting for resumes the review.

    Staff who were recused from the case write to staff only. Raises `NotYours`, `YouAreRecused`, `MessageEmpty`,
    `MessageTooLong`.
    """
    context = open_milestone(session, milestone_id)
    if actor.kind == "party" and actor.id not in (context.payer.id, context.payee.id):
        raise NotYours(actor=actor.label)
    if actor.kind == "staff":
        require(actor, Permission.WORK_CASE)
    case = _open_case(session, milestone_id)
    to = audience if actor.kind == "staff" else Audience.PARTIES
    if case is not None and to == Audience.PARTIES:
        require_at_work(session, actor, case.id)
    message = messages.write(
        session,
        actor,
        context,
        body=body,
        audience=to,
        case_id=case.id if case else None,
        now=now,
        contents=contents,
    )
    if case is not None:
        _resume_if_answered(session, actor, context, case, now=now, with_file=False)
    return message


def answer(session: Session, actor: Actor, *, now: datetime, case_id: int, body: str) -> Message:
    """The party that a case waits for replies. A requested document is submitted as evidence instead.

    Raises `NotYours`, `NothingAsked` when the case waits for nobody, or for the other party.
    """
    context, case = open_case(session, case_id)
    if actor.kind != "party" or actor.id not in (context.payer.id, context.payee.id):
        raise NotYours(actor=actor.label)
    if case.waiting_on != actor.id:
        raise requests.NothingAsked(dispute=case_id)
    return say(session, actor, now=now, milestone_id=context.milestone.id, body=body)


def evidence_submitted(session: Session, actor: Actor, *, now: datetime, milestone_id: int) -> None:
    """A file from the party that a case is waiting for resumes the review. The caller has locked the milestone."""
    case = _open_case(session, milestone_id)
    if case is not None and case.waiting_on == actor.id:
        _resume_if_answered(
            session, actor, open_milestone(session, milestone_id), case, now=now, with_file=True
        )


def ask(
    session: Session,
    actor: Actor,
    *,
    now: datetime,
    case_id: int,
    party_id: int,
    question: str,
    answer_due_at: datetime,
    kind: RequestKind = RequestKind.ANSWER,
) -> Case:
    """Ask a party for a reply or a document. The case waits for them; the review resumes when they reply, or at
    `answer_due_at`, which is no later than the deadline for the decision.

    Raises `AnswerAfterDecision`, `NotFound` for somebody who is no party to the case.
    """
    require(actor, Permission.WORK_CASE)
    context, case = open_case(session, case_id)
    require_open(case)
    require_at_work(session, actor, case.id)
    if party_id not in (context.payer.id, context.payee.id):
        raise NotFound(kind="party", id=party_id)
    requests.check_due(answer_due_at, now, decide_by=None if case.escalated else case.decision_due_at)
    messages.write(
        session, actor, context, body=question, audience=Audience.PARTIES, case_id=case.id, now=now
    )
    audit.become(case, cases.after(case.status, CaseEvent.ASK_PARTY), now=now, by=actor)
    case.waiting_on, case.answer_due_at = party_id, answer_due_at
    case.due_at = _first_due(case, answer_due_at)
    case.version += 1
    asked = PartyRequest(
        case_id=case.id,
        party_id=party_id,
        kind=kind,
        question=question,
        asked_by=actor.id,
        asked_at=now,
        due_at=answer_due_at,
    )
    session.add(asked)
    session.flush()
    context.note(
        session,
        actor,
        AuditAction.CASE_ASK.by("mediator"),
        now=now,
        about=("ticket", case.id),
        after={"waiting_on": party_id, "for": kind, "until": answer_due_at.isoformat()},
        case_id=case.id,
        contents=[asked],
    )
    context.tell(
        session,
        "information_requested",
        session.get_one(Party, party_id),
        key=f"ticket-{case.id}-ask-{case.version}",
        now=now,
        about=("ticket", case.id),
        question=question,
        answer_by=answer_due_at,
    )
    return case


def stop_waiting(session: Session, actor: Actor, *, now: datetime, case_id: int) -> Case:
    """Staff no longer needs the reply: the review resumes. Raises `NothingAsked`."""
    require(actor, Permission.WORK_CASE)
    context, case = open_case(session, case_id)
    require_open(case)
    require_at_work(session, actor, case.id)
    if case.status != CaseStatus.WAITING_PARTY:
        raise requests.NothingAsked(dispute=case_id)
    resume(session, actor, context, case, now=now)
    return case


def resume(session: Session, actor: Actor, context: MilestoneContext, case: Case, *, now: datetime) -> None:
    """The party replied, or its time is up, or staff no longer needs the reply: the review resumes. When the time is
    up, a note to staff says which request was not answered."""
    asked = _end_request(session, actor, case, now)
    silent = session.get_one(Party, case.waiting_on) if case.waiting_on else None
    audit.become(case, cases.after(case.status, CaseEvent.PARTY_ANSWERS), now=now, by=actor)
    case.waiting_on, case.answer_due_at = None, None
    # The version stays: no message voids a decision.
    case.due_at = case.decision_due_at or case.mediation_due_at or now
    session.flush()
    context.note(
        session,
        actor,
        AuditAction.CASE_RESUME.by(actor.kind),
        now=now,
        about=("ticket", case.id),
        after={"status": case.status},
        case_id=case.id,
    )
    if actor.kind == "system" and silent is not None:
        _note_silence(session, context, case, silent, asked, now)


def _open_case(session: Session, milestone_id: int) -> Case | None:
    wanted = select(Case).where(Case.milestone_id == milestone_id, Case.status.in_(BLOCKING))
    return session.scalars(wanted.with_for_update().execution_options(populate_existing=True)).one_or_none()


def _resume_if_answered(
    session: Session,
    actor: Actor,
    context: MilestoneContext,
    case: Case,
    *,
    now: datetime,
    with_file: bool,
) -> None:
    """Resume the review if this party is the one that the case waits for."""
    if actor.kind != "party" or case.waiting_on != actor.id:
        return
    asked = _open_request(session, case.id)
    if asked is None or requests.answers(RequestKind(asked.kind), with_file=with_file):
        resume(session, actor, context, case, now=now)


def _open_request(session: Session, case_id: int) -> PartyRequest | None:
    wanted = select(PartyRequest).where(
        PartyRequest.case_id == case_id, PartyRequest.status == RequestStatus.OPEN
    )
    return session.scalars(wanted.with_for_update()).one_or_none()


def drop_request(session: Session, actor: Actor, case: Case, *, now: datetime) -> None:
    """The case is decided, settled or taken up again while it waits: the reply is no longer needed."""
    asked = _open_request(session, case.id) if case.waiting_on else None
    if asked is not None:
        audit.become(asked, RequestStatus.WITHDRAWN, now=now, by=actor)
        asked.ended_at = now
        session.flush()


def _end_request(session: Session, actor: Actor, case: Case, now: datetime) -> PartyRequest | None:
    """End the open request before the case moves on; the database would otherwise end it as withdrawn."""
    asked = _open_request(session, case.id)
    if asked is not None:
        audit.become(asked, ENDED_BY[actor.kind], now=now, by=actor)
        asked.ended_at = now
        session.flush()
    return asked


def _note_silence(
    session: Session,
    context: MilestoneContext,
    case: Case,
    silent: Party,
    asked: PartyRequest | None,
    now: datetime,
) -> None:
    room = messages.MOST - 500
    what = f" They were asked: “{bounded(asked.question, longest=room)}”" if asked else ""
    body = f"The {silent.role.lower()} did not answer in time. The case is under review again.{what}"
    messages.write(session, SYSTEM, context, body=body, audience=Audience.STAFF, case_id=case.id, now=now)


def _first_due(case: Case, answer_due_at: datetime) -> datetime:
    return min(answer_due_at, case.decision_due_at or answer_due_at)
