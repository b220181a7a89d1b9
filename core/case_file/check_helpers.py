"""What the checks of a case file share: the files, and how a fault is said."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import rfc8785

Files = Mapping[str, bytes]


class Wrong(Exception):
    """Something is off; the text says what."""


def same(what: str, found: Any, wanted: Any) -> None:
    if found != wanted:
        raise Wrong(f"{what} is {_short(found)}, and should be {_short(wanted)}")


def digest(content: Any) -> str:
    """Of canonical JSON."""
    return hashlib.sha256(rfc8785.dumps(content)).hexdigest()


def read(files: Files, name: str) -> Any:
    return json.loads(files[name])


def trail(files: Files) -> list[dict[str, Any]]:
    """The entries of the audit extract."""
    return [json.loads(line) for line in files["audit.jsonl"].decode().splitlines()]


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "…"
