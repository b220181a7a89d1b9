"""How an operation is described: what it may be refused with, and an example of what goes in and comes out.

Every operation may be refused as `COMMON` says; `refusals` adds what is its own, with the status that the table of
problems gives it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from core.api.http.problem_details import (
    DECLARED,
    GROUPS,
    MEDIA_TYPE,
    PLAIN_CODES,
    PROSE,
    kinds_of,
    outside_name,
    status_of,
)
from core.api.http.signing import HEADER
from core.api.openapi import life, shapes
from core.api.openapi.examples import EXAMPLES
from core.errors import DeskError
from core.rules.permissions import NotYours

Responses = dict[int | str, dict[str, Any]]
SIGNED = {
    "name": HEADER,
    "in": "header",
    "required": True,
    "schema": {"type": "string"},
    "description": "`t=…,v1=…`: when it was signed, in seconds, and in hexadecimal the HMAC-SHA256 of that time, a dot "
    "and the body, with the endpoint's secret; while a secret is replaced, a `v1` of each. Believe nothing without it.",
}
PROBLEM = {"$ref": "#/components/schemas/Problem"}
WORDS: Mapping[int, str] = {
    400: "The request cannot be read.",
    401: "The key or the signature is missing, unknown, or out of time.",
    403: "This party, or this key, may not do that.",
    404: "It is not there, or it belongs to another platform.",
    410: "A person whom it is about was erased.",
    409: "The present state does not allow it, or the idempotency key belongs to another request.",
    413: "The body or the file is too large.",
    415: "The body is of another media type than is read here.",
    422: "A field is missing or cannot be used.",
    429: "Too many requests; see Retry-After.",
    500: "A fault of the desk's own. Nothing was done.",
    503: "Not now; see Retry-After.",
}


def _refusal(status: int, codes: list[type[DeskError]]) -> dict[str, Any]:
    content: dict[str, Any] = {"schema": PROBLEM}
    words = WORDS[status]
    if codes:
        words += " Here: " + ", ".join(f"`{each.code}`" for each in codes) + "."
        content["examples"] = {each.code: {"value": example_of(each, status)} for each in codes}
    return {"description": words, "content": {MEDIA_TYPE: content}}


def example_of(error: type[DeskError], status: int) -> dict[str, Any]:
    """A problem as it looks, with the names of its facts where the facts would stand."""
    return {
        "type": f"urn:escrow-desk:problem:{error.code}",
        "title": error.code.replace("_", " ").capitalize(),
        "status": status,
        "detail": error.template(),
        "code": error.code,
        "facts": dict.fromkeys(facts_of(error), "…"),
    }


def facts_of(error: type[DeskError]) -> list[str]:
    """The names of the facts that its problem has."""
    if error is NotYours:
        return ["party"]
    return sorted(outside_name(each) for each in error.fields() - PROSE)


COMMON: Responses = {status: _refusal(status, []) for status in WORDS}


def refusals(*errors: type[DeskError]) -> Responses:
    """What one operation may be refused with besides, by status."""
    DECLARED.update(errors)
    by_status: dict[int, list[type[DeskError]]] = {}
    for error in errors:
        for kind in kinds_of(error) if error in GROUPS else (error,):
            if kind not in (known := by_status.setdefault(status_of(kind), [])):
                known.append(kind)
    return {status: _refusal(status, found) for status, found in sorted(by_status.items())}


def codes() -> list[str]:
    """Every code that a refusal of the API can have: those of the operations and their kinds, and those of any."""
    declared = {each.code for error in DECLARED for each in kinds_of(error)}
    return sorted(declared | PLAIN_CODES)


def described(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI description, made once: one shape for every problem, and an example in every schema that has one."""
    if app.openapi_schema is None:
        schema = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
            webhooks=app.webhooks.routes,
        )
        schema = shapes.named(schema)
        schemas = schema["components"]["schemas"]
        schemas |= {"Problem": shapes.problem(), "ProblemCode": {"type": "string", "enum": codes()}}
        schemas.pop("HTTPValidationError", None)
        schemas.pop("ValidationError", None)
        for name, shape in schemas.items():
            if name in EXAMPLES:
                shape["examples"] = [EXAMPLES[name]]
        shapes.require_both(schema)
        for kind, methods in schema["webhooks"].items():
            del methods["post"]["responses"]["422"]  # what a marketplace's endpoint answers is its own affair
            methods["post"]["parameters"] = [SIGNED]
            life.tell_event(kind, methods["post"])
        for methods in schema["paths"].values():
            for operation in methods.values():
                life.tell(operation, EXAMPLES)
        app.openapi_schema = schema
    return app.openapi_schema
