"""A marketplace's own endpoints and key: added, tried, told again, replaced with an overlap, removed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Query
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.responses import JSONResponse, Response

from core.api import lookups
from core.api.http import api_keys
from core.api.http.dependencies import Change, ChangeRequest, CurrentCaller, ReadSession, Route
from core.api.http.pages import CursorUnfit
from core.api.models import filters, requests
from core.api.models.events import DeliveriesAnswer, DeliveryAnswer
from core.api.models.responses.endpoints import (
    EndpointAnswer,
    EndpointsAnswer,
    EndpointSecretAnswer,
    KeyAnswer,
    RemovedAnswer,
    ReplayAnswer,
    TestEventAnswer,
)
from core.api.openapi.descriptions import refusals
from core.api.plain import moment
from core.api.routes import lists
from core.api.webhooks import delivery, endpoints
from core.errors import NotFound
from core.records import EventDelivery, OutgoingEvent, WebhookEndpoint
from core.rules import web_addresses
from core.rules.permissions import SYSTEM
from core.rules.webhooks import KeyJustRotated, KeyShownOnce, SecretJustRotated

router = APIRouter(route_class=Route, tags=["Events"])


class AtEndpoint(Protocol):
    """What is done to an endpoint, once it is known to be the caller's: in whose name, and when."""

    def __call__(self, session: Session, *, now: datetime, by_key: str) -> Mapping[str, Any]: ...


def _at(change: ChangeRequest, endpoint_id: int, do: AtEndpoint) -> Response:
    """Do it once to the caller's own endpoint. Raises `NotFound`."""

    def act(session: Session, now: datetime) -> Mapping[str, Any]:
        lookups.endpoint(session, change.caller, endpoint_id)
        return do(session, now=now, by_key=change.caller.prefix)

    return change.once(act)


@router.get(
    "/webhook-endpoints",
    summary="List endpoints",
    response_model=EndpointsAnswer,
    responses=refusals(CursorUnfit),
)
def read_endpoints(
    caller: CurrentCaller, session: ReadSession, asked: Annotated[filters.Endpoints, Query()]
) -> Response:
    """Where events go, how far each endpoint is told, and how much waits. One that was removed is not here."""
    wanted = select(WebhookEndpoint).where(
        WebhookEndpoint.platform == caller.platform, WebhookEndpoint.removed_at.is_(None)
    )
    return lists.shown(session, wanted, asked, {"id": WebhookEndpoint.id}, _of_endpoints)


@router.post(
    "/webhook-endpoints/{endpoint_id}/replay", summary="Tell events again", response_model=ReplayAnswer
)
def replay_events(endpoint_id: requests.EndpointId, body: requests.Replay, change: Change) -> Response:
    """Everything after this number is told once more, under the same ids and numbers; also what was given up."""

    def again(session: Session, **who: Any) -> Mapping[str, Any]:
        queued = endpoints.replay(session, SYSTEM, endpoint_id=endpoint_id, after=body.after, **who)
        return {"endpoint": endpoint_id, "queued": queued}

    return _at(change, endpoint_id, again)


@router.post(
    "/webhook-endpoints",
    status_code=201,
    summary="Have events sent to an address",
    response_model=EndpointSecretAnswer,
    responses=refusals(web_addresses.EndpointUnfit, web_addresses.EndpointNotPublic, endpoints.EndpointKnown),
)
def add_endpoint(body: requests.NewEndpoint, change: Change) -> Response:
    """From now on the marketplace's events go there, signed with the secret of this answer."""

    def act(session: Session, now: datetime) -> Mapping[str, Any]:
        made, _ = endpoints.add_endpoint(
            session,
            SYSTEM,
            now=now,
            platform=change.caller.platform,
            url=body.url,
            master=api_keys.master_key(change.desk.settings),
            by_key=change.caller.prefix,
            allowed=change.desk.settings.private_networks,
        )
        return {"id": made.id, "url": made.url, "both_until": None}

    return _with_secret(change, change.once(act))


@router.post(
    "/webhook-endpoints/{endpoint_id}/rotate",
    summary="Replace an endpoint's secret",
    response_model=EndpointSecretAnswer,
    responses=refusals(NotFound, SecretJustRotated),
)
def rotate_endpoint(endpoint_id: requests.EndpointId, body: requests.Nothing, change: Change) -> Response:
    """Events are signed with the secret of this answer, and for a day with the one before it as well."""
    master = api_keys.master_key(change.desk.settings)

    def replace(session: Session, **who: Any) -> Mapping[str, Any]:
        made, _ = endpoints.rotate_secret(session, SYSTEM, endpoint_id=endpoint_id, master=master, **who)
        return {"id": made.id, "url": made.url, "both_until": moment(made.previous_until)}

    return _with_secret(change, _at(change, endpoint_id, replace))


