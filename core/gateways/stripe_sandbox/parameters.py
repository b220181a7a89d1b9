"""What a request may say is what the installed SDK says it may: names, types and which are required.

`check("TransferCreateParams", {...})` reads that class of `stripe.params`, turns the form's text into numbers, booleans
and lists, and refuses what the class does not have, as Stripe does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial
from types import UnionType
from typing import Any, Literal, NotRequired, Required, Union, get_args, get_origin, get_type_hints

import stripe.params
from stripe._request_options import RequestOptions
from typing_extensions import is_typeddict

from core.gateways.stripe_sandbox.errors import ApiError, malformed

Read = Callable[[Any, str], Any]
_OPTIONS = frozenset(RequestOptions.__annotations__)
_NAMES = {"Mapping": Mapping, "StripeContext": object}  # what the options mention, and is never sent


def check(class_name: str, given: dict[str, Any]) -> dict[str, Any]:
    """The parameters with their types. Refuses with `parameter_unknown`, `parameter_missing` or
    `parameter_invalid_…`; nothing is begun then."""
    checked: dict[str, Any] = _fields(getattr(stripe.params, class_name))(given, "")
    return checked


@cache
def _fields(declared: Any) -> Read:
    hints = get_type_hints(declared, localns=_NAMES)
    readers = {name: _reader(hint) for name, hint in hints.items() if name not in _OPTIONS}
    required = declared.__required_keys__ & readers.keys()

    def read(given: Any, path: str) -> dict[str, Any]:
        if not isinstance(given, dict):
            raise malformed(f"Invalid object: {path}", param=path)
        for name in given.keys() - readers.keys():
            raise malformed(
                f"Received unknown parameter: {_at(path, name)}", code="parameter_unknown", param=name
            )
        for name in sorted(required - given.keys()):
            raise malformed(
                f"Missing required param: {_at(path, name)}.", code="parameter_missing", param=name
            )
        return {name: readers[name](value, _at(path, name)) for name, value in given.items()}

    return read


def _at(path: str, name: str) -> str:
    return f"{path}[{name}]" if path else name


def _reader(hint: Any) -> Read:
    origin, args = get_origin(hint), get_args(hint)
    if origin in (NotRequired, Required):
        return _reader(args[0])
    if origin in (Union, UnionType):
        return _any_of([_reader(each) for each in args if each is not type(None)])
    if origin is Literal:
        return _one_of(args)
    if origin is list:
        return _many(_reader(args[0]))
    if is_typeddict(hint):
        return partial(_read_fields, hint)
    return _SIMPLE.get(origin or hint, _as_it_is)


def _read_fields(declared: Any, value: Any, path: str) -> Any:
    """Looked up when needed, because the classes of large requests are many."""
    return _fields(declared)(value, path)


def _any_of(readers: list[Read]) -> Read:
    def read(value: Any, path: str) -> Any:
        for reader in readers[:-1]:
            try:
                return reader(value, path)
            except ApiError:  # the last reader gives the refusal
                continue
        return readers[-1](value, path)

    return read


def _one_of(allowed: tuple[Any, ...]) -> Read:
    def read(value: Any, path: str) -> Any:
        if value not in allowed:
            choices = ", ".join(map(str, allowed))
            raise malformed(f"Invalid {path}: must be one of {choices}", param=path)
        return value

    return read


def _many(reader: Read) -> Read:
    def read(value: Any, path: str) -> list[Any]:
        if not isinstance(value, list):
            raise malformed(f"Invalid array: {path}", param=path)
        return [reader(each, f"{path}[{place}]") for place, each in enumerate(value)]

    return read


def _mapping(value: Any, path: str) -> dict[str, str]:
    if not isinstance(value, dict):
        raise malformed(f"Invalid hash: {path}", param=path)
    return value


def _integer(value: Any, path: str) -> int:
    try:
        return int(str(value))
    except ValueError:
        raise malformed(f"Invalid integer: {value}", code="parameter_invalid_integer", param=path) from None


def _boolean(value: Any, path: str) -> bool:
    if value not in ("true", "false"):
        raise malformed(f"Invalid boolean: {value}", param=path)
    return bool(value == "true")


def _text(value: Any, path: str) -> str:
    if not isinstance(value, str):
        raise malformed(f"Invalid string: {path}", param=path)
    return value


def _as_it_is(value: Any, path: str) -> Any:
    return value


_SIMPLE: dict[Any, Read] = {int: _integer, bool: _boolean, str: _text, dict: _mapping}
