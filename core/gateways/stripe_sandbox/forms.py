"""Form-encoded nested parameters: `metadata[op]=7&expand[0]=charge&created[gte]=5` as dictionaries and lists."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

_PART = re.compile(r"\[([^\[\]]*)\]")


def nested(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Keys in brackets become dictionaries; dictionaries whose keys are 0, 1, 2, … (or empty) become lists."""
    tree: dict[str, Any] = {}
    for name, value in pairs:
        head, *rest = [name.split("[", 1)[0], *_PART.findall(name)]
        at, key = tree, head
        for part in rest:
            below = at.setdefault(key, {})
            if not isinstance(below, dict):  # `a=1&a[b]=2`: the later, deeper one wins
                below = at[key] = {}
            at, key = below, part or str(len(below))
        at[key] = value
    return {key: _lists(value) for key, value in tree.items()}


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {key: _lists(each) for key, each in value.items()}
    if inner and all(key == str(place) for place, key in enumerate(inner)):
        return list(inner.values())
    return inner
