from __future__ import annotations

import hashlib
import hmac
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text
from starlette.applications import Starlette
from starlette.testclient import TestClient

from core.clock import SimulatedClock
from core.db import Database
from core.records import WebhookEvent
from core.webhooks import LARGEST, routes
from tests.desk_fixtures import a_desk

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
SECRET = "whsec_test"


def an_event(**changes: Any) -> bytes:
    event = {
        "id": "evt_1",
        "object": "event",
        "type": "refund.updated",
        "created": int(NOW.timestamp()) - 2,
        "livemode": False,
        "data": {"object": {"id": "re_1", "object": "refund"}},
    }
    return json.dumps(event | changes).encode()


def signed(body: bytes, *, secret: str = SECRET, at: datetime = NOW) -> dict[str, str]:
    stamp = int(at.timestamp())
    seal = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return {"stripe-signature": f"t={stamp},v1={seal}", "content-type": "application/json"}


def a_client(database: Database, home: Path, *, secret: str = SECRET) -> TestClient:
    desk = a_desk(database, home, clock=SimulatedClock(NOW), stripe_webhook_secret=secret)
    return TestClient(Starlette(routes=routes(desk)))


@pytest.fixture
def client(database: Database, tmp_path: Path) -> TestClient:
    return a_client(database, tmp_path)


def stored(database: Database) -> list[WebhookEvent]:
    with database.reading() as session:
        return list(session.scalars(select(WebhookEvent)))


def nudges(database: Database) -> list[dict[str, str]]:
    with database.reading() as session:
        return list(session.scalars(text("select args from procrastinate_jobs where task_name = 'inbox'")))


def test_a_signed_event_is_stored_with_its_job_before_the_answer(
    client: TestClient, database: Database
) -> None:
    body = an_event()
    answer = client.post("/webhooks/stripe", content=body, headers=signed(body))
    assert (answer.status_code, answer.json()) == (200, {"received": "evt_1", "new": True})
    (event,) = stored(database)
    assert (event.kind, event.object_id, event.status) == ("refund.updated", "re_1", "RECEIVED")
    assert event.payload == json.loads(body)
    assert nudges(database) == [{"event_id": "evt_1"}]


def test_an_event_that_comes_many_times_at_once_is_kept_once(client: TestClient, database: Database) -> None:
    body = an_event()
    with ThreadPoolExecutor(4) as threads:
        answers = list(
            threads.map(
                lambda _: client.post("/webhooks/stripe", content=body, headers=signed(body)), range(8)
            )
        )
    assert {answer.status_code for answer in answers} == {200}
    assert sum(answer.json()["new"] for answer in answers) == 1
    assert len(stored(database)) == len(nudges(database)) == 1


def test_a_kind_that_nobody_knows_is_kept_too(client: TestClient, database: Database) -> None:
    body = an_event(type="moon.eclipsed", account="acct_1", data={"object": {"object": "moon"}})
    assert client.post("/webhooks/stripe", content=body, headers=signed(body)).status_code == 200
    (event,) = stored(database)
    assert (event.kind, event.account, event.object_id) == ("moon.eclipsed", "acct_1", "")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"stripe-signature": ""},
        {"stripe-signature": "nonsense"},
        signed(an_event(), secret="whsec_other"),
        signed(an_event(id="evt_2")),
        signed(an_event(), at=datetime(2026, 3, 2, 9, 20, tzinfo=UTC)),
        signed(an_event(), at=datetime(2026, 3, 2, 9, 40, tzinfo=UTC)),
    ],
    ids=["unsigned", "empty", "nonsense", "other secret", "other body", "too old", "from the future"],
)
def test_a_forged_or_stale_event_is_refused_with_the_reason(
    client: TestClient, database: Database, headers: dict[str, str]
) -> None:
    answer = client.post("/webhooks/stripe", content=an_event(), headers=headers)
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert stored(database) == nudges(database) == []


def test_a_signed_body_that_is_no_event_is_refused(client: TestClient, database: Database) -> None:
    for body in (b"", b"[]", b"{}", b"\xff\xfe", b"null"):
        assert client.post("/webhooks/stripe", content=body, headers=signed(body)).status_code == 400
    assert stored(database) == []


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_beyond_the_limit_is_not_even_read(
    client: TestClient, database: Database, announced: bool
) -> None:
    body = an_event(padding="x" * LARGEST)
    content: Any = body if announced else iter([body[:500_000], body[500_000:]])
    answer = client.post("/webhooks/stripe", content=content, headers=signed(body))
    assert answer.status_code == 413
    assert stored(database) == []


def test_an_event_for_a_database_that_is_away_is_asked_for_again(database: Database, tmp_path: Path) -> None:
    away = Database("postgresql://app@127.0.0.1:9/nowhere")
    body = an_event()
    answer = a_client(away, tmp_path).post("/webhooks/stripe", content=body, headers=signed(body))
    assert answer.status_code == 503
    assert answer.headers["retry-after"]


