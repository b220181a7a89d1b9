"""What the checks of a case file share: the files, and how a fault is said."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from core.audit.recorded_steps import Difference

Files = Mapping[str, bytes]


class Wrong(Exception):
    """Something is off; the text says what."""


def same(what: str, found: Any, wanted: Any) -> None:
    if found != wanted:
        raise Wrong(f"{what} is {_short(found)}, and should be {_short(wanted)}")


def read(files: Files, name: str) -> Any:
    return json.loads(files[name])


def trail(files: Files) -> list[dict[str, Any]]:
    """The entries of the audit extract."""
    return [json.loads(line) for line in files["audit.jsonl"].decode().splitlines()]


def about(entries: Iterable[dict[str, Any]], kind: str, number: int) -> list[dict[str, Any]]:
    """Those about one object."""
    return [row for row in entries if (row["object_kind"], row["object_id"]) == (kind, str(number))]


def agree(differences: Iterable[Difference]) -> None:
    """A row says of its steps what their entries say."""
    for each in differences:
        same(f"{each.what}, in the audit extract,", each.found, each.wanted)


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "…"
