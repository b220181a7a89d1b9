"""Which cases there are, for whoever wants to export them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.money import Money
from core.records import Case, Decision, Milestone
from core.rules.approvals import DecisionStatus


def cases(session: Session, *, decided: bool) -> list[dict[str, Any]]:
    """One row a case, oldest first; `decided`: those whose decision was carried out."""
    carried_out = (Decision.case_id == Case.id) & (Decision.status == DecisionStatus.EXECUTED)
    wanted = (
        select(Case.id, Case.status, Case.resolution, Decision.outcome, Decision.plan_hash, Milestone)
        .join(Milestone, Milestone.id == Case.milestone_id)
        .join(Decision, carried_out, isouter=not decided)
        .order_by(Case.id)
    )
    return [
        {
            "id": row.id,
            "status": row.status,
            "resolution": row.resolution,
            "outcome": row.outcome,
            "plan": row.plan_hash,
            "milestone": row.Milestone.title,
            "amount": Money(row.Milestone.amount_minor, row.Milestone.currency),
        }
        for row in session.execute(wanted)
    ]
