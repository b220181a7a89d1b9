"""Stripe's contract as the installed SDK states it: routes, parameters, and the fields and types of answers.

Nothing of it is written down here; it is read from the SDK's service classes, TypedDicts and resource classes, so a
newer SDK is a newer contract. `request_faults` and `answer_faults` return what breaks it, in words.
"""

from __future__ import annotations

import builtins
import importlib
import inspect
import pkgutil
import re
import typing
from dataclasses import dataclass
from functools import cache
from types import UnionType
from typing import Any, ClassVar, Literal, NotRequired, Union, get_args, get_origin, get_type_hints

import stripe
import stripe.params
from stripe import ListObject, StripeObject
from stripe._request_options import RequestOptions
from typing_extensions import is_typeddict

_REQUEST = re.compile(r'_request\(\s*"(get|post|delete)",\s*"(/v1/[^"]+)"')


@dataclass(frozen=True)
class Route:
    method: str
    pattern: re.Pattern[str]
    template: str
    params: str
    returns: str


@cache
def routes() -> tuple[Route, ...]:
    """Every v1 route that a service class of the SDK knows."""
    found = []
    for module in pkgutil.iter_modules(stripe.__path__):
        if module.name.endswith("_service"):
            for _, service in inspect.getmembers(
                importlib.import_module(f"stripe.{module.name}"), inspect.isclass
            ):
                if service.__module__.endswith(module.name):
                    found += [route for _, call in inspect.getmembers(service, inspect.isfunction)
                              if (route := _route(call))]  # fmt: skip
    return tuple(found)


def _route(call: Any) -> Route | None:
    match = _REQUEST.search(inspect.getsource(call))
    if not match:
        return None
    params = re.search(r"\w+Params", str(call.__annotations__.get("params", "")))
    path = re.sub(r"\{\w+\}", "[^/]+", match[2])
    return Route(
        match[1].upper(),
        re.compile(path),
        match[2],
        params[0] if params else "",
        str(call.__annotations__["return"]),
    )


def route_of(entry: dict[str, Any]) -> Route | None:
    """The SDK's route for a line of the sandbox's log; the most literal one when several fit."""
    fitting = [
        each for each in routes() if each.method == entry["method"] and each.pattern.fullmatch(entry["path"])
    ]
    return min(fitting, key=lambda each: each.template.count("{"), default=None)


# -- requests -------------------------------------------------------------------------------------------


def request_faults(entry: dict[str, Any]) -> list[str]:
    """What in a logged request the SDK would not have allowed."""
    route = route_of(entry)
    if route is None:
        return [f"no such route: {entry['method']} {entry['path']}"]
    given = {**entry["query"], **entry["body"]}
    return _params_faults(getattr(stripe.params, route.params), given, route.params) if route.params else []


def _params_faults(declared: Any, given: dict[str, Any], at: str) -> list[str]:
    hints = {k: v for k, v in _hints(declared).items() if k not in RequestOptions.__annotations__}
    faults = [f"{at}.{name} is not declared" for name in given if name not in hints]
    faults += [
        f"{at}.{name} is required" for name in declared.__required_keys__ & hints.keys() if name not in given
    ]
    for name, value in given.items():
        if name in hints:
            faults += _param_faults(hints[name], value, f"{at}.{name}")
    return faults


def _param_faults(hint: Any, value: Any, at: str) -> list[str]:
    origin, args = get_origin(hint), get_args(hint)
    if origin is NotRequired:
        return _param_faults(args[0], value, at)
    if origin in (Union, UnionType):
        each = [_param_faults(arg, value, at) for arg in args]
        return min(each, key=len)
    if origin is Literal:
        return [] if value in args else [f"{at} is {value!r}, not one of {args}"]
    if origin is list:
        if not isinstance(value, list):
            return [f"{at} is no list"]
        return [fault for item in value for fault in _param_faults(args[0], item, at)]
    if is_typeddict(hint):
        return _params_faults(hint, value, at) if isinstance(value, dict) else [f"{at} is no hash"]
    spelled = {int: r"-?\d+", bool: "true|false", str: r"(?s).*"}.get(hint)
    if spelled and not (isinstance(value, str) and re.fullmatch(spelled, value)):
        return [f"{at} is {value!r}, not {hint.__name__}"]
    return []


# -- answers -------------------------------------------------------------------------------------------


