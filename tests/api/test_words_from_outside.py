"""Words from outside at the API: kept in one way or refused, never taken and dropped; and what has no such address."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import func, select

from core.api.http.field_problems import PATTERNS
from core.db import Database
from core.records import Party, Project, Report
from core.rules import acceptance, web_addresses
from tests.api.api_client import ApiClient, code
from tests.api.conformity import description
from tests.api.test_arrows import project_of
from tests.api.test_flows import bid, funded
from tests.api.test_repeated_requests import PERSON
from tests.db_snapshot import nothing_changes

NEW = {"external_id": "nia", "role": "PAYER", "name": "Nia Rossi", "email": "nia@example.com"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"email": "a@b."},
        {"email": "a@b"},
        {"email": "a..b@example.com"},
        {"email": "a@example.c"},
        {"email": "a@example.invalid"},
        {"email": "a@xn--a.com"},
        {"email": "\u200b@example.com"},
        {"country": "ZZ"},
        {"city": " "},
        {"city": "\u200b"},
        {"name": "\u202e \u2066"},
        {"external_id": " nia"},
        {"external_id": "nia\u200b"},
    ],
    ids=ascii,
)
def test_a_party_with_words_that_cannot_be_used_is_refused(
    home: ApiClient, owner: Database, wrong: dict[str, str]
) -> None:
    with nothing_changes(owner):
        answer = home.post("/parties", NEW | wrong)
    assert answer.status_code == 422
    assert code(answer) in ("request_invalid", "address_unusable")


def test_what_is_tidied_is_answered_as_it_is_kept_and_said_again_is_the_same(home: ApiClient) -> None:
    said = NEW | {"name": " Nia\u200b  Rossi", "city": "Mila\u0301n ", "email": "nia@example.com\u200b"}
    first = home.post("/parties", said)
    assert (first.status_code, first.json()["city"], first.json()["email"]) == (201, "Milán", NEW["email"])
    assert home.post("/parties", said).json() == first.json()
    assert home.post("/parties", NEW | {"city": "Milán"}).json() == first.json()


@pytest.mark.parametrize("title", [" ", "\u200b\u200b", "\u202e", "\u2066\u2069 "], ids=ascii)
def test_a_title_that_nobody_sees_is_refused(home: ApiClient, owner: Database, title: str) -> None:
    with nothing_changes(owner):
        answer = home.post("/bids", bid(home, "b-1", title=title))
    assert (answer.status_code, code(answer)) == (422, "request_invalid")


def test_a_practice_that_is_licensed_where_it_works_is_not_flagged(home: ApiClient, owner: Database) -> None:
    _, path = funded(home)
    with nothing_changes(owner):
        answer = home.post(
            f"{project_of(home, path)}/practice-flags", {"licensed_in": "Texas", "needed_in": "texas"}
        )
    assert (answer.status_code, code(answer)) == (422, "same_place")


@pytest.mark.parametrize("what", ["parties", "bids", "content-events"])
def test_twenty_equal_requests_at_once_give_one_object_twenty_times(home: ApiClient, what: str) -> None:
    address, body, record = "/parties", PERSON, Party
    if what == "bids":
        address, body, record = "/bids", bid(home, "all-at-once"), Project
    if what == "content-events":
        _, path = funded(home)
        address, record = f"{project_of(home, path)}/content-events", Report
        body = {"external_id": "cre-1", "kind": "OTHER", "severity": "LOW", "details": "Rule 1."}
    before = count(home, record)
    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(lambda _: home.post(address, body), range(20)))
    assert [each.status_code for each in answers] == [201] * 20
    assert len({each.text for each in answers}) == 1
    assert count(home, record) == before + 1


def count(home: ApiClient, record: Any) -> int:
    with home.market.database.reading() as session:
        return int(session.execute(select(func.count()).select_from(record)).scalar_one())


@pytest.mark.parametrize(
    ("method", "address", "allow"),
    [
        ("PUT", "/parties", "GET, POST"),
        ("PATCH", "/parties", "GET, POST"),
        ("DELETE", "/parties", "GET, POST"),
        ("PUT", "/bids", "POST"),
        ("GET", "/bids", "POST"),
        ("PUT", "/projects/1", "GET"),
    ],
)
def test_what_an_address_does_not_do_is_405_and_says_what_it_does(
    home: ApiClient, method: str, address: str, allow: str
) -> None:
    answer = home.send(method, address)
    assert (answer.status_code, code(answer)) == (405, "method_not_allowed")
    assert answer.headers["allow"] == allow
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "address",
    [
        "/%00",
        "/parties%00",
        "/projects/%00",
        "/projects/1%00/milestones",
        "/parties?external_id=%00",
        "/parties?external_id=a%00b",
        "/events?after=%00",
        "/%ff%fe",
        "/projects/%E2%80%AE1",
        "/milestones/..%2f..%2f",
        "/docs%00",
        "/openapi.json%00",
    ],
)
def test_an_address_with_nul_or_broken_characters_is_a_problem(home: ApiClient, address: str) -> None:
    for method in ("GET", "POST", "PUT"):
        answer = home.send(method, address, b"{}" if method == "POST" else b"")
        assert 400 <= answer.status_code < 500, (method, answer.text)
        assert answer.headers["content-type"] == "application/problem+json"


def patterns(shape: Any, schemas: dict[str, Any]) -> Iterator[str]:
    """Of everything that is sent: what the shapes refer to as well."""
    if isinstance(shape, list):
        for each in shape:
            yield from patterns(each, schemas)
    elif isinstance(shape, dict):
        if isinstance(shape.get("pattern"), str):
            yield shape["pattern"]
        if "$ref" in shape:
            yield from patterns(schemas[shape["$ref"].rpartition("/")[2]], schemas)
        for each in shape.values():
            yield from patterns(each, schemas)


def test_no_refusal_speaks_in_patterns() -> None:
    """What a pattern asks for is said in words; two have a rule of their own behind them, which says it."""
    told = description()
    sent = [
        operation.get(part, {})
        for methods in told["paths"].values()
        for operation in methods.values()
        for part in ("parameters", "requestBody")
    ]
    by_rule = {web_addresses.PAGE, f"^{acceptance.OWN_DAYS.pattern}$"}
    assert set(patterns(sent, told["components"]["schemas"])) - by_rule == PATTERNS.keys()


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"email": "a b@example.com"}, "it must be one e-mail address, as name@example.com"),
        ({"country": "us"}, "it must be a country's code of two capital letters, as US"),
        ({"country": "ZZ"}, "no country has this code (ISO 3166-1 alpha-2)"),
        ({"name": "Nia\nRossi"}, "it must be one line, with something in it and without control characters"),
    ],
    ids=ascii,
)
def test_a_field_that_cannot_be_used_says_what_would_do(
    home: ApiClient, wrong: dict[str, str], why: str
) -> None:
    refused = home.post("/parties", NEW | wrong).json()
    assert refused["facts"]["fields"] == [{"where": ["body", *wrong], "why": why}]
    assert refused["detail"] == f"body.{next(iter(wrong))}: {why}"


def test_what_is_no_such_address_or_method_says_what_there_is(home: ApiClient) -> None:
    put = home.send("PUT", "/parties", json.dumps(NEW).encode())
    assert (put.status_code, put.json()["detail"]) == (405, "This address takes GET and POST only.")
    assert "/api/v1/docs" in home.get("/partys").json()["detail"]
    empty = home.send("POST", "/parties").json()["detail"]
    assert empty == "The request cannot be read: its body is empty; send a JSON object."


def test_a_currency_that_nobody_knows_is_not_taken_and_dropped(home: ApiClient) -> None:
    """A payer has none of their own, so it would be."""
    home.post("/parties", NEW)
    refused = home.post("/provider-accounts", {"party": "nia", "currency": "XXX"})
    assert (refused.status_code, code(refused)) == (422, "unknown_currency")
