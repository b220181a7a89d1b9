"""Where a platform is told what happens: endpoints added and removed by an operator, how far each is told, replay."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from core import audit
from core.api.http import api_keys
from core.api.webhooks import delivery
from core.audit.actions import AuditAction
from core.errors import DeskError, NotFound
from core.records import EventDelivery, OutgoingEvent, WebhookEndpoint
from core.rules.permissions import Actor, Permission, require
from core.rules.web_addresses import Network, require_event_address
from core.rules.webhooks import EventStatus, SecretJustRotated


class EndpointKnown(DeskError):
    """{url} is already an endpoint. Remove it first to give it another secret."""


def add_endpoint(
    session: Session,
    actor: Actor,
    *,
    now: datetime,
    platform: str,
    url: str,
    master: bytes,
    by_key: str = "",
    allowed: Sequence[Network] = (),
) -> tuple[WebhookEndpoint, str]:
    """From now on the platform's events go to `url`; the secret that signs them is shown once. `by_key`: the platform
    itself asked, with this key; then the system does it for them, here and in what follows. `allowed`: networks that
    events may go to besides the public internet.

    Raises `EndpointUnfit`, `EndpointNotPublic`, `EndpointKnown`, `PlatformUnknown`, `NotPermitted`.
    """
    _require(actor, now, by_key)
    api_keys.known_platform(platform)
    host = require_event_address(url, allowed)
    open_there = select(WebhookEndpoint.id).where(
        WebhookEndpoint.platform == platform, WebhookEndpoint.url == url, WebhookEndpoint.removed_at.is_(None)
    )
    if session.scalar(open_there) is not None:
        raise EndpointKnown(url=url)
    endpoint = WebhookEndpoint(platform=platform, url=url, nonce=secrets.token_hex(12), created_at=now)
    session.add(endpoint)
    session.flush()
    _note(
        session,
        actor,
        AuditAction.WEBHOOK_ENDPOINT_ADD,
        endpoint.id,
        now,
        after={"platform": platform, "host": host} | _asked(by_key),
    )
    return endpoint, api_keys.signing_secret(master, "endpoint", endpoint.nonce)


def rotate_secret(
    session: Session, actor: Actor, *, now: datetime, endpoint_id: int, master: bytes, by_key: str = ""
) -> tuple[WebhookEndpoint, str]:
    """Another secret, shown once; for `api_keys.OVERLAP` events are signed with the one before as well.

    While the one before is still valid there is no third: whoever has not taken over the second would be shut out.
    Raises `NotFound`, `SecretJustRotated`, `NotPermitted`, `StepUpRequired`.
    """
    _require(actor, now, by_key)
    endpoint = _open(session, endpoint_id)
    if endpoint.previous_until and now < endpoint.previous_until:
        raise SecretJustRotated(until=endpoint.previous_until)
    endpoint.previous_nonce, endpoint.previous_until = endpoint.nonce, now + api_keys.OVERLAP
    endpoint.nonce = secrets.token_hex(12)
    session.flush()
    after = {"both_until": endpoint.previous_until.isoformat()} | _asked(by_key)
    _note(session, actor, AuditAction.WEBHOOK_ENDPOINT_ROTATE, endpoint_id, now, after=after)
    return endpoint, api_keys.signing_secret(master, "endpoint", endpoint.nonce)


def send_test(session: Session, actor: Actor, *, now: datetime, endpoint_id: int, by_key: str = "") -> int:
    """An event `endpoint.tested` for this endpoint alone; returns its number.

    Raises `NotFound`, `NotPermitted`, `StepUpRequired`.
    """
    _require(actor, now, by_key)
    _open(session, endpoint_id)
    number: int = session.execute(
        text("select announce_test(:endpoint, :at)"), {"endpoint": endpoint_id, "at": now}
    ).scalar_one()
    after = {"event": f"evt_{number}"} | _asked(by_key)
    _note(session, actor, AuditAction.WEBHOOK_ENDPOINT_TEST, endpoint_id, now, after=after)
    return number


def _require(actor: Actor, now: datetime, by_key: str) -> None:
    if not by_key:
        require(actor, Permission.MANAGE_PLATFORM_KEYS, now)


def _open(session: Session, endpoint_id: int) -> WebhookEndpoint:
    endpoint = session.get(WebhookEndpoint, endpoint_id, with_for_update=True)
    if endpoint is None or endpoint.removed_at is not None:
        raise NotFound(kind="endpoint", id=endpoint_id)
    return endpoint


def _asked(by_key: str) -> dict[str, Any]:
    return {"api_key": by_key} if by_key else {}


def remove_endpoint(
    session: Session, actor: Actor, *, now: datetime, endpoint_id: int, by_key: str = ""
) -> None:
    """Nothing more is written for it, and what waits for it is dropped. Doing it twice does no harm."""
    _require(actor, now, by_key)
    endpoint = session.get(WebhookEndpoint, endpoint_id)
    if endpoint is None:
        raise NotFound(kind="endpoint", id=endpoint_id)
    if endpoint.removed_at is None:
        endpoint.removed_at = now
        _note(
            session,
            actor,
            AuditAction.WEBHOOK_ENDPOINT_REMOVE,
            endpoint_id,
            now,
            after=_asked(by_key) or None,
        )
    waiting = select(OutgoingEvent).where(
        OutgoingEvent.endpoint_id == endpoint_id, OutgoingEvent.status == EventStatus.QUEUED
    )
    for event in session.scalars(waiting.order_by(OutgoingEvent.id).with_for_update()):
        audit.become(event, EventStatus.DROPPED, now=now, by=actor)


@dataclass(frozen=True)
class EndpointStatus:
    """An endpoint, the number of its last event, and how many wait or were given up."""

    id: int
    platform: str
    url: str
    last_sequence: int
    waiting: int
    failed: int


def standings(session: Session, *, among: Collection[int] | None = None) -> list[EndpointStatus]:
    """Every endpoint that is told, or those with these numbers."""
    waits = func.count(OutgoingEvent.id).filter(OutgoingEvent.status == EventStatus.QUEUED)
    given_up = func.count(OutgoingEvent.id).filter(OutgoingEvent.status == EventStatus.FAILED)
    wanted = (
        select(WebhookEndpoint, waits, given_up)
        .outerjoin(OutgoingEvent, OutgoingEvent.endpoint_id == WebhookEndpoint.id)
        .where(WebhookEndpoint.removed_at.is_(None))
        .group_by(WebhookEndpoint.id)
        .order_by(WebhookEndpoint.id)
    )
    if among is not None:
        wanted = wanted.where(WebhookEndpoint.id.in_(among))
    return [
        EndpointStatus(row.id, row.platform, row.url, row.last_sequence, waiting, failed)
        for row, waiting, failed in session.execute(wanted)
    ]


@dataclass(frozen=True)
class Delivery:
    """One try to tell an endpoint something, and what was told."""

    id: int
    event: str
    kind: str
    sequence: int | None
    at: datetime
    answered: int | None
    error: str | None
    took_ms: int
    body: str
    answer: str | None


def deliveries(session: Session, endpoint_id: int, *, limit: int = 50) -> list[Delivery]:
    """The latest tries, newest first."""
    wanted = (
        select(EventDelivery, OutgoingEvent)
        .join(OutgoingEvent, OutgoingEvent.id == EventDelivery.event_id)
        .where(OutgoingEvent.endpoint_id == endpoint_id)
        .order_by(EventDelivery.id.desc())
        .limit(limit)
    )
    return [
        Delivery(
            tried.id,
            f"evt_{event.id}",
            event.kind,
            event.sequence,
            tried.at,
            tried.status,
            tried.error,
            tried.took_ms,
            delivery.body_of(event).decode(),
            tried.answer,
        )
        for tried, event in session.execute(wanted).tuples()
    ]


def replay(
    session: Session, actor: Actor, *, now: datetime, endpoint_id: int, after: int, by_key: str = ""
) -> int:
    """Everything after this number is told again, and what was given up too; returns how many events that are.

    `by_key`: the platform itself asked, with this key; then the system does it for them.
    """
    _require(actor, now, by_key)
    _open(session, endpoint_id)
    again = select(OutgoingEvent).where(
        OutgoingEvent.endpoint_id == endpoint_id,
        OutgoingEvent.sequence > after,
        OutgoingEvent.status.in_((EventStatus.SENT, EventStatus.FAILED, EventStatus.QUEUED)),
    )
    events = session.scalars(again.order_by(OutgoingEvent.id).with_for_update()).all()
    for event in events:
        audit.become(event, EventStatus.QUEUED, now=now, by=actor)
        event.tries, event.next_try_at = 0, now
    _note(
        session,
        actor,
        AuditAction.WEBHOOK_ENDPOINT_REPLAY,
        endpoint_id,
        now,
        after={"after": after, "events": len(events)} | _asked(by_key),
    )
    return len(events)


def _note(
    session: Session,
    actor: Actor,
    action: AuditAction,
    number: int,
    now: datetime,
    after: dict[str, Any] | None = None,
) -> None:
    audit.record(
        session,
        actor,
        action.by(actor.kind),
        object_kind="webhook_endpoint",
        object_id=number,
        now=now,
        after=after,
    )
