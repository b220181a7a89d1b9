"""Bodies, addresses and headers that no honest program sends: each refused by name, none a fault of ours."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from httpx import Response

from core.api.http.authentication import LARGEST, LARGEST_UPLOAD
from core.db import Database
from tests.api.api_client import ApiClient, code
from tests.api.test_flows import bid, funded, submitted
from tests.db_snapshot import nothing_changes


def raw(home: ApiClient, body: bytes, path: str = "/bids", **how: Any) -> Response:
    return home.send("POST", path, body, **how)


def a_bid(home: ApiClient, **other: Any) -> bytes:
    return json.dumps(bid(home, **other)).encode()


BODIES: dict[str, tuple[Callable[[ApiClient], bytes], int, str]] = {
    "a name twice": (
        lambda home: a_bid(home)[:-1] + b', "title": "Another kitchen"}',
        400,
        "request_unreadable",
    ),
    "a name twice below": (
        lambda home: a_bid(home).replace(b'"minor": 150000', b'"minor": 1, "minor": 150000'),
        400,
        "request_unreadable",
    ),
    "a nest without end": (lambda home: b"[" * 100_000 + b"]" * 100_000, 400, "request_unreadable"),
    "objects without end": (lambda home: b'{"a":' * 40_000, 400, "request_unreadable"),
    "half a body": (lambda home: a_bid(home)[:-9], 400, "request_unreadable"),
    "nothing": (lambda home: b"", 400, "request_unreadable"),
    "no number": (lambda home: a_bid(home).replace(b"150000", b"NaN"), 400, "request_unreadable"),
    "endless": (lambda home: a_bid(home).replace(b"150000", b"Infinity"), 400, "request_unreadable"),
    "another encoding": (lambda home: a_bid(home).decode().encode("utf-16"), 400, "request_unreadable"),
    "broken UTF-8": (lambda home: a_bid(home).replace(b"kitchen", b"k\xff"), 400, "request_unreadable"),
    "a number of five thousand digits": (
        lambda home: a_bid(home).replace(b"150000", b"9" * 5_000),
        400,
        "request_unreadable",
    ),
    "a number of thirty digits": (
        lambda home: a_bid(home).replace(b"150000", b"9" * 30),
        422,
        "request_invalid",
    ),
    "a number beyond every float": (
        lambda home: a_bid(home).replace(b"150000", b"1e999"),
        422,
        "request_invalid",
    ),
    "a fraction of a cent": (lambda home: a_bid(home).replace(b"150000", b"0.5"), 422, "request_invalid"),
    "a number as text": (lambda home: a_bid(home).replace(b"150000", b'"150000"'), 422, "request_invalid"),
    "NUL": (lambda home: a_bid(home, title="a\0b"), 422, "request_invalid"),
    "NUL in a name": (lambda home: a_bid(home)[:-1] + rb', "a\u0000b": 1}', 422, "request_invalid"),
    "half a character": (
        lambda home: a_bid(home).replace(b"New kitchen", rb"\ud83d kitchen"),
        422,
        "request_invalid",
    ),
    "halves in the wrong order": (
        lambda home: a_bid(home).replace(b"New kitchen", rb"\udc00\ud800"),
        422,
        "request_invalid",
    ),
    "a list": (lambda home: b"[" + a_bid(home) + b"]", 422, "request_invalid"),
    "a word": (lambda home: b'"bid"', 422, "request_invalid"),
    "two megabytes": (lambda home: a_bid(home, scope="x" * 2_000_000), 413, "body_too_large"),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_body_that_cannot_be_used_is_refused(home: ApiClient, owner: Database, name: str) -> None:
    make, status, problem = BODIES[name]
    with nothing_changes(owner):
        answer = raw(home, make(home))
        assert (answer.status_code, code(answer)) == (status, problem)


@pytest.mark.parametrize(
    "media_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        " ",
    ],
)
def test_a_body_of_another_kind_is_refused(home: ApiClient, owner: Database, media_type: str) -> None:
    with nothing_changes(owner):
        answer = raw(home, a_bid(home), media_type=media_type)
        assert (answer.status_code, code(answer)) == (415, "unsupported_media_type")


@pytest.mark.parametrize("media_type", ["application/json; charset=utf-8", "Application/JSON"])
def test_json_may_say_so_in_any_case(home: ApiClient, media_type: str) -> None:
    assert raw(home, a_bid(home), media_type=media_type).status_code == 201


def test_free_text_with_marks_of_every_kind_is_kept(home: ApiClient) -> None:
    _, path = funded(home)
    for body in (
        "tab\tand\nline",
        "🏠 \u202eright to left",
        "<b>bold</b> & [link](x)",
        "é" * 10_000,
        "a\u2028b",
    ):
        answer = home.post(f"{path}/messages", {"party": home.payer, "body": body})
        assert answer.status_code == 201, answer.text
    said = home.get(f"{path}/messages").json()["items"]
    assert said[1]["body"] == "🏠 \u202eright to left"


@pytest.mark.parametrize("body", ["a\0b", "bell \x07", "escape \x1b[31m", "delete \x7f", ""])
def test_a_message_with_control_marks_is_refused(home: ApiClient, owner: Database, body: str) -> None:
    _, path = funded(home)
    with nothing_changes(owner):
        answer = home.post(f"{path}/messages", {"party": home.payer, "body": body})
        assert (answer.status_code, code(answer)) == (422, "request_invalid")


@pytest.mark.parametrize(
    "path",
    [
        "/projects?bid_reference=a%00b",
        "/projects?bid_reference=%ff%fe",
        "/projects?bid_reference=%ed%a0%80",
        "/parties?external_id=%00",
        "/parties?external_id=a%0d%0aSet-Cookie:x",
        "/projects/%00",
        "/projects/-1",
        "/projects/99999999999999999999999",
        "/projects/1e5",
        "/milestones/%EF%BC%91",
        "/milestones/1/messages?after=-1",
        "/milestones/1/messages?limit=1000000",
        "/events?endpoint=0",
        "/events",
        "/%2e%2e/%2e%2e/etc/passwd",
    ],
)
def test_an_address_that_cannot_be_used_is_refused(home: ApiClient, path: str) -> None:
    answer = home.get(path)
    assert answer.status_code in (400, 404, 422)
    assert code(answer) in ("request_invalid", "not_found", "no_such_address", "request_unreadable")


def test_a_file_and_its_form_are_read_as_strictly(home: ApiClient, owner: Database) -> None:
    path = f"{submitted(home)}/evidence"
    note = ("note.txt", b"Hung.", "text/plain")
    with nothing_changes(owner):
        nul = home.upload(path, party="a\0b", file=note)
        assert (nul.status_code, code(nul)) == (422, "request_invalid")
        torn = home.send("POST", path, b"--x\r\nnot a form", media_type="multipart/form-data; boundary=x")
        assert torn.status_code in (400, 422)
        as_json = home.send("POST", path, b'{"party": "x"}')
        assert (as_json.status_code, code(as_json)) == (415, "unsupported_media_type")
        assert as_json.json()["facts"] == {"needed": "multipart/form-data"}
        large = home.send(
            "POST", path, b"x" * (LARGEST_UPLOAD + 1), media_type="multipart/form-data; boundary=x"
        )
        assert (large.status_code, code(large)) == (413, "body_too_large")
    assert LARGEST < LARGEST_UPLOAD


@pytest.mark.parametrize(
    ("length", "status", "problem"),
    [
        (b"\xb2", 400, "request_unreadable"),
        (b"9" * 400, 413, "body_too_large"),
        (b"-1", 400, "request_unreadable"),
    ],
)
def test_a_promise_of_length_that_cannot_be_kept_is_refused(
    home: ApiClient, length: bytes, status: int, problem: str
) -> None:
    answer = home.get("/projects/1", headers={"Content-Length": length})
    assert (answer.status_code, code(answer)) == (status, problem)


@pytest.mark.parametrize("key", ["a\tb", "x" * 129, "a b", "\x7f"])
def test_an_idempotency_key_is_plain(home: ApiClient, key: str) -> None:
    answer = raw(home, a_bid(home), key=key)
    assert (answer.status_code, code(answer)) == (422, "request_invalid")
