"""The marketplace's API: who may come in, what was answered, and what the marketplace is told."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Double,
    FetchedValue,
    ForeignKey,
    Index,
    LargeBinary,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Record, one_of
from core.policy import Platform
from core.rules.webhooks import EventStatus


class ApiKey(Record):
    """A platform's key, known by its prefix. Only the SHA-256 of its secret is stored. A key that was replaced opens
    until `expires_at`."""

    __tablename__ = "api_keys"
    __table_args__ = (
        UniqueConstraint("prefix"),
        one_of("platform", Platform),
        CheckConstraint("octet_length(secret_hash) = 32", name="hash"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    platform: Mapped[Platform]
    label: Mapped[str]
    prefix: Mapped[str]
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary)
    may_write: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None] = mapped_column(default=None)
    expires_at: Mapped[datetime | None] = mapped_column(default=None)


class RateBucket(Record):
    """What a key has left of its share, or an address of its refusals, for all processes together. Gone after a crash:
    then every share is whole."""

    __tablename__ = "rate_buckets"

    holder: Mapped[str] = mapped_column(primary_key=True)
    tokens: Mapped[float] = mapped_column(Double)
    at: Mapped[datetime] = mapped_column(index=True)
    granted: Mapped[bool]


class ApiAnswer(Record):
    """What was answered under an idempotency key, to the byte, written together with what the request did."""

    __tablename__ = "api_answers"
    __table_args__ = (one_of("platform", Platform),)

    platform: Mapped[Platform] = mapped_column(primary_key=True)
    idempotency_key: Mapped[str] = mapped_column(primary_key=True)
    request_hash: Mapped[bytes] = mapped_column(LargeBinary)
    api_key_id: Mapped[int] = mapped_column(ForeignKey("api_keys.id"))
    status: Mapped[int | None] = mapped_column(default=None)
    body: Mapped[str | None] = mapped_column(default=None)
    created_at: Mapped[datetime] = mapped_column(index=True)


class WebhookEndpoint(Record):
    """Where a platform wants to be told. `nonce` makes its signing secret its own, and the one before it signs as well
    until `previous_until`; `last_sequence` is its last event's number."""

    __tablename__ = "webhook_endpoints"
    __table_args__ = (
        UniqueConstraint("nonce"),
        one_of("platform", Platform),
        CheckConstraint("(previous_nonce is null) = (previous_until is null)", name="previous"),
        Index(
            "webhook_endpoints_open_idx",
            "platform",
            "url",
            unique=True,
            postgresql_where="removed_at is null",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    platform: Mapped[Platform]
    url: Mapped[str]
    nonce: Mapped[str]
    created_at: Mapped[datetime]
    removed_at: Mapped[datetime | None] = mapped_column(default=None)
    last_sequence: Mapped[int] = mapped_column(default=0)
    previous_nonce: Mapped[str | None] = mapped_column(default=None)
    previous_until: Mapped[datetime | None] = mapped_column(default=None)


class OutgoingEvent(Record):
    """One event for one endpoint. Triggers write it in the transaction of the change; we only record its delivery.

    `sequence` counts the endpoint's events from 1 without a gap, given when the event is first taken up. An event about
    a whole project has no milestone.
    """

    __tablename__ = "outgoing_events"
    __table_args__ = (
        one_of("status", EventStatus),
        Index("outgoing_events_due_idx", "next_try_at", "id", postgresql_where="status = 'QUEUED'"),
        Index(
            "outgoing_events_due_of_endpoint_idx",
            "endpoint_id",
            "next_try_at",
            "id",
            postgresql_where="status = 'QUEUED'",
        ),
        Index(
            "outgoing_events_sequence_idx",
            "endpoint_id",
            "sequence",
            unique=True,
            postgresql_where="sequence is not null",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    endpoint_id: Mapped[int] = mapped_column(ForeignKey("webhook_endpoints.id"))
    kind: Mapped[str]
    milestone_id: Mapped[int | None] = mapped_column(ForeignKey("milestones.id"))
    sequence: Mapped[int | None] = mapped_column(default=None)
    data: Mapped[dict[str, Any]]
    status: Mapped[EventStatus] = mapped_column(server_default=FetchedValue())
    tries: Mapped[int] = mapped_column(server_default=FetchedValue())
    next_try_at: Mapped[datetime] = mapped_column(server_default=FetchedValue())
    error: Mapped[str | None] = mapped_column(default=None)
    created_at: Mapped[datetime] = mapped_column(server_default=FetchedValue())
    sent_at: Mapped[datetime | None] = mapped_column(default=None)


class EventDelivery(Record):
    """One try to tell an endpoint: the status it answered, or none, the beginning of what it answered, and how long it
    took. Never changes."""

    __tablename__ = "event_deliveries"

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("outgoing_events.id"), index=True)
    at: Mapped[datetime]
    status: Mapped[int | None] = mapped_column(default=None)
    error: Mapped[str | None] = mapped_column(default=None)
    answer: Mapped[str | None] = mapped_column(default=None)
    took_ms: Mapped[int]