def answer_faults(entry: dict[str, Any]) -> list[str]:
    """What in a logged answer the SDK does not declare, misses, or types otherwise."""
    if entry["status"] >= 400:
        return _object_faults(stripe.ErrorObject, entry["response"]["error"], "error")
    route = route_of(entry)
    return _value_faults(_named(route.returns), entry["response"], route.returns) if route else []


class _Names(dict[str, Any]):
    """Names in the SDK's annotations: its resources, and `Any` for what is only imported for type checkers."""

    def __missing__(self, name: str) -> Any:
        if name.startswith("__"):
            raise KeyError(name)
        return _ALIASES.get(name) or getattr(stripe, name, None) or Any


_ALIASES: dict[str, Any] = {"Mapping": dict, "DisputeResource": stripe.Dispute, "CardResource": stripe.Card}


def _names(near: dict[str, Any]) -> _Names:
    """The nearest meaning of a name wins: the module's own, then Python's."""
    return _Names({**vars(builtins), **vars(typing), **near})


def _named(text: str) -> Any:
    return eval(text, {}, _names({"ListObject": ListObject}))


@cache
def _hints(declared: Any) -> dict[str, Any]:
    local = _names(vars(importlib.import_module(declared.__module__)))
    return {k: v for k, v in get_type_hints(declared, localns=local).items() if get_origin(v) is not ClassVar}


def _object_faults(declared: Any, value: Any, at: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{at} is no object"]
    own = {name for each in declared.__mro__ if issubclass(each, StripeObject) and each is not StripeObject
           for name in each.__dict__.get("__annotations__", {})}  # fmt: skip
    hints = {
        name: hint for name, hint in _hints(declared).items() if name in own and not name.startswith("_")
    }
    if value.get("deleted"):
        hints = {name: hints[name] for name in ("id", "object", "deleted")}
    faults = [f"{at}.{name} is not declared" for name in value if name not in hints]
    faults += [
        f"{at}.{name} is missing" for name, hint in hints.items() if name not in value and not _optional(hint)
    ]
    if declared is stripe.Event:
        about = value["data"]["object"]
        kind = getattr(stripe, about["object"].title().replace("_", ""))
        faults += _object_faults(kind, about, f"{at} {value['type']}")
    for name in value.keys() & hints.keys():
        faults += _value_faults(hints[name], value[name], f"{at}.{name}")
    return faults


def _optional(hint: Any) -> bool:
    return hint is Any or (get_origin(hint) in (Union, UnionType) and type(None) in get_args(hint))


def _value_faults(hint: Any, value: Any, at: str) -> list[str]:
    origin, args = get_origin(hint), get_args(hint)
    if hint is Any or isinstance(hint, str):
        return []
    if origin in (Union, UnionType):
        meant = [arg for arg in args if (arg is type(None)) == (value is None)]
        return min((_value_faults(arg, value, at) for arg in meant), key=len, default=[f"{at} is null"])
    if origin is Literal:
        return [] if value in args else [f"{at} is {value!r}, not one of {args}"]
    if origin is list:
        if not isinstance(value, list):
            return [f"{at} is no list"]
        return [fault for item in value for fault in _value_faults(args[0], item, f"{at}[]")]
    if origin is ListObject:
        return _list_faults(args[0], value, at)
    if inspect.isclass(hint) and issubclass(hint, StripeObject) and not origin:
        return [] if hint is StripeObject else _object_faults(hint, value, at)
    return _scalar_faults(origin or hint, value, at)


def _list_faults(item: Any, value: Any, at: str) -> list[str]:
    if not isinstance(value, dict) or value.get("object") != "list":
        return [f"{at} is no list object"]
    faults = [f"{at}.{name} is missing" for name in ("data", "has_more", "url") if name not in value]
    return faults + [fault for each in value["data"] for fault in _value_faults(item, each, f"{at}[]")]


def _scalar_faults(kind: Any, value: Any, at: str) -> list[str]:
    allowed: tuple[type, ...] = {float: (float, int), dict: (dict,)}.get(kind, (kind,))
    if not all(inspect.isclass(each) for each in allowed) or issubclass(allowed[0], StripeObject):
        return [] if isinstance(value, dict) else [f"{at} is no hash"]
    right = isinstance(value, allowed) and (kind is bool or not isinstance(value, bool))
    return [] if right else [f"{at} is {value!r}, not {kind.__name__}"]
