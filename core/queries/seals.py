"""The seals on screen: newest first, each with its signed checkpoint outside the database, if there is one.

A list is not a proof: `core.audit.verify` checks signatures and rows. Here a checkpoint counts when its line holds the
very hash that the database has.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.audit.checkpoint_lines import lines_from
from core.audit.checkpoints import file_of
from core.audit.pinned_keys import ledger_name
from core.db import NEWEST

LONGEST_SCAN = 1000
PAGE = text(
    """
    select n, epoch, sealed_at, entries, journals, coalesce(changes, 0) as changes, encode(hash, 'hex') as hash
    from seals where n < :before order by n desc limit :limit
    """
)


@dataclass(frozen=True)
class SealRow:
    """One seal. `signed_at` is the time of its checkpoint; None where there is none, or one with another hash."""

    n: int
    epoch: int
    sealed_at: datetime
    entries: int
    journals: int
    changes: int
    hash: str
    signed_at: datetime | None

    @property
    def rows(self) -> int:
        return self.entries + self.journals + self.changes


def page(session: Session, folder: Path, *, before: int | None = None, limit: int = 50) -> list[SealRow]:
    """Seals with a number below `before`; `folder` is where the checkpoints lie."""
    found = session.execute(PAGE, {"before": before or NEWEST, "limit": limit}).all()
    signed = _signed(file_of(folder, ledger_name(session)), {row.n for row in found})
    return [SealRow(**row._mapping, signed_at=_time(signed.get(row.n), row.hash)) for row in found]


def _time(line: dict[str, str] | None, hash: str) -> datetime | None:
    return datetime.fromisoformat(line["signed_at"]) if line and line.get("hash") == hash else None


def _signed(path: Path, numbers: set[int]) -> dict[int, dict[str, str]]:
    """The lines of these seals."""
    return dict(_lines(path, numbers)) if numbers else {}


def _lines(path: Path, numbers: set[int]) -> Iterator[tuple[int, dict[str, str]]]:
    longest = max(LONGEST_SCAN, len(numbers))
    for number, line in islice(lines_from(path, min(numbers)), longest):
        if number > max(numbers):
            return
        if number in numbers:
            try:
                yield number, json.loads(line)
            except ValueError:
                continue
