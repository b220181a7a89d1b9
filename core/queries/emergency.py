"""Roles that one administrator gave alone in an emergency, while they wait for their review."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.rules.permissions import Role

WAITING = text(
    """
    select g.id, g.staff_id, s.name, g.role, g.reason, g.given_by as by_id, a.name as by, g.given_at, g.review_by
    from emergency_grants g join staff s on s.id = g.staff_id join staff a on a.id = g.given_by
    where g.settled_at is null order by g.review_by, g.id
    """
)


@dataclass(frozen=True)
class EmergencyRole:
    id: int
    staff_id: int
    name: str
    role: str
    reason: str
    by_id: int
    by: str
    given_at: datetime
    review_by: datetime


def waiting(session: Session) -> list[EmergencyRole]:
    """The one that ends first comes first."""
    return [EmergencyRole(**row) for row in session.execute(WAITING).mappings()]


def of(session: Session, staff_id: int) -> dict[Role, EmergencyRole]:
    """The roles that this colleague has in an emergency, while nobody has reviewed them."""
    return {Role(each.role): each for each in waiting(session) if each.staff_id == staff_id}
