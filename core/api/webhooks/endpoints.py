"""Where a platform is told what happens: endpoints added and removed by an operator, how far each is told, replay."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import audit
from core.api.http import keys
from core.audit.actions import AuditAction
from core.errors import DeskError, NotFound
from core.records import OutgoingEvent, WebhookEndpoint
from core.rules.permissions import Actor, Permission, require
from core.rules.webhooks import EventStatus

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class EndpointUnfit(DeskError):
    """Events are sent to an https address without a password in it, or to this machine; {url} is neither."""


class EndpointKnown(DeskError):
    """{url} is already an endpoint. Remove it first to give it another secret."""


def add_endpoint(
    session: Session, actor: Actor, *, now: datetime, platform: str, url: str, master: bytes
) -> tuple[WebhookEndpoint, str]:
    """From now on the platform's events go to `url`; the secret that signs them is shown once.

    Raises `EndpointUnfit`, `EndpointKnown`, `PlatformUnknown`, `NotPermitted`.
    """
    require(actor, Permission.MANAGE_PLATFORM_KEYS)
    keys.known_platform(platform)
    parts = urlsplit(url)
    secure = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
    if not secure or not parts.hostname or parts.username or parts.password or parts.fragment:
        raise EndpointUnfit(url=url)
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
        after={"platform": platform, "host": parts.hostname},
    )
    return endpoint, keys.signing_secret(master, "endpoint", endpoint.nonce)


def remove_endpoint(session: Session, actor: Actor, *, now: datetime, endpoint_id: int) -> None:
    """Nothing more is written for it, and what waits for it is dropped. Doing it twice does no harm."""
    require(actor, Permission.MANAGE_PLATFORM_KEYS)
    endpoint = session.get(WebhookEndpoint, endpoint_id)
    if endpoint is None:
        raise NotFound(kind="endpoint", id=endpoint_id)
    if endpoint.removed_at is None:
        endpoint.removed_at = now
        _note(session, actor, AuditAction.WEBHOOK_ENDPOINT_REMOVE, endpoint_id, now)
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


def standings(session: Session, *, platform: str | None = None) -> list[EndpointStatus]:
    """Every endpoint that is told, of one platform or of all."""
    waits = func.count(OutgoingEvent.id).filter(OutgoingEvent.status == EventStatus.QUEUED)
    given_up = func.count(OutgoingEvent.id).filter(OutgoingEvent.status == EventStatus.FAILED)
    wanted = (
        select(WebhookEndpoint, waits, given_up)
        .outerjoin(OutgoingEvent, OutgoingEvent.endpoint_id == WebhookEndpoint.id)
        .where(WebhookEndpoint.removed_at.is_(None))
        .group_by(WebhookEndpoint.id)
        .order_by(WebhookEndpoint.id)
    )
    if platform is not None:
        wanted = wanted.where(WebhookEndpoint.platform == platform)
    return [
        EndpointStatus(row.id, row.platform, row.url, row.last_sequence, waiting, failed)
        for row, waiting, failed in session.execute(wanted)
    ]


def replay(
    session: Session, actor: Actor, *, now: datetime, endpoint_id: int, after: int, by_key: str = ""
) -> int:
    """Everything after this number is told again, and what was given up too; returns how many events that are.

    `by_key`: the platform itself asked, with this key; then the system does it for them.
    """
    if not by_key:
        require(actor, Permission.MANAGE_PLATFORM_KEYS)
    endpoint = session.get(WebhookEndpoint, endpoint_id)
    if endpoint is None or endpoint.removed_at is not None:
        raise NotFound(kind="endpoint", id=endpoint_id)
    again = select(OutgoingEvent).where(
        OutgoingEvent.endpoint_id == endpoint_id,
        OutgoingEvent.sequence > after,
        OutgoingEvent.status.in_((EventStatus.SENT, EventStatus.FAILED, EventStatus.QUEUED)),
    )
    events = session.scalars(again.order_by(OutgoingEvent.id).with_for_update()).all()
    for event in events:
        audit.become(event, EventStatus.QUEUED, now=now, by=actor)
        event.tries, event.next_try_at = 0, now
    asked = {"api_key": by_key} if by_key else {}
    _note(
        session,
        actor,
        AuditAction.WEBHOOK_ENDPOINT_REPLAY,
        endpoint_id,
        now,
        after={"after": after, "events": len(events)} | asked,
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
