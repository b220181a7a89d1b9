"""Reading with masks: the views of the schema `masked` stand in the place of the tables, whatever is asked of them.

Names to look for are compared with what is stored (`word_search`), and shown as this reader sees them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core.audit.actions import AuditAction
from core.records import Party
from core.rules.masking import REVEALED_FOR, WITHIN, Sight

LOOK = text(
    """
    select set_config('search_path', 'masked, public', true), set_config('desk.sees', :sees, true),
           set_config('desk.revealed', coalesce((
               select string_agg(e.object_id, ',') from audit_entries e
               where e.actor_kind = 'staff' and e.actor_id = :staff and e.at > :since and e.action = :action
                 and e.after ->> 'session' = :session), ''), true)
    """
)
REVEALED = text(
    """
    select distinct e.object_id from audit_entries e
    where e.actor_kind = 'staff' and e.actor_id = :staff and e.at > :since and e.action = :action
      and (cast(:session as text) is null or e.after ->> 'session' = :session)
    """
)
MANY_REVEALED = text(
    """
    select e.at, s.id, s.name, (e.after ->> 'people')::bigint as people
    from audit_entries e join staff s on s.id = e.object_id::bigint
    where e.action = :action and e.at > :since order by e.at desc, e.id desc
    """
)
SHOWN_FOR = timedelta(days=7)
ACTION = AuditAction.PERSON_REVEAL.by("staff")


def look(session: Session, sight: Sight, *, now: datetime) -> None:
    """From here to the end of its transaction this session reads what `sight` may see, in one statement."""
    if sight.masked:
        session.execute(
            LOOK,
            {
                "sees": ",".join(sorted(sight.sees)),
                "staff": sight.staff_id,
                "session": str(sight.session_id),
                "since": now - REVEALED_FOR,
                "action": ACTION,
            },
        )


def revealed(
    session: Session, staff_id: int, *, now: datetime, session_id: int | None = None
) -> frozenset[int]:
    """The parties revealed to this colleague: now, in one session; or without one, within the hour of the alarm."""
    since = now - (WITHIN if session_id is None else REVEALED_FOR)
    asked = {
        "staff": staff_id,
        "since": since,
        "action": ACTION,
        "session": None if session_id is None else str(session_id),
    }
    return frozenset(int(each) for each in session.scalars(REVEALED, asked))


@dataclass(frozen=True)
class ManyRevealed:
    """That a colleague revealed more people within an hour than a day's work needs."""

    at: datetime
    staff_id: int
    name: str
    people: int


def many_revealed(session: Session, *, now: datetime) -> list[ManyRevealed]:
    """In the last week, the newest first."""
    found = session.execute(
        MANY_REVEALED,
        {"action": AuditAction.PERSON_REVEAL_MANY.by("staff"), "since": now - SHOWN_FOR},
    )
    return [ManyRevealed(row.at, row.id, row.name, row.people) for row in found]


def names(session: Session, party_ids: Sequence[int]) -> dict[int, str]:
    """What these parties are called, for a session that reads without masks."""
    rows = session.execute(select(Party.id, Party.name).where(Party.id.in_(party_ids)))
    return {row.id: row.name for row in rows}
