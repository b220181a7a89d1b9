"""Filters of the queue of cases: views, flags, words, and the position of a page in its order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from core.like_patterns import like
from core.queries.word_search import OF_MILESTONE
from core.rules.references import number_in

OPEN = "t.status in ('OPEN', 'UNDER_REVIEW', 'WAITING_PARTY')"
AWAITING = "exists (select from decisions d where d.case_id = t.id and d.status = 'AWAITING_APPROVAL')"
WORK = "join milestones m on m.id = t.milestone_id join projects p on p.id = m.project_id"
SEARCH = f"({' or '.join(('t.id = :number', *OF_MILESTONE))})"


class View(StrEnum):
    """Which cases are shown; all but DECIDED are open."""

    MINE = "mine"
    UNASSIGNED = "unassigned"
    WAITING = "waiting"
    OVERDUE = "overdue"
    ESCALATED = "escalated"
    APPROVAL = "approval"
    DECIDED = "decided"


class Watch(StrEnum):
    """A flag to filter by among the cases of a view."""

    UNREAD = "unread"
    HIGH_VALUE = "high_value"
    HOLD = "hold"
    CHARGEBACK = "chargeback"
    RISK = "risk"
    COOLING_OFF = "cooling_off"
    VOIDED = "voided"
    SINCE = "since"


@dataclass(frozen=True)
class Place:
    """A row's position in the order of the queue: its deadline (none where the newest come first) and its id."""

    id: int
    at: datetime | None = None

    def __str__(self) -> str:
        return f"{(self.at - EPOCH) // MICROSECOND}.{self.id}" if self.at else str(self.id)

    @classmethod
    def read(cls, words: str | None) -> Place | None:
        """A position from an address; None where it cannot be read."""
        parts = (words or "").split(".")
        if len(parts) > 2 or not all(p.isascii() and p.isdigit() and len(p) < 18 for p in parts):
            return None
        try:
            return cls(int(parts[-1]), EPOCH + int(parts[0]) * MICROSECOND if len(parts) == 2 else None)
        except OverflowError:
            return None


EPOCH, MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
SEEN = "(select seen.seen_at from case_visits seen where seen.case_id = t.id and seen.staff_id = :me)"
ABOVE = """m.amount_minor > (select (rules.snapshot -> 'second_person_above' ->> m.currency)::bigint
    from policy_versions rules where rules.id = p.policy_version_id)"""
# Of all open cases at once: one by one, in the order of the queue, it costs twenty times as much.
ABOVE_AND_OPEN = f"""t.id = any(array(select t.id from cases t {WORK}
    join policy_versions rules on rules.id = p.policy_version_id
    where {OPEN} and m.amount_minor > (rules.snapshot -> 'second_person_above' ->> m.currency)::bigint))"""
_WATCH = {
    Watch.UNREAD: f"""(exists (select from messages w where w.milestone_id = t.milestone_id
        and w.at > coalesce({SEEN}, '-infinity') and not (w.author_kind = 'staff' and w.author_id = :me))
        or exists (select from evidence e where e.milestone_id = t.milestone_id
        and e.at > coalesce({SEEN}, '-infinity')))""",
    Watch.HIGH_VALUE: ABOVE,
    Watch.HOLD: """(exists (select from holds h where h.milestone_id = t.milestone_id and h.released_at is null)
        or t.milestone_id in (select m.id from payee_holds k join projects p on p.payee_id = k.party_id
                              join milestones m on m.project_id = p.id where k.released_at is null))""",
    Watch.CHARGEBACK: """exists (select from payment_orders o
        where o.milestone_id = t.milestone_id and o.chargeback_open)""",
    Watch.RISK: "exists (select from risk_reviews k where k.milestone_id = t.milestone_id and k.settled_at is null)",
    Watch.COOLING_OFF: "exists (select from decisions d where d.case_id = t.id and d.status = 'COOLING_OFF')",
    Watch.VOIDED: """(select d.status from decisions d
        where d.case_id = t.id order by d.id desc limit 1) is not distinct from 'VOIDED'""",
    Watch.SINCE: """exists (select from decisions d join messages w on w.milestone_id = d.milestone_id
        where d.case_id = t.id and d.status in ('AWAITING_APPROVAL', 'COOLING_OFF')
        and w.author_kind = 'party' and w.at > d.made_at)""",
}
WHERE = {
    None: OPEN,
    View.MINE: f"{OPEN} and t.mediator_id = :me",
    View.UNASSIGNED: f"{OPEN} and t.mediator_id is null",
    View.WAITING: f"{OPEN} and t.status = 'WAITING_PARTY'",
    View.OVERDUE: f"{OPEN} and t.due_at <= :now",
    View.ESCALATED: f"{OPEN} and t.escalated",
    View.APPROVAL: f"{OPEN} and {AWAITING}",
    View.DECIDED: "t.status in ('RESOLVED', 'WITHDRAWN')",
}


@dataclass(frozen=True)
class CaseFilter:
    """`me` is the member of staff who looks; `words` are searched in parties, titles and case numbers."""

    me: int
    now: datetime
    view: View | None = None
    platform: str | None = None
    words: str = ""
    watch: Watch | None = None

    @property
    def narrowed(self) -> bool:
        """Whether anything but the view is filtered."""
        return bool(self.words or self.platform or self.watch)

    @property
    def named(self) -> bool:
        """Whether the words are one case's number, D-42, and nothing else."""
        return self.words.strip()[:1] in "dD" and number_in("case", self.words) is not None

    @property
    def values(self) -> dict[str, Any]:
        return {
            "me": self.me,
            "now": self.now,
            "platform": self.platform,
            "like": like(self.words),
            "number": number_in("case", self.words),
        }

    @property
    def source(self) -> str:
        joined = WORK if self.platform or self.words or self.watch is Watch.HIGH_VALUE else ""
        return f"from cases t {joined} where " + " and ".join(self._conditions())

    @property
    def newest_first(self) -> bool:
        return self.view is View.DECIDED

    def order(self, *, backwards: bool = False) -> str:
        if self.newest_first:
            return "t.id" if backwards else "t.id desc"
        return "t.due_at desc, t.id desc" if backwards else "t.due_at, t.id"

    def beyond(self, place: Place | None, *, backwards: bool = False) -> str:
        """The condition for rows after (or, backwards, before) this position."""
        if place is None or (place.at is None and not self.newest_first):
            return ""
        if self.newest_first:
            return f" and t.id {'>' if backwards else '<'} :place_id"
        return f" and (t.due_at, t.id) {'<' if backwards else '>'} (:place_at, :place_id)"

    def _conditions(self) -> Iterator[str]:
        yield WHERE[self.view]
        if self.platform:
            yield "p.platform = :platform"
        if self.watch is Watch.HIGH_VALUE and not self.newest_first:
            yield ABOVE_AND_OPEN
        elif self.watch:
            yield _WATCH[self.watch]
        if self.words:
            yield "t.id = :number" if self.named else SEARCH
