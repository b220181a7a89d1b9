"""Unfinished decisions: what a member of staff has chosen and written about a case, kept until it is decided.

A draft is its writer's alone, decides nothing and is not audited.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import rfc8785
from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.errors import DeskError
from core.records import DecisionDraft
from core.rules.permissions import Actor, Permission, require

LONGEST = 64_000  # bytes


class DraftTooLong(DeskError):
    """This draft is too long to be saved. Shorten it, or keep it somewhere else."""


def save(session: Session, actor: Actor, *, now: datetime, ticket_id: int, content: dict[str, Any]) -> None:
    """Keep this as the actor's draft of the case; what was kept before is replaced. Raises `DraftTooLong`."""
    require(actor, Permission.READ_CASES)
    if len(rfc8785.dumps(content)) > LONGEST:
        raise DraftTooLong()
    draft = insert(DecisionDraft).values(
        ticket_id=ticket_id, staff_id=actor.id, content=content, updated_at=now
    )
    session.execute(
        draft.on_conflict_do_update(
            index_elements=["ticket_id", "staff_id"],
            set_={"content": draft.excluded.content, "updated_at": draft.excluded.updated_at},
        )
    )


def find(session: Session, actor: Actor, *, ticket_id: int) -> DecisionDraft | None:
    """The actor's own draft of this case, if anything is in it."""
    found = session.get(DecisionDraft, (ticket_id, actor.id)) if actor.id else None
    return found if found and found.content else None


def clear(session: Session, actor: Actor, *, now: datetime, ticket_id: int) -> None:
    """The decision is recorded, or its writer threw the draft away."""
    session.execute(
        update(DecisionDraft)
        .where(DecisionDraft.ticket_id == ticket_id, DecisionDraft.staff_id == actor.id)
        .values(content={}, updated_at=now)
    )
