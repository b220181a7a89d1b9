"""A marketplace sees to its own endpoints and its key: added, tried, replaced with an overlap, and removed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from escrow_desk_client import Unverified, verified
from sqlalchemy import text

from core.api.http import api_keys
from core.api.webhooks import endpoints
from core.api.webhooks.delivery import ANSWER_BYTES, deliver_due
from core.db import Database
from core.records import ApiKey, WebhookEndpoint
from core.rules.permissions import SYSTEM, NotPermitted, StepUpRequired
from tests.api.api_client import ApiClient, code
from tests.api.test_events import Listener, listener
from tests.sandbox_desk import Market

__all__ = ["listener"]  # the fixture
URL = "https://market.example/events"
NOTHING: dict[str, Any] = {}


@pytest.fixture
def demo(home: ApiClient, listener: Listener) -> Iterator[ApiClient]:
    """Events go to this computer, as in a demo."""
    home.market.desk.settings.demo = True
    yield home
    home.market.desk.settings.demo = False


def test_a_marketplace_adds_tries_and_removes_an_endpoint(demo: ApiClient, listener: Listener) -> None:
    added = demo.post("/webhook-endpoints", {"url": listener.url}, key="add")
    assert (added.status_code, added.json()["both_until"]) == (201, None)
    again = demo.post("/webhook-endpoints", {"url": listener.url}, key="add")
    assert again.json() == added.json()
    assert again.headers["idempotent-replayed"] == "true"
    known = demo.post("/webhook-endpoints", {"url": listener.url}, key="add-too")
    assert (known.status_code, code(known)) == (409, "endpoint_known")
    number, secret = added.json()["id"], added.json()["signing_secret"]

    listener.says = b"Got it \xff\0" + b"x" * 100_000
    sent = demo.post(f"/webhook-endpoints/{number}/test", NOTHING).json()
    deliver_due(demo.market.desk)
    ((headers, body),) = listener.heard
    event = verified(body, headers["Desk-Signature"], secret, now=demo.market.now.timestamp())
    assert (event["id"], event["kind"], event["data"]["endpoint"]) == (
        sent["event"],
        "endpoint.tested",
        number,
    )
    (tried,) = demo.get(f"/webhook-endpoints/{number}/deliveries").json()["items"]
    assert (tried["event"], tried["answered"], tried["error"]) == (sent["event"], 200, None)
    assert tried["body"].encode() == body
    assert tried["answer"].startswith("Got it \ufffd\ufffdx")
    assert len(tried["answer"]) <= ANSWER_BYTES

    assert demo.post(f"/webhook-endpoints/{number}/remove", NOTHING).json() == {"removed": number}
    for what in ("test", "rotate", "remove"):
        assert demo.post(f"/webhook-endpoints/{number}/{what}", NOTHING).status_code == 404


def test_a_secret_is_replaced_while_the_one_before_still_counts(demo: ApiClient, listener: Listener) -> None:
    added = demo.post("/webhook-endpoints", {"url": listener.url}).json()
    rotated = demo.post(f"/webhook-endpoints/{added['id']}/rotate", NOTHING).json()
    first, second = added["signing_secret"], rotated["signing_secret"]
    assert first != second
    refused = demo.post(f"/webhook-endpoints/{added['id']}/rotate", NOTHING)
    assert (refused.status_code, refused.json()["code"]) == (409, "secret_just_rotated")
    market = demo.market
    for hours, fits in ((23, True), (2, False)):
        listener.heard.clear()
        market.now += timedelta(hours=hours)
        demo.post(f"/webhook-endpoints/{added['id']}/test", NOTHING)
        deliver_due(market.desk)
        ((headers, body),) = listener.heard
        header, now = headers["Desk-Signature"], market.now.timestamp()
        assert verified(body, header, second, now=now)["kind"] == "endpoint.tested"
        if fits:
            assert verified(body, header, first, now=now)
        else:
            with pytest.raises(Unverified):
                verified(body, header, first, now=now)


def test_a_key_is_replaced_while_the_one_before_still_opens(home: ApiClient) -> None:
    answer = home.post("/api-keys/rotate", NOTHING, key="once")
    made = answer.json()
    again = home.post("/api-keys/rotate", NOTHING, key="once")
    assert (again.status_code, code(again)) == (409, "key_shown_once")
    assert again.json()["facts"]["until"] == made["previous_until"]
    fresh = ApiClient(home.market, home.client, api_keys.Issued(0, made["api_key"], made["signing_secret"]))
    assert fresh.get("/webhook-endpoints").status_code == 200
    assert home.get("/webhook-endpoints").status_code == 200
    refused = home.post("/api-keys/rotate", NOTHING, key="again")
    assert (refused.status_code, code(refused)) == (409, "key_just_rotated")
    home.market.now += timedelta(hours=24)
    assert code(home.get("/webhook-endpoints")) == "key_unknown"
    assert fresh.get("/webhook-endpoints").status_code == 200


def test_no_secret_is_in_the_database(demo: ApiClient, owner: Database, listener: Listener) -> None:
    added = demo.post("/webhook-endpoints", {"url": listener.url}).json()
    made = demo.post("/api-keys/rotate", NOTHING).json()
    with owner.reading() as session:
        kept = json.dumps([*session.scalars(text("select body from api_answers"))])
        entries = str([*session.execute(text("select before, after from audit_entries"))])
    for secret in (added["signing_secret"], made["signing_secret"], made["api_key"]):
        assert secret not in kept
        assert secret not in entries


@pytest.mark.parametrize(
    "url",
    [
        *["http://market.example/x", "https://127.0.0.1/x", "https://localhost/x", "https://10.0.0.7/x"],
        *["https://169.254.169.254/x", "https://[::1]/x", "https://desk/x", "https://db.internal/x"],
        *["https://2130706433/x", "https://0x7f.1/x", "https://user:pw@market.example/x"],
    ],
)
def test_a_marketplace_has_nothing_sent_to_an_inner_network(home: ApiClient, url: str) -> None:
    home.market.desk.settings.event_networks = ""
    answer = home.post("/webhook-endpoints", {"url": url})
    assert code(answer) in ("endpoint_unfit", "endpoint_not_public")
    assert home.market.all(WebhookEndpoint) == []


def test_another_marketplaces_endpoint_is_not_there(home: ApiClient, law: ApiClient) -> None:
    number = home.post("/webhook-endpoints", {"url": URL}).json()["id"]
    for what in ("test", "rotate", "remove"):
        assert code(law.post(f"/webhook-endpoints/{number}/{what}", NOTHING)) == "not_found"
    assert code(law.get(f"/webhook-endpoints/{number}/deliveries")) == "not_found"


def test_staff_needs_the_permission_and_a_fresh_sign_in(market: Market) -> None:
    master = api_keys.master_key(market.desk.settings)
    ada, mia = market.as_staff("ada"), market.as_staff("mia")
    add: Any = {"platform": "home_services", "url": URL, "master": master}
    endpoint, _ = market.act(endpoints.add_endpoint, ada, **add)
    create: Any = {"platform": "home_services", "label": "", "master": master}
    market.act(api_keys.create, ada, **create)
    (key,) = market.all(ApiKey)
    for actor in (mia, SYSTEM):
        with pytest.raises(NotPermitted):
            market.act(endpoints.rotate_secret, actor, endpoint_id=endpoint.id, master=master)
        with pytest.raises(NotPermitted):
            market.act(api_keys.rotate, actor, prefix=key.prefix, master=master)
    market.wait(minutes=6)
    for action, what in (
        (endpoints.rotate_secret, {"endpoint_id": endpoint.id, "master": master}),
        (endpoints.send_test, {"endpoint_id": endpoint.id}),
        (api_keys.rotate, {"prefix": key.prefix, "master": master}),
        (api_keys.create, create),
    ):
        with pytest.raises(StepUpRequired):
            market.act(action, ada, **what)
