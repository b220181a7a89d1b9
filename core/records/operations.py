"""What goes out to the provider, and what comes back in."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Record, one_of
from core.rules.operations import OperationKind, OperationStatus
from core.rules.webhooks import WebhookStatus


class OutgoingOperation(Record):
    """One call that moves money at the provider. Written in the deciding transaction, sent after its commit.

    `key` is unique for ever and travels as `metadata.op`; the idempotency key is `{key}:{attempt}`.
    """

    __tablename__ = "outgoing_operations"
    __table_args__ = (
        UniqueConstraint("key"),
        one_of("kind", OperationKind),
        one_of("status", OperationStatus),
        CheckConstraint("(status = 'SENDING') = (sending_since is not null)", name="sending_has_time"),
        Index(
            "outgoing_operations_due_idx",
            "next_try_at",
            postgresql_where="status in ('QUEUED', 'SENDING', 'BLOCKED')",
        ),
        Index("outgoing_operations_milestone_idx", "milestone_id"),
        Index("outgoing_operations_provider_idx", "provider_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str]
    kind: Mapped[OperationKind]
    milestone_id: Mapped[int] = mapped_column(ForeignKey("milestones.id"))
    party_id: Mapped[int | None] = mapped_column(ForeignKey("parties.id"), default=None)
    amount_minor: Mapped[int]
    currency: Mapped[str]
    payload: Mapped[dict[str, Any]]
    status: Mapped[OperationStatus] = mapped_column(default=OperationStatus.QUEUED)
    attempt: Mapped[int] = mapped_column(default=1)
    tries: Mapped[int] = mapped_column(default=0)
    first_sent_at: Mapped[datetime | None] = mapped_column(default=None)
    sending_since: Mapped[datetime | None] = mapped_column(default=None)
    next_try_at: Mapped[datetime]
    provider_id: Mapped[str | None] = mapped_column(default=None)
    last_error: Mapped[str | None] = mapped_column(default=None)
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None] = mapped_column(default=None)


class WebhookEvent(Record):
    """A signed event as it came in, kept whole. Applying it re-fetches the object, so order does not matter."""

    __tablename__ = "webhook_events"
    __table_args__ = (
        one_of("status", WebhookStatus),
        Index("webhook_events_due_idx", "next_try_at", postgresql_where="status = 'RECEIVED'"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    account: Mapped[str | None] = mapped_column(default=None)
    object_id: Mapped[str]
    payload: Mapped[dict[str, Any]]
    status: Mapped[WebhookStatus] = mapped_column(default=WebhookStatus.RECEIVED)
    tries: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime]
    error: Mapped[str | None] = mapped_column(default=None)
    created_at: Mapped[datetime]
    received_at: Mapped[datetime]
    finished_at: Mapped[datetime | None] = mapped_column(default=None)
