"""Which cases correct which decisions, from both sides."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.records import Case, Decision
from core.rules.approvals import DecisionStatus


@dataclass(frozen=True)
class Corrections:
    """`of`: the decision that this case corrects. `by`: the cases that correct this one, oldest first."""

    of: Decision | None
    by: tuple[Case, ...]


def around(session: Session, case: Case) -> Corrections:
    """The decision that this case corrects, if it does, and the cases that correct its own."""
    corrected = None
    if case.corrects_id is not None:
        corrected = session.scalars(
            select(Decision).where(
                Decision.case_id == case.corrects_id, Decision.status == DecisionStatus.EXECUTED
            )
        ).one_or_none()
    by = session.scalars(select(Case).where(Case.corrects_id == case.id).order_by(Case.id))
    return Corrections(corrected, tuple(by))
