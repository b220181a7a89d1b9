"""Assigning cases to mediators: claim, reassign, return to the queue, and escalate when nobody decides."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from enum import Enum

from sqlalchemy import BigInteger, DateTime, Executable, func, literal, select, union_all
from sqlalchemy.orm import Session

from core.actions.cases.messages import checked
from core.actions.milestones.milestone_context import MilestoneContext, open_case
from core.audit.actions import AuditAction
from core.audit.content_hashes import Words
from core.db import Record
from core.errors import ChangedMeanwhile, DeskError, NotFound, Wording
from core.notifications import staff_of
from core.records import Case, Handover, Recusal, Staff, StaffRole
from core.records.people import ties_that_bar
from core.rules import mediation
from core.rules.cases import BLOCKING, blocks_release
from core.rules.permissions import SYSTEM, Actor, Permission, Role, require
from core.rules.visible_text import says_something


class Unsaid(Enum):
    """The default of `taken_from`: the actor does not say whom they saw the case assigned to."""

    UNSAID = "unsaid"


class CaseClosed(DeskError):
    """Case D-{case} is already {status}. Nothing was changed."""


class NotAMediator(DeskError):
    """{name} is not an active mediator, so a case cannot be given to them."""


def require_open(case: Case) -> None:
    """Raises `CaseClosed` for a case that blocks no release any more."""
    if not blocks_release(case.status):
        raise CaseClosed(case=case.id, status=Wording(case.status.lower(), case.status))


def ties_of(session: Session, staff_id: int) -> frozenset[int]:
    """The numbers of the parties that this person has a tie to: declared, or found and not yet ruled out."""
    wanted = select(ties_that_bar.c.party_id).where(ties_that_bar.c.staff_id == staff_id)
    return frozenset(session.scalars(wanted))


def require_not_recused(session: Session, case_id: int, staff_id: int, *, reader: int | None) -> None:
    """Whoever was recused from a case is not assigned to it, and neither decides nor approves it. Raises
    `YouAreRecused` when that is the `reader`, else `Recused`."""
    stepped = session.get(Recusal, (case_id, staff_id))
    if stepped is not None:
        if staff_id == reader:
            raise mediation.YouAreRecused(at=stepped.at)
        raise mediation.Recused(name=session.get_one(Staff, staff_id).name, at=stepped.at)


def require_may_decide(session: Session, context: MilestoneContext, case: Case, staff_id: int) -> None:
    """Whoever has a tie to either party, or was recused from the case, neither decides nor approves it. One read of
    both. Raises `MediatorTied`, `YouAreRecused`."""
    ties = select(ties_that_bar.c.party_id, literal(None, DateTime(timezone=True)).label("recused_at"))
    recused = select(literal(None, BigInteger()), Recusal.at)
    found = session.execute(
        union_all(
            ties.where(ties_that_bar.c.staff_id == staff_id),
            recused.where(Recusal.case_id == case.id, Recusal.staff_id == staff_id),
        )
    ).all()
    tied = frozenset(party_id for party_id, _ in found if party_id is not None)
    mediation.may_mediate(staff_id, tied, context.payer.id, context.payee.id)
    for _, recused_at in found:
        if recused_at is not None:
            raise mediation.YouAreRecused(at=recused_at)


def require_at_work(session: Session, actor: Actor, case_id: int) -> None:
    """Staff who were recused from a case do nothing in it any more. Raises `YouAreRecused`."""
    if actor.kind == "staff" and actor.id is not None:
        require_not_recused(session, case_id, actor.id, reader=actor.id)


def assign(
    session: Session,
    actor: Actor,
    *,
    now: datetime,
    case_id: int,
    staff_id: int | None,
    note: str = "",
    taken_from: int | Unsaid | None = Unsaid.UNSAID,
) -> Case:
    """Assign a case to a mediator without a tie to either party, or (None) return it to the queue. Claiming is
    assigning to oneself; `note` is the handover note. `taken_from`: whom the actor saw it assigned to. A mediator who
    loses the case to somebody else's action is told by e-mail, unless they have left.

    Raises `ChangedMeanwhile`, `NotPermitted`, `CaseClosed`, `NotAMediator`, `MediatorTied`, `ColleagueTied`,
    `Recused`, `YouAreRecused`.
    """
    require(actor, Permission.ASSIGN_CASE)
    context, case = open_case(session, case_id)
    require_open(case)
    require_at_work(session, actor, case_id)
    before = case.mediator_id
    if taken_from is not Unsaid.UNSAID and taken_from != before:
        raise ChangedMeanwhile(kind="case", what=f"it is {_whose(session, before)} now")
    if staff_id is not None:
        _require_free(session, actor, context, case, staff_id)
    case.mediator_id = staff_id
    contents: list[Record | Words] = [Words("ticket_mediators", case)]
    if says_something(note):
        left = Handover(case_id=case.id, by_id=actor.id, to_id=staff_id, note=checked(note), at=now)
        session.add(left)
        session.flush()
        contents.append(left)
    context.note(
        session,
        actor,
        AuditAction.CASE_ASSIGN.by(_subject(actor)),
        now=now,
        about=("ticket", case.id),
        before={"mediator": before},
        after={"mediator": staff_id},
        contents=contents,
        case_id=case.id,
    )
    lost = before is not None and before != staff_id and (actor.kind, actor.id) != ("staff", before)
    if before is not None and lost and session.get_one(Staff, before).active:
        context.tell_staff(
            session,
            "case_taken",
            [before],
            key=f"ticket-{case.id}-taken-{now.isoformat()}",
            now=now,
            about=("ticket", case.id),
            case=f"D-{case.id}",
            by=session.get_one(Staff, actor.id).name if actor.kind == "staff" else "The desk",
            to=f"to {session.get_one(Staff, staff_id).name}" if staff_id is not None else "back to the queue",
            decision_due_at=case.decision_due_at,
        )
    if staff_id is not None and (actor.kind, actor.id) != ("staff", staff_id):
        context.tell_staff(
            session,
            "case_assigned",
            [staff_id],
            key=f"ticket-{case.id}-assigned-{now.isoformat()}",
            now=now,
            about=("ticket", case.id),
            case=f"D-{case.id}",
            decision_due_at=case.decision_due_at,
        )
    session.flush()
    return case


def _whose(session: Session, staff_id: int | None) -> str:
    return f"{session.get_one(Staff, staff_id).name}'s" if staff_id is not None else "nobody's"


def _require_free(
    session: Session, actor: Actor, context: MilestoneContext, case: Case, staff_id: int
) -> None:
    _require_mediator(session, staff_id)
    require_not_recused(session, case.id, staff_id, reader=actor.id if actor.kind == "staff" else None)
    try:
        mediation.may_mediate(staff_id, ties_of(session, staff_id), context.payer.id, context.payee.id)
    except mediation.MediatorTied:
        if actor.id == staff_id:
            raise
        raise mediation.ColleagueTied(name=session.get_one(Staff, staff_id).name) from None


def _require_mediator(session: Session, staff_id: int) -> None:
    staff = session.get(Staff, staff_id)
    if staff is None:
        raise NotFound(kind="member of staff", id=staff_id)
    role = session.get(StaffRole, (staff_id, Role.MEDIATOR))
    if role is None or not staff.active:
        raise NotAMediator(name=staff.name)


def assign_best(session: Session, context: MilestoneContext, case: Case, *, now: datetime) -> None:
    """Assign the mediator with the required skill, no tie and the fewest open cases; with none available the case
    waits in the queue."""
    if case.mediator_id is not None:
        return
    try:
        best = mediation.choose(
            candidates(session),
            payer_id=context.payer.id,
            payee_id=context.payee.id,
            skill=context.project.project_type,
            case_id=case.id,
        )
    except mediation.NoMediatorFree:
        return
    assign(session, SYSTEM, now=now, case_id=case.id, staff_id=best.staff_id)


def pass_on(session: Session, *, now: datetime, case_id: int) -> bool:
    """Reassign the case of somebody who may no longer decide it to the next available mediator, else return it to the
    queue. Returns whether it was reassigned."""
    context, case = open_case(session, case_id)
    if not blocks_release(case.status):
        return False
    assign(session, SYSTEM, now=now, case_id=case_id, staff_id=None)
    assign_best(session, context, case, now=now)
    return True


def candidates(session: Session) -> list[mediation.Candidate]:
    """Every mediator who works here, with skills, open cases and ties, for `mediation.choose`."""
    load = (
        select(Case.mediator_id, func.count().label("cases"))
        .where(Case.status.in_(BLOCKING))
        .group_by(Case.mediator_id)
        .subquery()
    )
    rows = session.execute(
        select(Staff.id, Staff.skills, func.coalesce(load.c.cases, 0))
        .join(StaffRole, StaffRole.staff_id == Staff.id)
        .outerjoin(load, load.c.mediator_id == Staff.id)
        .where(StaffRole.role == Role.MEDIATOR, Staff.active)
    ).all()
    ties = _by_staff(session, select(ties_that_bar.c.staff_id, ties_that_bar.c.party_id))
    recused = _by_staff(session, select(Recusal.staff_id, Recusal.case_id))
    return [
        mediation.Candidate(
            staff_id=staff_id,
            open_cases=cases,
            skills=frozenset(skills),
            ties=ties[staff_id],
            recused=recused[staff_id],
        )
        for staff_id, skills, cases in rows
    ]


def _by_staff(session: Session, pairs: Executable) -> defaultdict[int, frozenset[int]]:
    found: defaultdict[int, frozenset[int]] = defaultdict(frozenset)
    for staff_id, number in session.execute(pairs):
        found[staff_id] |= {number}
    return found


def escalate(session: Session, *, now: datetime, case_id: int) -> None:
    """No decision in time: the platform's administrators may decide the case too (milestone-payment-flow, Error
    Handling 3)."""
    context, case = open_case(session, case_id)
    if case.escalated or not blocks_release(case.status):
        return
    case.escalated = True
    context.note(
        session,
        SYSTEM,
        AuditAction.CASE_ESCALATE.by("system"),
        now=now,
        about=("ticket", case.id),
        after={"escalated": True},
        case_id=case.id,
    )
    key, about = f"ticket-{case.id}-escalated", ("ticket", case.id)
    told = [*staff_of(session, Role.ADMINISTRATOR), *([case.mediator_id] if case.mediator_id else [])]
    context.tell_staff(
        session,
        "case_escalated",
        told,
        key=key,
        now=now,
        about=about,
        case=f"D-{case.id}",
        due_at=case.decision_due_at,
    )
    for party in (context.payer, context.payee):
        context.tell(session, "decision_late", party, key=f"{key}-{party.id}", now=now, about=about)


def _subject(actor: Actor) -> str:
    """The role that the audit entry names: the one that has the permission, else the actor's first."""
    if actor.kind != "staff":
        return actor.kind
    return Role.MEDIATOR if Role.MEDIATOR in actor.roles else sorted(actor.roles)[0]
