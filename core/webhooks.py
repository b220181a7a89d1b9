"""Where the payment provider tells us that something changed: `POST /webhooks/stripe`.

The signature is verified on the raw body, the event stored under its id together with the job that will apply it, and
only after that commit is 200 answered: what we answered is never lost, and what we did not answer is sent again.
Applying fetches the object again (`core.processes.webhook_processing`), so events may come twice and in any order.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from math import isfinite
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from core import audit, jobs
from core.clock import wall_time
from core.desk import Desk
from core.errors import DeskError
from core.gateways.snapshots import ProviderEvent
from core.gateways.stripe_webhooks import verify
from core.records import WebhookEvent
from core.request_body import BodyTooLarge, read_body
from core.rules.webhooks import WebhookStatus

log = structlog.get_logger("webhooks")

LARGEST = 1024 * 1024
LONGEST_NAME = 255


class NameUnusable(DeskError):
    """The {field} of this event is no name: text of at most {longest} characters without control marks.

    Whatever else is wrong with a signed event is kept with it and said when it is applied.
    """


def routes(desk: Desk) -> list[Route]:
    """The routes to mount on the dashboard's port."""

    async def stripe(request: Request) -> Response:
        try:
            body = await read_body(request, limit=LARGEST)
        except BodyTooLarge as error:
            return _answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, error.message)
        except ClientDisconnect:
            return _answer(HTTPStatus.BAD_REQUEST, "The body did not arrive whole.")
        signature = request.headers.get("stripe-signature", "")
        return await run_in_threadpool(_receive, desk, body, signature)

    return [Route("/webhooks/stripe", stripe, methods=["POST"])]


def _receive(desk: Desk, body: bytes, signature: str) -> Response:
    """Verify, store, and only then say yes. Runs in a thread: it waits for the database."""
    if not desk.settings.stripe_webhook_secret:
        return _answer(
            HTTPStatus.SERVICE_UNAVAILABLE, "No webhook secret is set here (STRIPE_WEBHOOK_SECRET)."
        )
    now = desk.clock()
    try:
        # A demo's clock may have been moved: its sandbox signs by that, and `stripe listen` by the computer's.
        also = wall_time(desk.clock)
        event = verify(body, signature, desk.settings.stripe_webhook_secret, now=now, also=also)
        require_names(event)
    except DeskError as error:
        log.warning("webhook.refused", reason=error.message)
        return _answer(HTTPStatus.BAD_REQUEST, error.message)
    try:
        new = desk.database.run(lambda session: store(session, event, now=now))
    except (OperationalError, InterfaceError, PoolExhausted) as error:
        log.error("webhook.not_stored", event_id=event.id, reason=type(error).__name__)
        why = "The desk is busy" if isinstance(error, PoolExhausted) else "The database is away"
        return _answer(HTTPStatus.SERVICE_UNAVAILABLE, f"{why}. Please send this event again.")
    log.info("webhook.received", event_id=event.id, type=event.type, new=new)
    return JSONResponse({"received": event.id, "new": new})


def require_names(event: ProviderEvent) -> None:
    """An event is kept under its id, by its type: both must be names. Raises `NameUnusable`."""
    for field in ("id", "type"):
        if not _is_name(getattr(event, field)):
            raise NameUnusable(field=field, longest=LONGEST_NAME)


def _is_name(found: Any) -> bool:
    return isinstance(found, str) and found.isprintable() and 0 < len(found) <= LONGEST_NAME


def storable(value: Any) -> Any:
    """The same, with marks in place of what PostgreSQL keeps in no text: NUL, half characters, numbers without end."""
    match value:
        case str():
            return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
        case float() if not isfinite(value):
            return str(value)
        case Mapping():
            return {storable(name): storable(each) for name, each in value.items()}
        case list():
            return [storable(each) for each in value]
    return value


def store(session: Session, event: ProviderEvent, *, now: datetime) -> bool:
    """Keep the event and the job that applies it; False, and nothing more, if it was here before."""
    stored = session.scalar(
        insert(WebhookEvent)
        .values(
            id=event.id,
            kind=event.type,
            account=event.account if _is_name(event.account) else None,
            object_id=event.object_id if _is_name(event.object_id) else "",
            payload=storable(event.payload),
            status=WebhookStatus.RECEIVED,
            tries=0,
            next_try_at=now,
            created_at=event.created,
            received_at=now,
        )
        .on_conflict_do_nothing(index_elements=["id"])
        .returning(WebhookEvent.id)
    )
    if stored is None and not _failed_before(session, event.id, now=now):
        return False
    jobs.defer(session, jobs.INBOX, event_id=event.id)
    return True


def _failed_before(session: Session, event_id: str, *, now: datetime) -> bool:
    """An event that was given up and is sent again gets another chance."""
    failed = select(WebhookEvent).where(
        WebhookEvent.id == event_id, WebhookEvent.status == WebhookStatus.FAILED
    )
    event = session.scalars(failed.with_for_update()).one_or_none()
    if event is None:
        return False
    audit.become(event, WebhookStatus.RECEIVED, now=now)
    event.tries, event.next_try_at, event.received_at, event.finished_at = 0, now, now, None
    session.flush()
    return True


def _answer(status: HTTPStatus, reason: str) -> Response:
    headers = {"Retry-After": "30"} if status is HTTPStatus.SERVICE_UNAVAILABLE else None
    return JSONResponse({"error": reason}, status_code=status, headers=headers)
