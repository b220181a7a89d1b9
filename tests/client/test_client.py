"""The client of marketplaces: it signs as the desk reads, repeats safely, follows pages, verifies events."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from escrow_desk_client import Client, Problem, Unanswered, Unverified, sign, verified

from core.api.http import signing
from core.clock import system_clock
from scripts import client as made

SECRET = "eds_secret"


@dataclass
class Desk:
    """Something on loopback that answers what it is told to, and remembers what it was asked."""

    url: str = ""
    answers: list[tuple[int, Any, dict[str, str]]] = field(default_factory=list)
    asked: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    def client(self, **how: Any) -> Client:
        return Client(self.url, "edk_key", SECRET, sleep=self.waits.append, **how)


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            desk.asked.append((self.command, self.path, dict(self.headers), body))
            status, answer, headers = desk.answers.pop(0)
            if not status:
                self.close_connection = True
                return
            content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(status)
            kind = "application/pdf" if isinstance(answer, bytes) else "application/json"
            for name, each in {"Content-Type": kind, "Content-Length": str(len(content)), **headers}.items():
                self.send_header(name, each)
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    desk.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield desk
    server.shutdown()
    server.server_close()


def problem(code: str, **facts: Any) -> dict[str, Any]:
    return {"code": code, "detail": "No.", "facts": facts}


def test_methods_and_collection_are_made_from_the_description_as_it_is_now() -> None:
    told = "run `python -m scripts.client`"
    assert made.METHODS.read_text(encoding="utf-8") == made.methods(), told
    assert made.COLLECTION.read_text(encoding="utf-8") == made.collection(), told


def test_every_operation_has_a_method_and_a_request_in_the_collection() -> None:
    found = list(made.operations(made.description()))
    assert all(callable(getattr(Client, operation["operationId"])) for _, _, operation in found)
    collection = json.loads(made.collection())
    requests = [each["request"] for folder in collection["item"] for each in folder["item"]]
    assert sorted(each["method"] for each in requests) == sorted(method for _, method, _ in found)
    assert all(each["url"]["raw"].startswith("{{base}}/api/v1/") for each in requests)
    assert "Desk-Signature" in "".join(collection["event"][0]["script"]["exec"])


def test_a_request_is_signed_as_the_desk_reads_it(desk: Desk) -> None:
    desk.answers = [(201, {"id": 1}, {}), (200, {"items": []}, {})]
    client = desk.client()
    client.accept_bid({"title": "Küche"}, key="once")
    client.get("/parties", external_id="u/1 ü", role=None)
    for method, path, headers, body in desk.asked:
        at = signing.signed_at(headers["Desk-Signature"], now=system_clock())
        expected = signing.sign_request(
            SECRET,
            at=at,
            method=method,
            target=path,
            idempotency_key=headers.get("Idempotency-Key", ""),
            body_sha256=hashlib.sha256(body).hexdigest(),
        )
        assert headers["Desk-Signature"] == expected
        assert headers["Authorization"] == "Bearer edk_key"
    assert desk.asked[1][1] == "/api/v1/parties?external_id=u%2F1%20%C3%BC"


def test_what_was_not_answered_is_sent_again_under_the_same_key(desk: Desk) -> None:
    desk.answers = [(0, None, {}), (503, problem("unavailable"), {"Retry-After": "7"}), (200, {"id": 3}, {})]
    assert desk.client().approve_milestone(31, {"party": "a"}) == {"id": 3}
    keys = {headers["Idempotency-Key"] for _, _, headers, _ in desk.asked}
    assert (len(desk.asked), len(keys)) == (3, 1)
    assert 0.5 <= desk.waits[0] <= 1
    assert desk.waits[1] == 7


def test_a_refusal_is_raised_at_once_with_its_facts(desk: Desk) -> None:
    desk.answers = [(409, problem("already_moving", until="soon"), {})]
    with pytest.raises(Problem) as refused:
        desk.client().approve_milestone(31, {"party": "a"})
    assert (refused.value.status, refused.value.code, refused.value.facts) == (
        409,
        "already_moving",
        {"until": "soon"},
    )
    assert desk.waits == []


def test_whoever_gets_no_answer_is_given_the_key_to_go_on_with(desk: Desk) -> None:
    desk.answers = [(0, None, {})] * 2
    with pytest.raises(Unanswered) as unanswered:
        desk.client(tries=2).post("/bids", {}, key="mine")
    assert unanswered.value.key == "mine"


def test_pages_follow_one_another_and_a_file_is_bytes(desk: Desk) -> None:
    desk.answers = [
        (200, {"items": [1, 2], "next": "c2"}, {}),
        (200, {"items": [3], "next": None}, {}),
        (200, b"%PDF", {}),
    ]
    client = desk.client()
    assert list(client.pages("/payouts", status="PAID")) == [1, 2, 3]
    assert desk.asked[1][1] == "/api/v1/payouts?status=PAID&cursor=c2"
    assert client.fetch_receipt(4) == b"%PDF"


def test_a_redirect_is_not_followed_with_our_key(desk: Desk) -> None:
    desk.answers = [(302, {}, {"Location": "http://127.0.0.1:9/"})]
    with pytest.raises(Problem):
        desk.client().get("/events", endpoint=1)


def test_a_file_is_sent_as_a_form_and_signed_whole(desk: Desk) -> None:
    desk.answers = [(201, {"id": 5}, {})]
    desk.client().submit_evidence(31, {"party": "a"}, ('a\r\n".jpg', b"\xff\xd8", "image/jpeg"))
    _, _, headers, body = desk.asked[0]
    assert headers["Content-Type"].startswith("multipart/form-data; boundary=")
    assert b'filename="a%22.jpg"' in body
    assert b"\xff\xd8" in body


def test_an_event_of_the_desk_is_verified() -> None:
    body = json.dumps({"id": "evt_1", "kind": "payout.status_changed", "sequence": 1, "data": {}}).encode()
    header = signing.sign_event(SECRET, at=1_000_000, body=body)
    assert verified(body, header, SECRET, now=1_000_100)["id"] == "evt_1"
    other = signing.sign_event("eds_other", at=1_000_000, body=body)
    both = other + "," + header.partition(",")[2]
    assert verified(body, both, SECRET, now=1_000_100)["id"] == "evt_1"


@pytest.mark.parametrize(
    ("change", "now"),
    [
        ({"body": b"{}"}, 0),
        ({"header": ""}, 0),
        ({"header": "t=1"}, 0),
        ({"secret": "eds_other"}, 0),
        ({}, 301),
        ({}, -301),
    ],
)
def test_what_is_no_event_of_the_desk_is_refused(change: dict[str, Any], now: int) -> None:
    good: dict[str, Any] = {"body": b'{"id": "evt_1"}', "secret": SECRET}
    good["header"] = signing.sign_event(SECRET, at=1_000_000, body=good["body"])
    with pytest.raises(Unverified):
        verified(**{**good, **change}, now=1_000_000 + now)


def test_the_signature_of_the_page_is_the_clients() -> None:
    at = sign("s", method="POST", target="/api/v1/bids", body=b"{}", idempotency_key="k", at=5)
    assert at == signing.sign_request(
        "s",
        at=5,
        method="POST",
        target="/api/v1/bids",
        idempotency_key="k",
        body_sha256=hashlib.sha256(b"{}").hexdigest(),
    )
