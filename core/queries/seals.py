"""The seals on screen: newest first, each with its signed checkpoint outside the database, if there is one.

A list is not a proof: `core.audit.verify` checks signatures and rows. Here a checkpoint counts when its line holds the
very hash that the database has.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.audit.checkpoints import file_of
from core.audit.pinned_keys import ledger_name

NUMBER = re.compile(rb'\{"n":(\d{1,19}),')
LONGEST_SCAN = 1000
PAGE = text(
    """
    select n, epoch, sealed_at, entries, journals, encode(hash, 'hex') as hash
    from seals where n < :before order by n desc limit :limit
    """
)
NEWEST = 2**63 - 1


@dataclass(frozen=True)
class SealRow:
    """One seal. `signed_at` is the time of its checkpoint; None where there is none, or one with another hash."""

    n: int
    epoch: int
    sealed_at: datetime
    entries: int
    journals: int
    hash: str
    signed_at: datetime | None

    @property
    def rows(self) -> int:
        return self.entries + self.journals


def page(session: Session, folder: Path, *, before: int | None = None, limit: int = 50) -> list[SealRow]:
    """Seals with a number below `before`; `folder` is where the checkpoints lie."""
    found = session.execute(PAGE, {"before": before or NEWEST, "limit": limit}).all()
    signed = _signed(file_of(folder, ledger_name(session)), {row.n for row in found})
    return [SealRow(**row._mapping, signed_at=_time(signed.get(row.n), row.hash)) for row in found]


def _time(line: dict[str, str] | None, hash: str) -> datetime | None:
    return datetime.fromisoformat(line["signed_at"]) if line and line.get("hash") == hash else None


def _signed(path: Path, numbers: set[int]) -> dict[int, dict[str, str]]:
    """The lines of these seals. Lines stand in the order of their numbers, so the first is found by halving."""
    if not numbers or not path.exists():
        return {}
    with path.open("rb") as file:
        file.seek(_start(file, min(numbers)))
        return dict(_lines(file, numbers))


def _lines(file: BinaryIO, numbers: set[int]) -> Iterator[tuple[int, dict[str, str]]]:
    left = max(LONGEST_SCAN, len(numbers))
    while left and (line := file.readline()):
        left -= 1
        number = _number(line)
        if number is not None and number > max(numbers):
            return
        if number in numbers and line.endswith(b"\n"):
            try:
                yield number, json.loads(line)
            except ValueError:
                continue


def _start(file: BinaryIO, number: int) -> int:
    """Where the line of this seal begins, or would begin."""
    low, high = 0, file.seek(0, 2)
    while low < high:
        middle = (low + high) // 2
        file.seek(middle)
        if middle:
            file.readline()
        begins, line = file.tell(), file.readline()
        found = _number(line)
        if found is None or found >= number:
            high = middle
        else:
            low = begins + 1
    return _line_begin(file, low)


def _line_begin(file: BinaryIO, near: int) -> int:
    """The beginning of the first line at or after `near`, or of the very first."""
    file.seek(max(0, near - 1))
    if near:
        file.readline()
    return file.tell()


def _number(line: bytes) -> int | None:
    found = NUMBER.match(line)
    return int(found[1]) if found else None
