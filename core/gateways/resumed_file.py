"""A file of rows that goes on where an earlier try was killed: what that wrote, as far as it was on the disk, and the
moment of the database that it was reading.

Beside the file that is being written lies `<file>.begun`: the snapshot, and how many bytes are safe. A later try copies
those rows into a file of its own, so that whoever is still alive against all appearances spoils nothing, and reads on
with what was visible in that snapshot.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from core.gateways import files

BEGUN = ".begun"
SAFE_EVERY = 0.5  # seconds


@dataclass(frozen=True)
class EarlierTry:
    """Rows that were written under `snapshot`: the first `size` bytes of `path`."""

    path: Path
    snapshot: str
    size: int

    @classmethod
    def of(cls, path: Path) -> EarlierTry | None:
        """What this file, which a worker left, is good for; None where another starts again from the first row."""
        try:
            facts = json.loads(begun(path).read_bytes())
            found = cls(path, str(facts["snapshot"]), int(facts["bytes"]))
            return found if 0 < found.size <= path.stat().st_size else None
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def rows(self, *, quoted: bool) -> Iterator[bytes]:
        """Each whole row with its line feed, the header first where there is one; the last may have been torn, and is
        left out. `quoted`: as CSV, where a row goes on over a line feed within quotation marks."""
        left, row = self.size, b""
        with self.path.open("rb") as file:
            for line in file:
                left -= len(line)
                if left < 0 or not line.endswith(b"\n"):
                    return
                row += line
                if not quoted or row.count(b'"') % 2 == 0:
                    yield row
                    row = b""


class Trail:
    """What a try leaves for the next: said at the beginning, and again now and then."""

    def __init__(self, path: Path, file: IO[bytes], earlier: EarlierTry | None = None) -> None:
        self.earlier = earlier
        self._path, self._file, self._snapshot, self._said = path, file, "", 0.0

    def begin(self, snapshot: str) -> None:
        """Under which snapshot the rows are read that are written from now on, from the first."""
        begun(self._path).unlink(missing_ok=True)
        self._snapshot, self._said = snapshot, 0.0

    def keep(self) -> None:
        """What is written by now is safe. Costs nothing where that was said a moment ago."""
        if not self._snapshot or time.monotonic() - self._said < SAFE_EVERY:
            return
        self._file.flush()
        os.fsync(self._file.fileno())
        facts = {"snapshot": self._snapshot, "bytes": self._file.tell()}
        files.replace(begun(self._path), json.dumps(facts).encode())
        self._said = time.monotonic()


def begun(path: Path) -> Path:
    return path.with_name(path.name + BEGUN)
