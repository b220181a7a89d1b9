"""Mediators to whom a case can go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.records import (
    Party,
    Staff,
    StaffRole,
    StaffTie,
)
from core.rules.permissions import Role


@dataclass(frozen=True)
class Colleague:
    """A mediator to whom a case can go. `tie` is why not."""

    id: int
    name: str
    tie: str | None


def for_parties(session: Session, parties: Sequence[Party]) -> list[Colleague]:
    """Active mediators, and which of them have a tie to these parties."""
    ids = [each.id for each in parties]
    rows = session.execute(
        select(Staff.id, Staff.name, StaffTie.reason)
        .join(StaffRole, (StaffRole.staff_id == Staff.id) & (StaffRole.role == Role.MEDIATOR))
        .outerjoin(StaffTie, (StaffTie.staff_id == Staff.id) & StaffTie.party_id.in_(ids))
        .where(Staff.active)
        .order_by(Staff.name)
    )
    return list({row[0]: Colleague(*row) for row in rows}.values())
