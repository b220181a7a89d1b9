"""The examples of the description: one project's life as it was lived, each operation with what went in and came out.

`life.json` is written by the test that lives it, and held to it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("life.json")
# Addresses of the machine that it was lived on: another run says them otherwise.
OF_THE_MOMENT = frozenset({"url", "took_ms"})


@cache
def examples() -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return found


def tell(operation: dict[str, Any]) -> None:
    """Put an operation's example where a reader of its description looks for it."""
    example = examples().get(operation["operationId"])
    if example is None:
        return
    for parameter in operation.get("parameters", ()):
        if parameter["name"] in example.get("parameters", {}):
            parameter["example"] = example["parameters"][parameter["name"]]
    for content in operation.get("requestBody", {}).get("content", {}).values():
        content["example"] = example["request"]
    for content in operation["responses"][example["status"]]["content"].values():
        if "response" in example:
            content["example"] = example["response"]
