"""Telling the marketplace: events that the database wrote with each change go to the platform's endpoints, signed.

Claimed and committed first, then sent, then recorded, so an event goes out at least once. With its first claim an event
gets its number: each endpoint's events count from 1 without a gap, in the order in which the changes of one milestone
happened, so who listens can order them and see what is missing. An endpoint that does not answer costs one event of a
batch a try; the others wait without one. Times between tries grow to an hour; after sixty tries, more than a day, the
event is kept as failed. Every try is on record, and what was missed can be told again.

Endpoints are told side by side, those that answered last time first, and each try is cut after ten seconds in all: one
that does not answer delays only itself.
"""

from __future__ import annotations

import json
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

import requests
import structlog
from sqlalchemy import ColumnElement, text, update
from sqlalchemy.orm import Session
from typing_extensions import TypedDict
from urllib3.exceptions import HTTPError

from core import audit
from core.api.http import api_keys
from core.api.http.signing import HEADER, sign_event
from core.api.webhooks import connections
from core.api.webhooks.connections import Line, TooSlow
from core.clock import wall_time
from core.db import one_at_a_time
from core.desk import Desk
from core.processes import leases
from core.records import EventDelivery, OutgoingEvent, WebhookEndpoint
from core.rules import retries
from core.rules.webhooks import EventStatus

log = structlog.get_logger("api")

AWAY = timedelta(seconds=30)
TRIES = 60
PATIENCE = (5.0, 10.0)  # seconds to connect, and for each read
WITHIN = 10.0  # seconds in all, for one try
AT_ONCE = 8  # endpoints that one process tells side by side
ANSWER_BYTES = 2_048  # of an answer's body are kept
# Whoever numbers events does so alone, or a later claim could overtake an earlier one.
ONE_AT_A_TIME = "outgoing events"


@dataclass(frozen=True)
class Try:
    """What came of one: the status that was answered, or none, what is wrong with it, the beginning of what came with
    it, and the milliseconds it took."""

    status: int | None
    error: str | None
    answer: str | None
    took_ms: int


@dataclass(frozen=True)
class Parcel:
    """A claimed event and where it goes."""

    id: int
    endpoint_id: int
    kind: str
    url: str
    nonces: tuple[str, ...]
    body: bytes


_at_work = set[int]()  # endpoints that a thread of this process tells just now
_choosing = threading.Lock()
# Endpoints in order: whoever failed last is told last. One look at each, however much waits for one that is away.
DUE = text(
    """
    select w.id from webhook_endpoints w cross join lateral (
        select e.tries, e.error, e.next_try_at from outgoing_events e
        where e.endpoint_id = w.id and e.status = 'QUEUED' and e.next_try_at <= :now
        order by e.next_try_at, e.id limit 1
    ) first order by first.tries > 0 or first.error is not null, first.next_try_at, w.id
    """
)


def tell_all(desk: Desk, *, away: set[int]) -> int:
    """Tell every endpoint what is due for it, until nothing is or it does not answer; returns how many events arrived.
    `away`: see `deliver_due`. Endpoints that another thread of this process tells just now are left to it."""
    with desk.database.reading() as session:
        due = session.scalars(DUE, {"now": desk.clock()}).all()
    with _choosing:
        ours = [each for each in due if each not in away and each not in _at_work]
        _at_work.update(ours)

    def tell(endpoint_id: int) -> int:
        try:
            arrived = 0
            while endpoint_id not in away and (sent := deliver_due(desk, away=away, endpoint_id=endpoint_id)):
                arrived += sent
            return arrived
        finally:
            _at_work.discard(endpoint_id)

    if not ours:
        return 0
    try:
        with ThreadPoolExecutor(min(AT_ONCE, len(ours)), thread_name_prefix="endpoint") as threads:
            return sum(threads.map(tell, ours))
    finally:  # where one fails, those that have not begun never do
        _at_work.difference_update(ours)


def deliver_due(
    desk: Desk, *, limit: int = 20, away: set[int] | None = None, endpoint_id: int | None = None
) -> int:
    """Send up to `limit` events that are due, oldest first, of this endpoint or of all; returns how many arrived.

    `away`: endpoints that are passed over; those that do not answer now are added to it.
    """
    away = set() if away is None else away
    others = OutgoingEvent.endpoint_id.not_in(frozenset(away))
    only = others if endpoint_id is None else OutgoingEvent.endpoint_id == endpoint_id
    parcels = desk.database.run(lambda session: _claim(session, only, now=desk.clock(), limit=limit))
    if not parcels:
        return 0
    master, sent = api_keys.master_key(desk.settings), 0
    with connections.session(desk.settings.private_networks) as line:
        for parcel in parcels:
            if parcel.endpoint_id in away:
                _record(desk, parcel, tried=None, error="The endpoint did not answer.")
                continue
            tried = _send(line, parcel, master, now=wall_time(desk.clock))
            _record(desk, parcel, tried=tried, error=tried.error)
            if tried.error is None:
                sent += 1
            else:
                away.add(parcel.endpoint_id)
    return sent


