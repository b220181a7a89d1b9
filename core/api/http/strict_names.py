"""A name in the query or in a form that its route does not know is refused, as one in a JSON body is.

Whoever misspells a filter or a field would otherwise be answered as if they had not sent it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.requests import Request

WHY = "Extra inputs are not permitted"  # as Pydantic says it of a body
FORM = "multipart/form-data"


async def only_known_names(request: Request) -> None:
    """Raises `RequestValidationError` with each name that is not known."""
    route = request.scope["route"]
    if not isinstance(route, APIRoute):
        return
    wrong = [
        ("query", name) for name in _unknown(request.query_params, _fields(route.dependant, "query_params"))
    ]
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() == FORM:
        wrong += [
            ("body", name) for name in _unknown(await request.form(), _fields(route.dependant, "body_params"))
        ]
    if wrong:
        raise RequestValidationError([{"type": "extra_forbidden", "loc": each, "msg": WHY} for each in wrong])


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


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)
