"""Sending one event to its marketplace again: one that was given up, or that a receiver says it has lost."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from core import audit
from core.audit.actions import AuditAction
from core.errors import DeskError, NotFound
from core.records import OutgoingEvent, WebhookEndpoint
from core.rules.permissions import Actor, Permission, require
from core.rules.reasons import given
from core.rules.webhooks import EventStatus


class EventNotSentYet(DeskError):
    """Event evt_{id} is {status}; only one that was delivered or given up can be sent again."""


class EndpointRemoved(DeskError):
    """The endpoint of event evt_{id} was removed, so nobody is told of it any more."""


def send_again(session: Session, actor: Actor, *, now: datetime, event_id: int, reason: str) -> OutgoingEvent:
    """The same bytes go to the same endpoint, with the same id and number, so that a receiver recognises it.

    All of its tries are granted again. Raises `NotFound`, `EventNotSentYet`, `EndpointRemoved`, `NotPermitted`,
    `StepUpRequired`.
    """
    require(actor, Permission.RETRY_OPERATION, now)
    reason = given(reason)
    event = session.get(OutgoingEvent, event_id, with_for_update=True, populate_existing=True)
    if event is None:
        raise NotFound(kind="event", id=event_id)
    if event.status not in (EventStatus.SENT, EventStatus.FAILED):
        raise EventNotSentYet(id=event_id, status=event.status.lower())
    if session.get_one(WebhookEndpoint, event.endpoint_id).removed_at is not None:
        raise EndpointRemoved(id=event_id)
    audit.become(event, EventStatus.QUEUED, now=now, by=actor)
    event.tries, event.next_try_at, event.error = 0, now, None
    audit.record(
        session,
        actor,
        AuditAction.OUTGOING_EVENT_RETRY.by(actor.kind),
        object_kind="outgoing_event",
        object_id=event.id,
        now=now,
        milestone_id=event.milestone_id,
        reason=reason,
    )
    return event
