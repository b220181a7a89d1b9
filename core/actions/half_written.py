"""Words that somebody began and did not send: kept for their writer, so that a reload or another page loses nothing.

They are their writer's alone, tell nobody anything and are not audited.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.records import HalfWritten
from core.rules.permissions import Actor, Permission, require

LONGEST = 10_000


def keep(session: Session, actor: Actor, *, now: datetime, ticket_id: int, place: str, body: str) -> None:
    """What stands in the field `place` now; empty once it is sent. What is longer than a message may be is cut."""
    require(actor, Permission.READ_CASES)
    words = insert(HalfWritten).values(
        ticket_id=ticket_id, staff_id=actor.id, place=place[:80], body=body[:LONGEST], updated_at=now
    )
    session.execute(
        words.on_conflict_do_update(
            index_elements=["ticket_id", "staff_id", "place"],
            set_={"body": words.excluded.body, "updated_at": words.excluded.updated_at},
        )
    )


def find(session: Session, actor: Actor, *, ticket_id: int, place: str) -> str:
    """What the actor had written there."""
    found = session.get(HalfWritten, (ticket_id, actor.id, place)) if actor.id else None
    return found.body if found else ""
