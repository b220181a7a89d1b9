"""The time of a demo, and when a queue takes up a row again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.records import DemoClock, Installation, Notification, OutgoingOperation, WebhookEvent
from core.rules.notifications import LetterStatus
from core.rules.operations import OperationStatus
from core.rules.webhooks import WebhookStatus

SILENT_AFTER = timedelta(seconds=20)
QUEUES = (
    (OutgoingOperation, OperationStatus.QUEUED),
    (WebhookEvent, WebhookStatus.RECEIVED),
    (Notification, LetterStatus.QUEUED),
)


@dataclass(frozen=True)
class ClockState:
    """The demo's time, and the last move: `moving` while it goes on, `done` from 0 to 1."""

    now: datetime
    ahead: timedelta
    moving: bool
    began_at: datetime | None
    until: datetime | None
    stops: int
    trouble: str

    @property
    def done(self) -> float:
        if self.began_at is None or self.until is None or not self.moving:
            return 1.0
        return min(max((self.now - self.began_at) / (self.until - self.began_at), 0.0), 1.0)


def state(session: Session, *, wall: datetime) -> ClockState:
    """`wall`: this computer's time."""
    row = session.get(DemoClock, 1, populate_existing=True)
    if row is None:
        return ClockState(wall, timedelta(0), False, None, None, 0, "")
    trouble = row.trouble or ""
    if row.moving and not trouble and wall - row.stopped_at > SILENT_AFTER:
        trouble = "The worker does not answer: the clock moves on when it runs."
    return ClockState(wall + row.ahead, row.ahead, row.moving, row.began_at, row.until, row.stops, trouble)


def in_a_demo(session: Session) -> bool:
    """Whether this database bears the demo's mark."""
    return bool(session.scalar(select(Installation.demo)))


def under_way(session: Session) -> datetime | None:
    """The time to which the clock is being moved; None when it is not."""
    return session.scalar(select(DemoClock.until).where(DemoClock.arrived_at.is_(None)))


def next_try(session: Session, *, after: datetime, until: datetime) -> datetime | None:
    """When a queue takes up a row again: an operation, an event of Stripe, an e-mail. Events for a marketplace are no
    reason to stop: its endpoint may never answer (`core.worker.moving_time`)."""
    found = [
        session.scalar(
            select(func.min(queue.next_try_at)).where(
                queue.status == status, queue.next_try_at > after, queue.next_try_at <= until
            )
        )
        for queue, status in QUEUES
    ]
    return min((each for each in found if each is not None), default=None)


def in_flight(session: Session) -> bool:
    """Whether an operation waits for Stripe's response now."""
    sending = select(OutgoingOperation.id).where(OutgoingOperation.status == OperationStatus.SENDING)
    return session.scalar(sending.limit(1)) is not None
