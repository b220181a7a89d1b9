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


EVENTS = "(events)"  # beside the operations in the file


@cache
def examples() -> Mapping[str, Any]:
    """By operation."""
    found: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    found.pop(EVENTS, None)
    return found


@cache
def events() -> Mapping[str, Any]:
    """By kind, the first that was told."""
    found: Mapping[str, Any] = json.loads(FILE.read_text(encoding="utf-8")).get(EVENTS, {})
    return found


def tell(operation: dict[str, Any], shapes: Mapping[str, Any]) -> None:
    """Put an operation's example where a reader of its description looks for it: out of that life, else that of the
    shape of its answer."""
    example = examples().get(operation["operationId"])
    if example is None:
        for status, answer in operation["responses"].items():
            for content in answer.get("content", {}).values() if status < "300" else ():
                name = content["schema"].get("$ref", "").rpartition("/")[2]
                content.update({"example": shapes[name]} if name in shapes else {})
        return
    for parameter in operation.get("parameters", ()):
        if parameter["name"] in example.get("parameters", {}):
            parameter["example"] = example["parameters"][parameter["name"]]
    for content in operation.get("requestBody", {}).get("content", {}).values():
        content["example"] = example["request"]
    for content in operation["responses"][example["status"]]["content"].values():
        if "response" in example:
            content["example"] = example["response"]


def tell_event(kind: str, webhook: dict[str, Any]) -> None:
    """The same for what a marketplace is told."""
    example = events().get(kind)
    for content in webhook["requestBody"]["content"].values() if example else ():
        content["example"] = example
