"""A name in the query or in a form that its route does not know is refused, as one in a JSON body is; so is one in the
query that comes twice where only one can be meant.

Whoever misspells a filter or gives two would otherwise be answered as if they had not sent it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, get_origin

from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.requests import Request

from core.api.http.strict_json import FORM, media_type

WHY = "Extra inputs are not permitted"  # as Pydantic says it of a body
TWICE = "It is given more than once, and only one can be meant"


async def only_known_names(request: Request) -> None:
    """Raises `RequestValidationError` with each name that is not known, or known and given too often."""
    route = request.scope["route"]
    if not isinstance(route, APIRoute):
        return
    query, fields = request.query_params, list(_fields(route.dependant, "query_params"))
    wrong = [("query", name) for name in _unknown(query, fields)]
    if media_type(request.headers.get("content-type", "")) == FORM:
        wrong += [
            ("body", name) for name in _unknown(await request.form(), _fields(route.dependant, "body_params"))
        ]
    twice = [name for name in query if len(query.getlist(name)) > 1 and name not in _lists(fields)]
    errors = [{"type": "extra_forbidden", "loc": each, "msg": WHY} for each in wrong]
    errors += [{"type": "given_twice", "loc": ("query", name), "msg": TWICE} for name in twice]
    if errors:
        raise RequestValidationError(errors)


def _fields(dependant: Dependant, kind: str) -> Iterator[Any]:
    """Of the route itself and of what it depends on."""
    yield from getattr(dependant, kind)
    for each in dependant.dependencies:
        yield from _fields(each, kind)


def _unknown(sent: Iterable[str], fields: Iterable[Any]) -> list[str]:
    """A model among the fields refuses what it does not know by itself."""
    fields = list(fields)
    if any(_is_model(each.field_info.annotation) for each in fields):
        return []
    known = {each.alias for each in fields}
    return [name for name in dict.fromkeys(sent) if name not in known]


def _lists(fields: Iterable[Any]) -> set[str]:
    """What may be given several times."""
    found = set()
    for each in fields:
        kind = each.field_info.annotation
        inner = kind.model_fields if _is_model(kind) else {each.alias: each.field_info}
        found |= {name for name, info in inner.items() if get_origin(info.annotation) is list}
    return found


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)
