"""The events on one page of the timeline, by position only.

The order is time, then source, then number, so that simultaneous events have one order for everybody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.audit.actions import KINDS, TOLD_ELSEWHERE, About
from core.rules.references import whole

SIZE = 100
BEFORE_IT = 10  # what led to an entry that a link leads to
FOLLOWED_BY = ("arrived", "sent", "paid", "failed")


@dataclass(frozen=True, order=True)
class Mark:
    """The position and name of one event: `message-17`."""

    at: datetime
    source: str
    id: int

    @property
    def name(self) -> str:
        return f"{self.source}-{self.id}"


@dataclass(frozen=True)
class TimelineFilter:
    """Which events: of these kinds (empty: all), only what the parties know, up to an instant (inclusive), the page
    before or after the named event, or the page around it."""

    about: frozenset[About] = frozenset()
    public: bool = False
    until: datetime | None = None
    before: str = ""
    after: str = ""
    entry: str = ""
    size: int = SIZE


@dataclass(frozen=True)
class Page:
    """Oldest first. `missing`: a requested name that is not in this case."""

    marks: tuple[Mark, ...]
    older: bool = False
    newer: bool = False
    missing: str = ""


# Each source with its own two filters; `:m` is the milestone, `:p` the project.
SOURCES: Mapping[str, str] = {
    "message": "select at, 'message' as source, id, 'message' as about, audience = 'STAFF' as hidden "
    "from messages where milestone_id = :m",
    "evidence": "select at, 'evidence', id, 'evidence', false from evidence where milestone_id = :m",
    "letter": "select created_at, 'letter', id, 'letter', staff_id is not null from notifications "
    "where milestone_id = :m",
    "journal": "select posted_at, 'journal', id, 'money', true from journals "
    "where milestone_id = :m or key in (select o.key || '.' || what from outgoing_operations o, "
    "unnest(cast(:followed as text[])) what where o.milestone_id = :m)",
    "handover": "select h.at, 'handover', h.id, 'case', true from handovers h join cases t on t.id = h.case_id "
    "where t.milestone_id = :m",
    "recusal": "select r.at, 'recusal', r.staff_id, 'case', true from recusals r join cases t on t.id = r.case_id "
    "where t.milestone_id = :m",
    "entry": "select e.at, 'entry', e.id, coalesce(known.about, 'case'), coalesce(known.hidden, true) "
    "from (select id, at, substring(action from position(':' in action) + 1) as told from audit_entries "
    "where milestone_id = :m union all "
    "select id, at, substring(action from position(':' in action) + 1) from audit_entries "
    "where project_id = :p and milestone_id is null) e "
    "left join unnest(cast(:told as text[]), cast(:abouts as text[]), cast(:hiddens as boolean[])) "
    "as known (told, about, hidden) on known.told = e.told "
    "where e.told <> all(cast(:elsewhere as text[]))",
}
ALL = "with happened as materialized (" + " union all ".join(SOURCES.values()) + ")"
FILTER = """(cardinality(cast(:about as text[])) = 0 or about = any(cast(:about as text[])))
    and not (:public and hidden) and (cast(:until as timestamptz) is null or at <= :until)"""
PAGE = f"""{ALL} select at, source, id from happened where {FILTER} {{beyond}}
    order by at {{way}}, source {{way}}, id {{way}} limit :limit"""
ONE = f"{ALL} select at, source, id from happened where source = :source and id = :id"
BEYOND = "and (at, source, id) {sign} (:at, :source, :id)"


def find(session: Session, milestone_id: int, project_id: int, wanted: TimelineFilter) -> Page:
    """The positions on a page: the newest, or those before, after or around an event."""
    values = _values(milestone_id, project_id, wanted)
    name = wanted.entry or wanted.before or wanted.after
    at = _one(session, values, name) if name else None
    missing = name if name and at is None else ""
    if at is None:
        found = _side(session, values, wanted.size + 1, None, older=True)
        return Page(_last(found, wanted.size), older=len(found) > wanted.size, missing=missing)
    if wanted.entry:
        return _around(session, values, wanted.size, at)
    found = _side(session, values, wanted.size + 1, at, older=bool(wanted.before))
    more = len(found) > wanted.size
    if wanted.before:
        return Page(_last(found, wanted.size), older=more, newer=True)
    return Page(found[: wanted.size], older=True, newer=more)


def _around(session: Session, values: dict[str, Any], size: int, at: Mark) -> Page:
    led = _side(session, values, BEFORE_IT + 1, at, older=True)
    followed = _side(session, values, size, at, older=False)
    rest = size - 1 - min(len(led), BEFORE_IT)
    return Page(
        (*_last(led, BEFORE_IT), at, *followed[:rest]),
        older=len(led) > BEFORE_IT,
        newer=len(followed) > rest,
    )


def _last(marks: tuple[Mark, ...], size: int) -> tuple[Mark, ...]:
    return marks[-size:]


def _side(
    session: Session, values: dict[str, Any], limit: int, at: Mark | None, *, older: bool
) -> tuple[Mark, ...]:
    """Up to `limit` positions beyond one, oldest first."""
    query = PAGE.format(
        beyond=BEYOND.format(sign="<" if older else ">") if at else "", way="desc" if older else "asc"
    )
    place = {"at": at.at, "source": at.source, "id": at.id} if at else {}
    found = tuple(Mark(*row) for row in session.execute(text(query), {**values, **place, "limit": limit}))
    return found[::-1] if older else found


def _one(session: Session, values: dict[str, Any], name: str) -> Mark | None:
    source, _, number = name.partition("-")
    id = whole(number)
    if source not in SOURCES or id is None:
        return None
    row = session.execute(text(ONE), {**values, "source": source, "id": id}).one_or_none()
    return Mark(*row) if row else None


def _values(milestone_id: int, project_id: int, wanted: TimelineFilter) -> dict[str, Any]:
    return {
        "m": milestone_id,
        "p": project_id,
        "about": [each.value for each in wanted.about],
        "public": wanted.public,
        "until": wanted.until,
        "followed": list(FOLLOWED_BY),
        "told": [each.value for each in KINDS],
        "abouts": [each.about.value for each in KINDS.values()],
        "hiddens": [each.staff_only for each in KINDS.values()],
        "elsewhere": [each.value for each in TOLD_ELSEWHERE],
    }