@router.post(
    "/webhook-endpoints/{endpoint_id}/test",
    status_code=202,
    summary="Send a test event",
    response_model=TestEventAnswer,
    responses=refusals(NotFound),
)
def try_endpoint(endpoint_id: requests.EndpointId, body: requests.Nothing, change: Change) -> Response:
    """An event `endpoint.tested` goes to this endpoint; its deliveries say how it was answered."""

    def send(session: Session, **who: Any) -> Mapping[str, Any]:
        number = endpoints.send_test(session, SYSTEM, endpoint_id=endpoint_id, **who)
        return {"endpoint": endpoint_id, "event": f"evt_{number}"}

    return _at(change, endpoint_id, send)


@router.post(
    "/webhook-endpoints/{endpoint_id}/remove",
    summary="Send no more events to an address",
    response_model=RemovedAnswer,
    responses=refusals(NotFound),
)
def remove_endpoint(endpoint_id: requests.EndpointId, body: requests.Nothing, change: Change) -> Response:
    """Nothing more is sent there, and what waits for it is dropped."""

    def remove(session: Session, **who: Any) -> Mapping[str, Any]:
        endpoints.remove_endpoint(session, SYSTEM, endpoint_id=endpoint_id, **who)
        return {"removed": endpoint_id}

    return _at(change, endpoint_id, remove)


@router.get(
    "/webhook-endpoints/{endpoint_id}/deliveries",
    summary="List deliveries",
    response_model=DeliveriesAnswer,
    responses=refusals(CursorUnfit, NotFound),
)
def read_deliveries(
    endpoint_id: requests.EndpointId,
    caller: CurrentCaller,
    session: ReadSession,
    asked: Annotated[filters.Deliveries, Query()],
) -> Response:
    """Each try to tell this endpoint something, the latest first: what was sent and what was answered."""
    lookups.endpoint(session, caller, endpoint_id)
    wanted = (
        select(EventDelivery)
        .join(OutgoingEvent, OutgoingEvent.id == EventDelivery.event_id)
        .where(OutgoingEvent.endpoint_id == endpoint_id)
    )
    return lists.shown(session, wanted, asked, {"id": EventDelivery.id}, _of_deliveries)


@router.post(
    "/api-keys/rotate",
    status_code=201,
    summary="Replace this key",
    response_model=KeyAnswer,
    responses=refusals(NotFound, KeyJustRotated, KeyShownOnce),
)
def rotate_key(body: requests.Nothing, change: Change) -> Response:
    """Another key with the same rights; the one that signed this request opens for a day longer. The key is in this
    answer only: sent again, the request is refused."""
    made: list[api_keys.Issued] = []

    def act(session: Session, now: datetime) -> Mapping[str, Any]:
        made[:] = [
            api_keys.rotate(
                session,
                SYSTEM,
                now=now,
                prefix=change.caller.prefix,
                master=api_keys.master_key(change.desk.settings),
                by_key=change.caller.prefix,
            )
        ]
        return {"previous_until": moment(now + api_keys.OVERLAP)}

    answer = change.once(act)
    if "idempotent-replayed" in answer.headers:
        raise KeyShownOnce(until=datetime.fromisoformat(json.loads(bytes(answer.body))["previous_until"]))
    return _and(answer, api_key=made[0].api_key, signing_secret=made[0].signing_secret)


def _with_secret(change: ChangeRequest, answer: Response) -> Response:
    """The secret is derived for the answer, and is in no row."""
    with change.desk.database.reading() as session:
        endpoint = session.get_one(WebhookEndpoint, json.loads(bytes(answer.body))["id"])
    master = api_keys.master_key(change.desk.settings)
    return _and(answer, signing_secret=api_keys.signing_secret(master, "endpoint", endpoint.nonce))


def _and(answer: Response, **more: str) -> Response:
    """The answer with what is stored nowhere."""
    replayed = {name: each for name, each in answer.headers.items() if name == "idempotent-replayed"}
    return JSONResponse({**json.loads(bytes(answer.body)), **more}, answer.status_code, replayed)


def _of_endpoints(session: Session, rows: Sequence[WebhookEndpoint]) -> list[EndpointAnswer]:
    found = {each.id: each for each in endpoints.standings(session, among=[row.id for row in rows])}
    return [
        {
            "id": row.id,
            "url": row.url,
            "last_sequence": row.last_sequence,
            "waiting": found[row.id].waiting,
            "failed": found[row.id].failed,
        }
        for row in rows
    ]


def _of_deliveries(session: Session, rows: Sequence[EventDelivery]) -> list[DeliveryAnswer]:
    wanted = select(OutgoingEvent).where(OutgoingEvent.id.in_([each.event_id for each in rows]))
    events = {each.id: each for each in session.scalars(wanted)}
    return [
        {
            "id": each.id,
            "event": f"evt_{each.event_id}",
            "kind": events[each.event_id].kind,
            "sequence": events[each.event_id].sequence or 0,
            "at": moment(each.at),
            "body": delivery.body_of(events[each.event_id]).decode(),
            "answered": each.status,
            "answer": each.answer,
            "error": each.error,
            "took_ms": each.took_ms,
        }
        for each in rows
    ]
