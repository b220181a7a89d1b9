"""What the marketplaces are told, by event and endpoint: how it stands, what is in it, and how each try ended."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.db import NEWEST
from core.errors import NotFound
from core.rules.references import whole
from core.rules.webhooks import EventStatus

BEGINS = "evt_"


@dataclass(frozen=True)
class EventFilter:
    """`words`: an event's id (`evt_17`), or the number of its milestone."""

    status: str | None = None
    platform: str | None = None
    kind: str | None = None
    words: str = ""

    @property
    def values(self) -> dict[str, Any]:
        words = self.words.strip()
        return {
            "status": self.status,
            "platform": self.platform,
            "kind": self.kind,
            "event": whole(words.removeprefix(BEGINS)) if words.startswith(BEGINS) else None,
            "milestone": whole(words),
        }

    @property
    def where(self) -> str:
        return " and ".join(["e.id < :before", *self._conditions()])

    def _conditions(self) -> Iterator[str]:
        for given, condition in (
            (self.status, "e.status = :status"),
            (self.platform, "e.endpoint_id in (select id from webhook_endpoints where platform = :platform)"),
            (self.kind, "e.kind = :kind"),
            (self.words, "(e.id = :event or e.milestone_id = :milestone)"),
        ):
            if given:
                yield condition


@dataclass(frozen=True)
class MarketplaceEvent:
    """One event for one endpoint. `answered` is the HTTP status of its last try, None where nothing was answered."""

    id: int
    kind: str
    platform: str
    url: str
    endpoint_removed: bool
    milestone_id: int | None
    sequence: int | None
    status: str
    tries: int
    next_try_at: datetime
    error: str | None
    created_at: datetime
    sent_at: datetime | None
    data: Mapping[str, Any]
    tried_at: datetime | None
    answered: int | None

    @property
    def event(self) -> str:
        """The id under which the marketplace knows it."""
        return f"{BEGINS}{self.id}"

    @property
    def next_try(self) -> datetime | None:
        """When it is sent, or sent again; None once it was delivered, given up or dropped."""
        return self.next_try_at if self.status == EventStatus.QUEUED else None

    @property
    def repeatable(self) -> bool:
        """Whether it can be sent again: it was delivered or given up, and its endpoint is still told."""
        return self.status in (EventStatus.SENT, EventStatus.FAILED) and not self.endpoint_removed


PAGE = """
with page as materialized (
    select e.* from outgoing_events e where {where} order by e.id desc limit :limit
)
select e.id, e.kind, w.platform, w.url, w.removed_at is not null as endpoint_removed, e.milestone_id, e.sequence,
       e.status, e.tries, e.next_try_at, e.error, e.created_at, e.sent_at, e.data, last.at as tried_at,
       last.status as answered
from page e join webhook_endpoints w on w.id = e.endpoint_id
left join lateral (
    select d.at, d.status from event_deliveries d where d.event_id = e.id order by d.id desc limit 1
) last on true
order by e.id desc
"""


def page(
    session: Session, wanted: EventFilter, *, before: int | None = None, limit: int = 51
) -> list[MarketplaceEvent]:
    """Newest first."""
    values = {**wanted.values, "before": before or NEWEST, "limit": limit}
    rows = session.execute(text(PAGE.format(where=wanted.where)), values).mappings()
    return [MarketplaceEvent(**row) for row in rows]


def event(session: Session, event_id: int) -> MarketplaceEvent:
    """Raises `NotFound`."""
    found = session.execute(text(PAGE.format(where="e.id = :id")), {"id": event_id, "limit": 1}).mappings()
    row = found.one_or_none()
    if row is None:
        raise NotFound(kind="event", id=event_id)
    return MarketplaceEvent(**row)


@dataclass(frozen=True)
class Try:
    """One try to deliver it: the HTTP status that was answered, or none, what is wrong with it, the beginning of what
    was answered, and the milliseconds it took."""

    id: int
    at: datetime
    answered: int | None
    error: str | None
    answer: str | None
    took_ms: int


TRIES = text(
    "select id, at, status as answered, error, answer, took_ms from event_deliveries where event_id = :event"
    " order by id desc limit :limit"
)


def tries(session: Session, event_id: int, *, limit: int | None = 100) -> list[Try]:
    """The latest first."""
    rows = session.execute(TRIES, {"event": event_id, "limit": limit}).mappings()
    return [Try(**row) for row in rows]
