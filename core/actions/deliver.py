"""Delivering letters: claimed and committed first, then handed to the mail server, then recorded.

Letters that are due go out in batches over one connection (milestone-payment-flow, Performance Considerations 3). A
claim moves the next try ahead, so no other worker takes the letter meanwhile, and a worker that dies leaves it to be
taken again. If it died between the server's yes and our record, the letter is sent a second time with the same
Message-ID. A mail server that is down costs a letter none of its tries.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.gateways.mail import (
    MailDeferred,
    MailMisconfigured,
    MailRefused,
    MailUnavailable,
    Postbox,
    compose,
)
from core.records import Installation, Notification, Party
from core.rules import retries

if TYPE_CHECKING:
    from core.desk import Desk

log = structlog.get_logger(__name__)

CLAIMED_FOR = timedelta(minutes=10)
SERVER_AWAY = timedelta(minutes=1)


@dataclass(frozen=True)
class Envelope:
    """A claimed letter and where it goes."""

    id: int
    template: str
    number: str
    name: str
    address: str
    subject: str
    text: str
    html: str
    created_at: datetime


def deliver_due(desk: Desk, *, limit: int = 50) -> int:
    """Send up to `limit` letters that are due, oldest first; returns how many were handed over."""
    waiting = desk.database.run(lambda session: _claim(session, now=desk.clock(), limit=limit))
    if not waiting:
        return 0
    sent = 0
    try:
        with desk.mail.opened() as postbox:
            while waiting:
                sent += _deliver(desk, postbox, waiting.pop(0))
    except (MailUnavailable, MailMisconfigured) as problem:
        log.warning("mail.unavailable", reason=problem.message, waiting=len(waiting))
        _put_back(desk, (envelope.id for envelope in waiting), problem.message)
    return sent


def _claim(session: Session, *, now: datetime, limit: int) -> list[Envelope]:
    due = session.execute(
        select(Notification, Party.name, Party.email)
        .join(Party, Party.id == Notification.party_id)
        .where(Notification.status == "QUEUED", Notification.next_try_at <= now)
        .order_by(Notification.next_try_at, Notification.id)
        .limit(limit)
        .with_for_update(of=Notification, skip_locked=True)
    ).all()
    desk_name = session.scalar(select(Installation.name)) or "desk"
    for notification, _, _ in due:
        notification.next_try_at = now + CLAIMED_FOR
    return [
        Envelope(
            id=notification.id,
            template=notification.template,
            number=f"notification-{notification.id}.{desk_name}",
            name=name,
            address=email,
            subject=notification.subject,
            text=notification.text,
            html=notification.html,
            created_at=notification.created_at,
        )
        for notification, name, email in due
    ]


def _deliver(desk: Desk, postbox: Postbox, envelope: Envelope) -> int:
    """Hand one letter over and record what became of it: 1 if it was sent. Raises `MailUnavailable`."""
    try:
        postbox.send(
            compose(
                number=envelope.number,
                sender=desk.settings.mail_from,
                name=envelope.name,
                address=envelope.address,
                subject=envelope.subject,
                text=envelope.text,
                html=envelope.html,
                at=envelope.created_at,
            )
        )
    except MailRefused as refusal:
        _record(desk, envelope, error=refusal.message, for_ever=True)
    except MailDeferred as refusal:
        _record(desk, envelope, error=refusal.message)
    except MailUnavailable as problem:
        # The letter in hand may be what the server stumbles over, so it pays with a try.
        _record(desk, envelope, error=problem.message)
        raise
    else:
        _record(desk, envelope)
        return 1
    return 0


def _record(desk: Desk, envelope: Envelope, *, error: str | None = None, for_ever: bool = False) -> None:
    now = desk.clock()
    status = desk.database.run(
        lambda session: _outcome(session, envelope.id, error=error, for_ever=for_ever, now=now)
    )
    log.info(
        "letter." + status.lower(), notification=envelope.id, template=envelope.template, **_because(error)
    )


def _because(error: str | None) -> dict[str, str]:
    return {} if error is None else {"reason": error}


def _outcome(
    session: Session, notification_id: int, *, error: str | None, for_ever: bool, now: datetime
) -> str:
    notification = session.get_one(Notification, notification_id, with_for_update=True)
    notification.tries += 1
    notification.error = error
    if error is None:
        notification.status, notification.sent_at = "SENT", now
    elif for_ever or retries.exhausted(notification.tries):
        notification.status = "FAILED"
    else:
        notification.next_try_at = now + retries.delay(notification.tries, random.randrange)
    return notification.status


def _put_back(desk: Desk, ids: Iterable[int], reason: str) -> None:
    """Letters that were claimed and never tried: soon due again, with all their tries."""

    def put_back(session: Session) -> None:
        for notification_id in sorted(ids):
            notification = session.get_one(Notification, notification_id, with_for_update=True)
            notification.next_try_at, notification.error = desk.clock() + SERVER_AWAY, reason

    desk.database.run(put_back)
