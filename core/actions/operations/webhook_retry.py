"""Applying a failed webhook again once its cause is repaired."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from core import audit, jobs
from core.audit.actions import AuditAction
from core.errors import DeskError, NotFound
from core.records import WebhookEvent
from core.rules.permissions import Actor, Permission, require
from core.rules.reasons import given
from core.rules.webhooks import WebhookStatus


class EventNotGivenUp(DeskError):
    """Event {id} is {status}; only one that was given up can be taken up again."""


def retry(session: Session, actor: Actor, *, now: datetime, event_id: str, reason: str) -> WebhookEvent:
    """Apply a failed event again. Its object is fetched anew; nothing is taken from the event itself. Raises
    `NotFound`, `EventNotGivenUp`."""
    require(actor, Permission.RETRY_OPERATION, now)
    reason = given(reason)
    event = session.get(WebhookEvent, event_id, with_for_update=True, populate_existing=True)
    if event is None:
        raise NotFound(kind="event", id=event_id)
    if event.status != WebhookStatus.FAILED:
        raise EventNotGivenUp(id=event_id, status=event.status.lower())
    audit.become(event, WebhookStatus.RECEIVED, now=now, by=actor)
    event.tries, event.next_try_at, event.finished_at = 0, now, None
    audit.record(
        session,
        actor,
        AuditAction.WEBHOOK_EVENT_RETRY.by(actor.kind),
        object_kind="webhook_event",
        object_id=event.id,
        now=now,
        reason=reason,
    )
    jobs.defer(session, jobs.INBOX, event_id=event.id)
    return event
