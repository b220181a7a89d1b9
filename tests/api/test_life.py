"""The examples of the description are one project's life, as it was really lived over HTTP."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from sqlalchemy import text

from core.api.openapi import life as told
from core.api.webhooks import delivery
from core.db import Database
from tests.api import conformity
from tests.api.api_client import ApiClient
from tests.api.life import live
from tests.api.test_events import Listener, listener, listening

__all__ = ["listener"]  # the fixture

# A consultation is of the other marketplace, and a new key would end the one that lives here.
ELSEWHERE = frozenset({"complete_session", "rotate_key"})


class Recorder:
    """Sends with the tests' own client, and keeps the first time that each operation succeeded."""

    def __init__(self, home: ApiClient) -> None:
        self.home, self.kept = home, dict[str, dict[str, Any]]()

    def __call__(self, operation: str, body: Any = None, **where: Any) -> Any:
        method, path, described = conformity.operation_of(operation)
        names = {each["name"] for each in described.get("parameters", ()) if each["in"] == "path"}
        address = path.format(**{name: where[name] for name in names})
        query = {name: value for name, value in where.items() if name not in names}
        asked = f"{address}?{urlencode(query)}" if query else address
        if isinstance(body, dict) and "file" in body:
            sent = {"party": body["party"], "caption": body["caption"], "file": body["file"]}
            answer = self.home.upload(asked, **sent)
            body = {**body, "file": f"(the bytes of {body['file'][0]})"}
        else:
            answer = self.home.post(asked, body) if method == "POST" else self.home.get(asked)
        assert answer.status_code < 300, (operation, answer.text)
        as_json = answer.headers["content-type"] == "application/json"
        example = {
            "parameters": where,
            "request": body,
            "status": str(answer.status_code),
            "response": in_its_time(answer.json()) if as_json else None,
        }
        said = {name: each for name, each in example.items() if each is not None}
        self.kept.setdefault(operation, said)
        return example["response"]


@pytest.fixture
def lived(home: ApiClient, owner: Database, listener: Listener) -> dict[str, Any]:
    with owner.transaction() as session:
        session.execute(text("alter sequence holds_id_seq restart with 1"))
    endpoint, _ = listening(home.market, listener.url)

    def hear() -> None:
        while delivery.deliver_due(home.market.desk):
            pass

    call = Recorder(home)
    live(call, home.market, endpoint.id, hear)
    home.market.lawful()
    told_events: dict[str, Any] = {}
    for event in listener.events():
        told_events.setdefault(event["kind"], event | {"created_at": home.market.now.isoformat()})
    return call.kept | {told.EVENTS: told_events}


def in_its_time(value: Any) -> Any:
    """The database writes events by its own clock, which no test moves; in a life of its own time they are of then."""
    if isinstance(value, dict):
        if {"sequence", "sent_at"} <= value.keys():
            value = value | {"created_at": value["sent_at"]}
        if {"body", "took_ms"} <= value.keys():
            told_then = json.loads(value["body"]) | {"created_at": value["at"]}
            value = value | {"body": json.dumps(told_then, ensure_ascii=False, sort_keys=True)}
        if "signing_secret" in value:
            value = value | {"signing_secret": "eds_(shown once)"}
        return {name: in_its_time(each) for name, each in value.items()}
    return [in_its_time(each) for each in value] if isinstance(value, list) else value


def still(value: Any) -> Any:
    """Without what is of the machine that it ran on."""
    if isinstance(value, dict):
        return {name: still(each) for name, each in value.items() if name not in told.OF_THE_MOMENT}
    return [still(each) for each in value] if isinstance(value, list) else value


def test_the_examples_are_a_life_that_was_lived(lived: dict[str, Any]) -> None:
    """ESCROW_DESK_TELL_LIFE=1 writes it down again."""
    if os.environ.get("ESCROW_DESK_TELL_LIFE"):
        Path(told.FILE).write_text(json.dumps(lived, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    written = json.loads(Path(told.FILE).read_text(encoding="utf-8"))
    assert sorted(written) == sorted(lived)
    for operation, example in lived.items():
        assert still(written[operation]) == still(example), operation


def test_each_operation_has_its_example_in_that_life() -> None:
    written = set(told.examples())
    there = {
        operation["operationId"]
        for methods in conformity.description()["paths"].values()
        for operation in methods.values()
    }
    assert there - written - ELSEWHERE == set()
    assert written <= there


def test_an_example_stands_where_a_reader_looks_for_it() -> None:
    _, _, bid = conformity.operation_of("accept_bid")
    (sent,) = bid["requestBody"]["content"].values()
    answered = bid["responses"]["201"]["content"]["application/json"]
    assert sent["example"]["bid_reference"] == answered["example"]["bid_reference"] == "bid-2026-0042"
    _, _, read = conformity.operation_of("read_project")
    (number,) = (each for each in read["parameters"] if each["name"] == "project_id")
    assert number["example"] == answered["example"]["id"]