def test_without_a_secret_nothing_is_believed(database: Database, tmp_path: Path) -> None:
    body = an_event()
    client = a_client(database, tmp_path, secret="")
    assert client.post("/webhooks/stripe", content=body, headers=signed(body, secret="")).status_code == 503
    assert stored(database) == []


def test_only_posting_is_possible(client: TestClient) -> None:
    assert client.get("/webhooks/stripe").status_code == 405


def of_object(text_in: str) -> bytes:
    """An event whose object's description is this JSON, byte for byte."""
    return an_event(data={"object": {"id": "re_1", "object": "refund", "description": "HERE"}}).replace(
        b'"HERE"', text_in.encode()
    )


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (r'"a\u0000b"', "a\ufffdb"),
        (r'"half \ud83d"', "half ?"),
        (r'{"na\u0000me": ["\u0000"]}', {"na\ufffdme": ["\ufffd"]}),
        ("1e400", "inf"),
        ("NaN", "nan"),
        ("9" * 4_000, int("9" * 4_000)),
    ],
    ids=["nul", "half a character", "nul in a name", "endless", "no number", "four thousand digits"],
)
def test_what_no_database_keeps_is_marked_and_the_event_kept(
    client: TestClient, database: Database, said: str, kept: Any
) -> None:
    body = of_object(said)
    answer = client.post("/webhooks/stripe", content=body, headers=signed(body))
    assert answer.status_code == 200, answer.text
    (event,) = stored(database)
    assert event.payload["data"]["object"]["description"] == kept


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "evt_\0"},
        {"id": "evt_\ud800"},
        {"id": "e" * 256},
        {"id": ""},
        {"id": 7},
        {"type": None},
        {"type": "refund\0updated"},
    ],
    ids=repr,
)
def test_an_event_without_usable_names_is_refused(
    client: TestClient, database: Database, changes: dict[str, Any]
) -> None:
    body = an_event(**changes)
    answer = client.post("/webhooks/stripe", content=body, headers=signed(body))
    assert (answer.status_code, stored(database)) == (400, [])


@pytest.mark.parametrize(
    "changes",
    [
        {"account": "acct_\0"},
        {"account": {"id": "acct_1"}},
        {"data": {"object": {"id": ["re_1"], "object": "refund"}}},
        {"data": {"object": {"id": "x" * 100_000}}},
        {"data": {"object": "re_1"}},
        {"data": []},
        {"data": None},
        {"created": 10**30},
        {"created": "soon"},
        {"created": "0001-01-01T00:00:00+23:59"},
        {"created": None},
    ],
    ids=lambda changes: repr(changes)[:60],
)
def test_whatever_else_is_wrong_with_a_signed_event_it_is_kept(
    client: TestClient, database: Database, changes: dict[str, Any]
) -> None:
    body = an_event(**changes)
    answer = client.post("/webhooks/stripe", content=body, headers=signed(body))
    assert answer.status_code == 200, answer.text
    (event,) = stored(database)
    assert (event.id, event.kind, event.status) == ("evt_1", "refund.updated", "RECEIVED")


def test_a_thin_event_is_kept_with_what_it_names(client: TestClient, database: Database) -> None:
    body = json.dumps(
        {
            "id": "evt_test_65R",
            "object": "v2.core.event",
            "type": "v1.payout.paid",
            "created": "2026-03-02T09:29:58.123Z",
            "livemode": False,
            "context": "acct_1",
            "related_object": {"id": "po_1", "type": "payout", "url": "/v1/payouts/po_1"},
        }
    ).encode()
    answer = client.post("/webhooks/stripe", content=body, headers=signed(body))
    assert (answer.status_code, answer.json()) == (200, {"received": "evt_test_65R", "new": True})
    (event,) = stored(database)
    assert (event.kind, event.object_id, event.account) == ("v1.payout.paid", "po_1", "acct_1")
    assert event.created_at == datetime(2026, 3, 2, 9, 29, 58, 123_000, tzinfo=UTC)


def test_a_nest_without_end_is_refused(client: TestClient, database: Database) -> None:
    body = of_object("[" * 100_000 + "]" * 100_000)
    answer = client.post("/webhooks/stripe", content=body, headers=signed(body))
    assert (answer.status_code, stored(database)) == (400, [])


@pytest.mark.parametrize(("off", "status"), [(-301, 400), (-300, 200), (300, 200), (301, 400)])
def test_a_signature_counts_to_the_second(client: TestClient, off: int, status: int) -> None:
    body = an_event()
    headers = signed(body, at=NOW + timedelta(seconds=off))
    assert client.post("/webhooks/stripe", content=body, headers=headers).status_code == status
