"""List envelopes: newest first, `limit`, `starting_after`, `ending_before`, `created[gte]` and filters."""

from __future__ import annotations

from typing import Any

from core.gateways.stripe_sandbox.errors import missing
from core.gateways.stripe_sandbox.store import FILTERS, Object
from core.gateways.stripe_sandbox.world import World

_COMPARE = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_PAGING = {"limit", "starting_after", "ending_before", "expand"}


def listed(world: World, kind: str, params: dict[str, Any], url: str, **fixed: str) -> Object:
    """One page of the account's objects of a kind. Refuses a cursor that does not exist."""
    limit = min(max(int(params.get("limit", 10)), 1), 100)
    where = ["kind = ?", "account = ?"]
    args: list[Any] = [kind, world.account]
    for name, value in {**_filters(params), **fixed}.items():
        _condition(name, value, where, args)
    order = "desc"
    if cursor := params.get("starting_after"):
        where.append("seq < ?")
        args.append(_seq(world, kind, cursor, "starting_after"))
    elif cursor := params.get("ending_before"):
        order = "asc"
        where.append("seq > ?")
        args.append(_seq(world, kind, cursor, "ending_before"))
    rows = world.store.select(" and ".join(where), tuple(args), order=order, limit=limit + 1)
    more, rows = len(rows) > limit, rows[:limit]
    return {"object": "list", "data": rows if order == "desc" else rows[::-1], "has_more": more, "url": url}


def _filters(params: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in params.items() if name not in _PAGING}


def _condition(name: str, value: Any, where: list[str], args: list[Any]) -> None:
    column = name if name in (*FILTERS, "created") else f"json_extract(body, '$.{name}')"
    if isinstance(value, dict):
        for word, bound in value.items():
            where.append(f"{column} {_COMPARE[word]} ?")
            args.append(bound)
    elif isinstance(value, list):
        where.append(f"json_extract(body, '$.type') in ({', '.join('?' * len(value))})")
        args.extend(value)
    else:
        where.append(f"{column} = ?")
        args.append(value)


def _seq(world: World, kind: str, cursor: str, param: str) -> int:
    seq = world.store.seq(cursor)
    if seq is None:
        raise missing(kind, cursor, param=param)
    return seq
