"""The description of the API is whole: every operation says what it does and is refused with, and shows an example."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from html import escape
from pathlib import Path
from typing import Any, cast

import pytest
from jsonschema import Draft202012Validator
from sqlalchemy import text

from core.actions.cases.settlement_proposals import RESOLUTION
from core.actions.decisions.corrections import CorrectionOutcome
from core.api.http import app
from core.api.http.problem_details import MEDIA_TYPE
from core.api.models.events import KINDS
from core.api.openapi import examples
from core.db import Database
from core.desk import Desk
from core.rules.cases import CaseResolution
from core.rules.grounds import DecisionOutcome
from tests.api import conformity
from tests.api.api_client import ApiClient

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def schema() -> dict[str, Any]:
    return conformity.description()


def operations(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def shapes_of(operation: dict[str, Any]) -> Iterator[str]:
    """The names of the schemas that go in and come out."""
    contents = [operation.get("requestBody", {}).get("content", {})]
    contents += [answer["content"] for status, answer in operation["responses"].items() if status < "300"]
    for content in contents:
        for media_type in content.values():
            if "$ref" in media_type["schema"]:
                yield media_type["schema"]["$ref"].rpartition("/")[2]


def test_who_asks_for_the_description_at_once_gets_one() -> None:
    asked = app.application(cast(Desk, None), demo_too=False)
    with ThreadPoolExecutor(8) as crowd:
        made = list(crowd.map(lambda _: id(asked.openapi()), range(8)))
    assert len(set(made)) == 1


def test_every_operation_is_described_refused_and_shown(schema: dict[str, Any]) -> None:
    names, summaries = [], []
    for label, operation in operations(schema):
        names.append(operation["operationId"])
        summaries.append(operation["summary"])
        assert operation["description"].endswith("."), label
        assert operation["tags"], label
        assert {"400", "401", "403", "404", "409", "413", "415", "422", "429", "503"} <= set(
            operation["responses"]
        )
        for status, answer in operation["responses"].items():
            assert status < "300" or set(answer["content"]) == {MEDIA_TYPE}, (label, status)
        assert all(name in examples.EXAMPLES for name in shapes_of(operation)), label
    assert len(set(names)) == len(names) == len(set(summaries))


def test_a_request_needs_its_key_and_its_signature(schema: dict[str, Any]) -> None:
    for label, operation in operations(schema):
        assert operation["security"] == [{"Key": [], "Signature": []}], label


def test_a_file_is_sent_as_bytes_and_every_time_says_what_it_is(schema: dict[str, Any]) -> None:
    shapes = schema["components"]["schemas"]
    assert shapes["Body_submit_evidence"]["properties"]["file"]["format"] == "binary"
    for name, shape in shapes.items():
        for field, told in shape.get("properties", {}).items():
            if field.endswith(("_at", "_until")) or field == "at":
                formats = {each.get("format") for each in (told, *told.get("anyOf", ()))}
                assert "date-time" in formats, (name, field)


def test_what_is_one_of_several_names_is_an_enum_with_a_name_of_its_own(schema: dict[str, Any]) -> None:
    shapes = schema["components"]["schemas"]
    unclear = {"Status", "State", "Kind", "Outcome", "Source", "Severity", "Part"}
    assert [name for name in shapes if "__" in name or name in unclear] == []
    choices = {
        "status",
        "state",
        "outcome",
        "role",
        "severity",
        "method",
        "frequency",
        "funding",
        "fee_mode",
        "kind",
    }
    for name, shape in shapes.items():
        for field, told in shape.get("properties", {}).items():
            if field in choices and not name.startswith("Problem"):
                kinds = [told, *told.get("anyOf", ())]
                assert any("$ref" in each or "enum" in each or "const" in each for each in kinds), (
                    name,
                    field,
                )


def test_every_refusal_has_one_shape_and_a_code_of_the_list(schema: dict[str, Any]) -> None:
    known = set(schema["components"]["schemas"]["ProblemCode"]["enum"])
    for label, operation in operations(schema):
        for status, answer in operation["responses"].items():
            if status >= "300":
                content = answer["content"][MEDIA_TYPE]
                assert content["schema"] == {"$ref": "#/components/schemas/Problem"}
                assert set(content.get("examples", {})) <= known, label


def test_every_kind_of_event_is_a_webhook(schema: dict[str, Any]) -> None:
    assert set(schema["webhooks"]) == set(KINDS)
    for kind, methods in schema["webhooks"].items():
        sent = methods["post"]["requestBody"]["content"]["application/json"]["schema"]
        shape = schema["components"]["schemas"][sent["$ref"].rpartition("/")[2]]
        assert shape["properties"]["kind"]["const"] == kind
        assert [each["name"] for each in methods["post"]["parameters"]] == ["Desk-Signature"]


def test_every_answer_has_an_example(schema: dict[str, Any]) -> None:
    for label, operation in operations(schema):
        for status, answer in operation["responses"].items():
            told = answer.get("content", {}).get("application/json") if status < "300" else None
            assert told is None or "example" in told, label


def test_whatever_is_referred_to_is_there(schema: dict[str, Any]) -> None:
    """Generators of clients stop at the first reference that leads nowhere."""
    named = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(schema)))
    assert named <= set(schema["components"]["schemas"])


def test_a_case_ends_as_the_list_of_resolutions_says() -> None:
    ends = {*DecisionOutcome, *CorrectionOutcome, RESOLUTION, "REWORKED", "WITHDRAWN", "CHARGEBACK_LOST"}
    assert {*map(str, ends)} == {*map(str, CaseResolution)}


def test_every_change_names_its_own_refusals(schema: dict[str, Any]) -> None:
    plain = {"open_provider_account", "replay_events", "file_content_event"}
    for label, operation in operations(schema):
        own = [
            name
            for answer in operation["responses"].values()
            for content in answer["content"].values()
            for name in content.get("examples", {})
        ]
        if label.startswith("POST") and operation["operationId"] not in plain:
            assert own, label


@pytest.mark.parametrize("name", sorted(examples.EXAMPLES))
def test_every_example_is_what_it_is_an_example_of(schema: dict[str, Any], name: str) -> None:
    known = schema["components"]["schemas"]
    assert name in known or name in ("Amount", "Share", "Planned", "DemoClockAnswer"), "an example of nothing"
    if name in known:
        wanted = {"$ref": f"#/components/schemas/{name}", "components": schema["components"]}
        assert [
            each.message for each in Draft202012Validator(wanted).iter_errors(examples.EXAMPLES[name])
        ] == []


def test_the_page_shows_it_all_and_loads_nothing(home: ApiClient) -> None:
    shown = home.client.get("/api/v1/docs").text
    for label, operation in operations(home.client.get("/api/v1/openapi.json").json()):
        assert escape(operation["summary"]) in shown, label
    assert "funded_in_turn" in shown
    assert "rating.calculated" in shown
    assert "<script" not in shown


def test_the_page_names_every_kind_of_event_that_the_database_writes(owner: Database) -> None:
    with owner.reading() as session:
        sources = session.scalars(
            text(
                """
                select prosrc from pg_proc where proname like 'announce%' and pronamespace = 'public'::regnamespace
                union all
                select pg_get_triggerdef(oid) from pg_trigger where tgfoid::regproc::text like 'announce%'
                """
            )
        ).all()
    told = {
        word.strip("'")
        for source in sources
        for word in re.sub(r"[(),]", " ", source).split()
        if word.startswith("'") and word.endswith("'") and "." in word
    }
    assert told == set(KINDS)


def test_the_table_of_arrows_names_every_change_and_tests_that_exist(schema: dict[str, Any]) -> None:
    page_of_arrows = (ROOT / "docs" / "marketplace.md").read_text(encoding="utf-8")
    written = set(re.findall(r"`((?:GET|POST) /[^`]*)`", page_of_arrows))
    there = {label for label, _ in operations(schema)}
    assert written <= there
    assert {label for label in there if label.startswith("POST")} <= written
    tests = "".join(each.read_text(encoding="utf-8") for each in (ROOT / "tests" / "api").glob("test_*.py"))
    named = set(re.findall(r"`(test_[a-z_]+)`", page_of_arrows))
    assert {name for name in named if f"def {name}(" not in tests} == set()
    assert len(named) > 20
