"""Objects as they are answered: what depends on the time is filled in, and what `expand[]` names is put in whole."""

from __future__ import annotations

from typing import Any

from core.gateways.stripe_sandbox.errors import malformed
from core.gateways.stripe_sandbox.store import Object
from core.gateways.stripe_sandbox.world import World, public

_DEPTH = 4


def rendered(world: World, obj: Object, expand: list[str]) -> Object:
    """The answer to a request. Refuses paths that are too deep or name something that is no id."""
    answer = _whole(world, obj)
    for path in expand:
        steps = path.split(".")
        if len(steps) > _DEPTH:
            raise malformed(
                f"You cannot expand more than {_DEPTH} levels of a property: {path}", param="expand"
            )
        _expand(world, answer, steps, path)
    return answer


def _whole(world: World, obj: Object) -> Object:
    kind = obj.get("object")
    if kind == "list":
        return {**obj, "data": [_whole(world, each) for each in obj["data"]]}
    shown = public(obj)
    if kind == "balance_transaction":
        shown["status"] = "available" if obj["available_on"] <= world.now else "pending"
    elif kind == "dispute":
        details, due_by = shown["evidence_details"], shown["evidence_details"]["due_by"]
        shown["evidence_details"] = {**details, "past_due": bool(due_by) and due_by < world.now}
    return shown


def _expand(world: World, at: Any, steps: list[str], path: str) -> None:
    if isinstance(at, list):
        for each in at:
            _expand(world, each, steps, path)
        return
    name, *rest = steps
    if not isinstance(at, dict) or name not in at:
        raise malformed(f"This property cannot be expanded ({path}).", param="expand")
    if isinstance(at[name], str):
        found = world.store.get(at[name])
        if found is None:
            raise malformed(f"This property cannot be expanded ({path}).", param="expand")
        at[name] = _whole(world, found[0])
    elif not isinstance(at[name], dict | list | None):
        raise malformed(f"This property cannot be expanded ({path}).", param="expand")
    if rest and at[name] is not None:
        _expand(world, at[name], rest, path)