def _claim(session: Session, only: ColumnElement[bool], *, now: datetime, limit: int) -> list[Parcel]:
    one_at_a_time(session, ONE_AT_A_TIME)
    due = leases.claim_due(session, OutgoingEvent, now=now, limit=limit, only=only)
    _number(session, [event for event in due if event.sequence is None])
    return [_parcel(event, session.get_one(WebhookEndpoint, event.endpoint_id), now) for event in due]


def _parcel(event: OutgoingEvent, endpoint: WebhookEndpoint, now: datetime) -> Parcel:
    nonces = [endpoint.nonce]
    if endpoint.previous_nonce and endpoint.previous_until and now < endpoint.previous_until:
        nonces.append(endpoint.previous_nonce)
    return Parcel(event.id, endpoint.id, event.kind, endpoint.url, tuple(nonces), body_of(event))


def _number(session: Session, events: list[OutgoingEvent]) -> None:
    """The next numbers of their endpoints, in the order in which the events were written."""
    for endpoint_id in sorted({event.endpoint_id for event in events}):
        theirs = sorted(
            (each for each in events if each.endpoint_id == endpoint_id), key=lambda each: each.id
        )
        counted = (
            update(WebhookEndpoint)
            .where(WebhookEndpoint.id == endpoint_id)
            .values(last_sequence=WebhookEndpoint.last_sequence + len(theirs))
            .returning(WebhookEndpoint.last_sequence)
        )
        last = session.scalars(counted).one()
        for number, event in enumerate(theirs, start=last - len(theirs) + 1):
            event.sequence = number
    session.flush()


class Content(TypedDict):
    """What an endpoint reads of an event."""

    id: str
    kind: str
    sequence: int
    created_at: str
    data: dict[str, Any]


def content_of(event: OutgoingEvent) -> Content:
    assert event.sequence is not None  # given with the first claim
    return {
        "id": f"evt_{event.id}",
        "kind": event.kind,
        "sequence": event.sequence,
        "created_at": event.created_at.isoformat(),
        "data": event.data,
    }


def body_of(event: OutgoingEvent) -> bytes:
    """The same bytes however often it is sent."""
    return json.dumps(content_of(event), ensure_ascii=False, sort_keys=True).encode()


def _send(line: Line, parcel: Parcel, master: bytes, *, now: datetime) -> Try:
    begun = monotonic()
    status, error, answered = None, None, None
    try:
        with (
            line.within(WITHIN),
            line.post(
                parcel.url,
                data=parcel.body,
                headers=_headers(parcel, master, now=now),
                timeout=PATIENCE,
                allow_redirects=False,  # a redirect could lead anywhere
                stream=True,  # whatever it says, only its beginning is read
            ) as answer,
        ):
            status = answer.status_code
            answered = _beginning(answer)
            error = None if 200 <= status < 300 else f"It answered {status}."
    except TooSlow as slow:
        status, error, answered = None, slow.message, None
    except requests.RequestException as problem:
        error = f"It did not answer ({type(problem).__name__})."
    except Exception as problem:
        error = leases.why(problem)
    return Try(status, error, answered, round((monotonic() - begun) * 1000))


def _beginning(answer: requests.Response) -> str | None:
    """What has come by the first read: an endpoint that drips its answer holds nobody up."""
    try:
        return answer.raw.read1(ANSWER_BYTES).decode("utf-8", "replace").replace("\0", "\ufffd") or None
    except (HTTPError, OSError):
        return None


def _headers(parcel: Parcel, master: bytes, *, now: datetime) -> dict[str, str]:
    secrets = [api_keys.signing_secret(master, "endpoint", each) for each in parcel.nonces]
    return {
        "Content-Type": "application/json",
        "User-Agent": "escrow-desk",
        "Accept-Encoding": "identity",
        HEADER: sign_event(*secrets, at=int(now.timestamp()), body=parcel.body),
    }


def _record(desk: Desk, parcel: Parcel, *, tried: Try | None, error: str | None) -> None:
    """On the event; where that cannot be done, the other events still have their turn."""
    now = desk.clock()

    def act(session: Session) -> str:
        event = session.get_one(OutgoingEvent, parcel.id, with_for_update=True)
        event.tries += int(tried is not None)
        event.error = error
        if tried is not None:
            session.add(EventDelivery(event_id=event.id, at=now, **vars(tried)))
        if error is None:
            audit.become(event, EventStatus.SENT, now=now)
            event.sent_at = now
        else:
            over = event.status == EventStatus.QUEUED and event.tries >= TRIES
            wait = retries.delay(event.tries, random.randrange) if tried else AWAY
            leases.put_off(event, until=None if over else now + wait, now=now)
        return event.status

    try:
        status = desk.database.run(act)
    except Exception as problem:
        leases.passed_over(problem, parcel.id)
        return
    log.info(
        "event." + status.lower(), id=parcel.id, kind=parcel.kind, **({"reason": error} if error else {})
    )
