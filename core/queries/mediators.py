"""Mediators to whom a case can be assigned, best first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.actions.cases import mediator_assignment
from core.records import Case, Party, Recusal, Staff, StaffTie
from core.records.audit import audit_entries
from core.records.people import found_ties
from core.rules import mediation

FOUND = "has the e-mail address of a party: first an administrator says on the page People what that means."


@dataclass(frozen=True)
class Colleague:
    """A mediator, their workload, and `why_not`: a sentence when the case cannot be assigned to them."""

    id: int
    name: str
    open_cases: int
    skilled: bool
    why_not: str | None


def had_case(session: Session, case: Case, at: datetime) -> int | None:
    """To whom the case was assigned at that instant, by the audit log; today's mediator where the log says nothing."""
    entries = audit_entries.c
    last = session.execute(
        select(entries.after)
        .where(entries.object_kind == "ticket", entries.object_id == str(case.id))
        .where(entries.action.endswith(":ticket:assign", autoescape=True), entries.at <= at)
        .order_by(entries.id.desc())
        .limit(1)
    ).scalar_one_or_none()
    return last["mediator"] if last else case.mediator_id


def for_parties(
    session: Session, parties: Sequence[Party], *, case_id: int, skill: str | None = None
) -> list[Colleague]:
    """Active mediators in the order in which the system would choose them. Five statements."""
    candidates = sorted(
        mediator_assignment.candidates(session), key=lambda each: mediation.order(each, skill)
    )
    ids = [each.staff_id for each in candidates]
    names = {
        row.id: row.name for row in session.execute(select(Staff.id, Staff.name).where(Staff.id.in_(ids)))
    }
    tied = select(StaffTie.staff_id, StaffTie.reason).where(
        StaffTie.party_id.in_(each.id for each in parties)
    )
    ties = {row.staff_id: row.reason for row in session.execute(tied)}
    same = select(found_ties.c.staff_id).where(found_ties.c.party_id.in_(each.id for each in parties))
    found = frozenset(session.scalars(same))
    left = select(Recusal.staff_id, Recusal.at).where(Recusal.case_id == case_id)
    recusals = {row.staff_id: row.at for row in session.execute(left)}
    return [
        Colleague(
            id=each.staff_id,
            name=names[each.staff_id],
            open_cases=each.open_cases,
            skilled=skill in each.skills,
            why_not=f"recused themselves from this case on {recusals[each.staff_id]:%-d %B %Y}."
            if each.staff_id in recusals
            else f"has a tie to a party ({ties[each.staff_id]})."
            if each.staff_id in ties
            else FOUND
            if each.staff_id in found
            else None,
        )
        for each in candidates
    ]
