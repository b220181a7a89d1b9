"""Does what is answered and told look as the description says? Asked over the whole suite, of each answer and event."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any, cast

from httpx import Response
from jsonschema import Draft202012Validator

from core.api.http import app
from core.api.http.problem_details import DECLARED
from core.api.openapi.descriptions import facts_of, kinds_of
from core.desk import Desk


@cache
def description(*, demo_too: bool = False) -> dict[str, Any]:
    """As every desk has it; a demo has addresses of its own besides."""
    return app.application(cast(Desk, None), demo_too=demo_too).openapi()


@cache
def _validator(reference: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": reference, "components": description(demo_too=True)["components"]})


def require(reference: str, what: Any) -> None:
    faults = [
        f"{'.'.join(map(str, each.absolute_path))}: {each.message}"
        for each in _validator(reference).iter_errors(what)
    ]
    assert not faults, (reference, faults)


IN_WORDS = re.compile(r"\b[0-9]{1,2} [A-Z][a-z]{2,8} [0-9]{4}\b")


def require_problem(problem: Any) -> None:
    require("#/components/schemas/Problem", problem)
    said = json.dumps(problem["facts"], ensure_ascii=False)
    if (facts := _facts().get(problem["code"])) is not None:
        assert set(problem["facts"]) == set(facts), f"{problem['code']} has other facts than its description"
    if problem["code"] != "request_invalid":
        assert not set("“”‘’…") & set(said), f"words among the facts: {said}"
        assert not IN_WORDS.search(said), f"a time in words among the facts: {said}"


@cache
def _facts() -> dict[str, list[str]]:
    description()
    return {kind.code: facts_of(kind) for error in DECLARED for kind in kinds_of(error)}


def require_event(event: Any) -> None:
    """As the webhook of its kind says."""
    sent = description()["webhooks"][event["kind"]]["post"]["requestBody"]["content"]["application/json"]
    require(sent["schema"]["$ref"], event)


def require_answer(method: str, path: str, answer: Response) -> None:
    operation = _operation(method, path.partition("?")[0])
    told = operation["responses"][str(answer.status_code)]["content"]
    media_type = answer.headers["content-type"].partition(";")[0]
    assert media_type in told, (path, media_type)
    if media_type == "application/json":
        require(told[media_type]["schema"]["$ref"], answer.json())


@cache
def _addresses() -> list[tuple[str, re.Pattern[str], dict[str, Any]]]:
    return [
        (method.upper(), re.compile(re.sub(r"\\\{[a-z_]+\\\}", "[^/]+", re.escape(path))), operation)
        for path, methods in description(demo_too=True)["paths"].items()
        for method, operation in methods.items()
    ]


def _operation(method: str, path: str) -> dict[str, Any]:
    return next(
        operation for verb, address, operation in _addresses() if verb == method and address.fullmatch(path)
    )


def operation_of(name: str) -> tuple[str, str, dict[str, Any]]:
    """The method, the address and the description of an operation."""
    return next(
        (method.upper(), path, operation)
        for path, methods in description()["paths"].items()
        for method, operation in methods.items()
        if operation["operationId"] == name
    )
