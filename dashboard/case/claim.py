"""Taking a case, giving it to someone else, or giving it back."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from core.actions import mediate
from core.errors import DeskError
from core.queries import disputes
from core.records import Ticket
from core.rules.permissions import Actor


class NothingToClaim(DeskError):
    """No case is waiting for a mediator that you could take. Look again later."""


def claim_next(session: Session, actor: Actor, now: datetime) -> Ticket:
    """The unassigned case that is due first and that the actor has no tie to."""
    ticket_id = disputes.next_unassigned(session, me=actor.id or 0, now=now)
    if ticket_id is None:
        raise NothingToClaim()
    return mediate.assign(session, actor, now=now, ticket_id=ticket_id, staff_id=actor.id)


def give(session: Session, actor: Actor, now: datetime, *, ticket_id: int, staff_id: int | None) -> Ticket:
    """To a mediator, or (None) back to the queue."""
    return mediate.assign(session, actor, now=now, ticket_id=ticket_id, staff_id=staff_id)
