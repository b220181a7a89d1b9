"""Checkpoints outside: every signed line once more in a place that is not the desk's home, as soon as it is signed.

What lies outside is what finds a home that was rolled back, cut short or signed again: a place never gets a line that
does not follow the last one that it has. `Place` is all that is asked of one; a folder is one, such as a mount of
another machine. The worker looks there each second and keeps in the home what it found, so that a page that tells of it
never waits for a place that does not answer.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Protocol

from core.audit import checkpoints
from core.audit.checkpoint_lines import lines_from
from core.audit.seals import Seal
from core.errors import DeskError
from core.gateways.files import replace

AT_ONCE = 500
NOTE_FILE, STATE_FILE = "{ledger}.checkpoint", "{ledger}.outside.json"
READABLE = 0o644  # for the witness


class OutsideUnreachable(DeskError):
    """Checkpoints cannot be written outside, to {place}: {why}. They are signed all the same, and go there once it is
    back: mount or make it, and let the account of the desk write to it."""


class OutsideDisagrees(DeskError):
    """The checkpoints outside, in {place}, tell another history than the desk's own: {why}. Nothing was written there.

    One of them was altered, rolled back or signed again. Keep both, and run `escrow-desk audit verify` with each.
    """


class Place(Protocol):
    """Where checkpoints go."""

    @property
    def name(self) -> str:
        """For people."""
        ...

    def last_line(self, ledger: str) -> bytes:
        """The last whole line that is there; empty where there is none. Raises `OutsideUnreachable`."""
        ...

    def add(self, ledger: str, lines: Sequence[bytes]) -> None:
        """Add lines, so that they are there when this returns. Raises `OutsideUnreachable`."""
        ...


@dataclass(frozen=True)
class Folder:
    """The lines in `<ledger>.jsonl`, as in the home, and the newest checkpoint as a note in `<ledger>.checkpoint`."""

    path: Path

    @property
    def name(self) -> str:
        return str(self.path)

    def last_line(self, ledger: str) -> bytes:
        self._require()
        try:
            return checkpoints.last_line(self.path, ledger)
        except OSError as problem:
            raise OutsideUnreachable(place=self.name, why=problem.strerror or problem) from None

    def add(self, ledger: str, lines: Sequence[bytes]) -> None:
        self._require()
        try:
            checkpoints.append(self.path, ledger, lines)
            if tree := json.loads(lines[-1]).get("tree"):
                note = self.path / NOTE_FILE.format(ledger=ledger)
                replace(note, tree["note"].encode())
                note.chmod(READABLE)
        except OSError as problem:
            raise OutsideUnreachable(place=self.name, why=problem.strerror or problem) from None

    def _require(self) -> None:
        """It is never made: where it should be mounted, it would lie on the desk's own disk."""
        if not self.path.is_dir():
            raise OutsideUnreachable(place=self.name, why="there is no such folder")


@dataclass(frozen=True)
class Lag:
    """How many signed lines are not outside yet, when the first of them was signed, and why, if that is known."""

    missing: int = 0
    since: datetime | None = None
    wrong: str = ""


def publish(home: Path, ledger: str, place: Place) -> int:
    """Write outside every line that is not there yet; how many. `home` is the folder of the desk's own checkpoints.

    Raises `OutsideUnreachable`, `OutsideDisagrees`.
    """
    known = _known(home, ledger, place.name)
    try:
        count, waiting = 0, _missing(home, ledger, place)
        while lines := [line for _, line in islice(waiting, AT_ONCE)]:
            place.add(ledger, lines)
            count += len(lines)
        there = place.last_line(ledger)
        _keep(home, ledger, known, _Known(place.name, _number(there, place) if there else 0))
    except DeskError as problem:
        _keep(home, ledger, known, _Known(place.name, known.n, problem.message))
        raise
    return count


def lag(home: Path, ledger: str, name: str) -> Lag:
    """What is not in the place of this name yet, as the worker found it."""
    known, last = _known(home, ledger, name), checkpoints.last(home, ledger)
    first = next(lines_from(checkpoints.file_of(home, ledger), known.n + 1), None)
    if first is None or last is None:
        return Lag(wrong=known.wrong)
    since = datetime.fromisoformat(json.loads(first[1])["signed_at"])
    return Lag(last.n - first[0] + 1, since, known.wrong)


@dataclass(frozen=True)
class _Known:
    """The last seal whose line is outside, and what was wrong at the last look."""

    place: str
    n: int = 0
    wrong: str = ""


def _known(home: Path, ledger: str, name: str) -> _Known:
    try:
        found = _Known(**json.loads((home / STATE_FILE.format(ledger=ledger)).read_bytes()))
    except (OSError, ValueError, TypeError):
        return _Known(name)
    return found if found.place == name else _Known(name)


def _keep(home: Path, ledger: str, before: _Known, now: _Known) -> None:
    if now != before:
        replace(home / STATE_FILE.format(ledger=ledger), json.dumps(vars(now)).encode())


def _missing(home: Path, ledger: str, place: Place) -> Iterator[tuple[int, bytes]]:
    """Number and bytes of each line that follows the last one outside."""
    outside = place.last_line(ledger)
    n = _number(outside, place) if outside else 0
    lines = lines_from(checkpoints.file_of(home, ledger), n)
    if outside:
        number, ours = next(lines, (None, b""))
        if number != n:
            raise OutsideDisagrees(
                place=place.name, why=f"there is a checkpoint of seal {n} there, and none here"
            )
        if ours != outside:
            raise OutsideDisagrees(place=place.name, why=f"the checkpoint of seal {n} is another")
    yield from lines


def _number(line: bytes, place: Place) -> int:
    try:
        return Seal.of(json.loads(line)).n
    except (ValueError, KeyError, TypeError):
        raise OutsideDisagrees(place=place.name, why="the last line there cannot be read") from None
