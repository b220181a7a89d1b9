"""Checkpoints outside: every signed line once more in places that are not the desk's home, as soon as it is signed.

What lies outside is what finds a home that was rolled back, cut short or signed again: a place never gets a line that
does not follow the last one that it has. `Place` is all that is asked of one; which there are is
`core.audit.outside_places`. A worker looks after each by itself, so that one that does not answer delays no other, and
keeps in the home what it found: a page that tells of a place never waits for it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from core.audit import checkpoints
from core.audit.checkpoint_lines import lines_from, number_of
from core.audit.verification_report import Finding
from core.errors import DeskError
from core.gateways import files
from core.policy.limits import OUTSIDE_RETRY_FIRST, OUTSIDE_RETRY_LONGEST, SEALED_WITHIN

AT_ONCE = 500
STATE_FILE = "{ledger}.outside-{kind}.json"
TIMES = ("written_at", "failed_at", "next_try_at")


class OutsideUnreachable(DeskError):
    """Checkpoints cannot be written outside, to {place}: {why}. They are signed all the same, and go there once that
    is mended; what is missing is tried again by itself."""


class OutsideDisagrees(DeskError):
    """The checkpoints outside, in {place}, tell another history than the desk's own: {why}. Nothing was written there.

    One of them was altered, rolled back or signed again. Keep both, and run `escrow-desk audit verify` with each.
    """


class Place(Protocol):
    """Where checkpoints go. `name` is for people, `kind` one word.

    `every`: it gets them so often, and not at once. `newest_only`: it has no use for those in between. `asked_always`:
    asking what it has costs nothing, so a disagreement is found also while there is nothing to write.
    """

    @property
    def kind(self) -> str: ...

    @property
    def name(self) -> str: ...

    @property
    def every(self) -> timedelta: ...

    @property
    def newest_only(self) -> bool: ...

    @property
    def asked_always(self) -> bool: ...

    def last_line(self, ledger: str, n: int) -> bytes | None:
        """The last whole line that is there, empty where there is none; None where that cannot be asked. `n` is the
        last that is known to be there. Raises `OutsideUnreachable`."""
        ...

    def add(self, ledger: str, lines: Sequence[bytes], now: datetime) -> None:
        """Add lines, so that they are there when this returns. The same lines may come again where nobody knows whether
        they arrived. Raises `OutsideUnreachable`, `OutsideDisagrees`."""
        ...


@runtime_checkable
class Readable(Protocol):
    """A place that can be read back."""

    @property
    def name(self) -> str: ...

    def lines(self, ledger: str) -> Iterator[bytes]:
        """Every line, in order. Raises `OutsideUnreachable`."""
        ...


@dataclass(frozen=True)
class Standing:
    """What is known of a place: the last seal that is there, how many signed lines are not, and since when the first of
    those waits; when it last took one, when it last did not, and why."""

    n: int = 0
    missing: int = 0
    since: datetime | None = None
    wrong: str = ""
    written_at: datetime | None = None
    failed_at: datetime | None = None

    def late(self, every: timedelta, now: datetime) -> bool:
        return self.since is not None and now - self.since > every + SEALED_WITHIN


def publish(home: Path, ledger: str, place: Place, *, now: datetime) -> int | None:
    """Write outside every line that is not there yet; how many. `home` is the folder of the desk's own checkpoints.

    None where it was not tried, because the last try failed a moment ago. Raises `OutsideUnreachable`,
    `OutsideDisagrees`.
    """
    known = _known(home, ledger, place)
    if known.next_try_at and now < known.next_try_at <= now + OUTSIDE_RETRY_LONGEST:
        return None
    try:
        return _written(home, ledger, place, known, now)
    except DeskError as problem:
        known = _known(home, ledger, place)  # some may have been written before it failed
        failures = known.failures + 1
        again = min(OUTSIDE_RETRY_LONGEST, OUTSIDE_RETRY_FIRST * 2 ** min(failures - 1, 20))
        failed = replace(
            known, wrong=problem.message, failed_at=now, failures=failures, next_try_at=now + again
        )
        _keep(home, ledger, place, known, failed)
        raise


def standing(home: Path, ledger: str, place: Place) -> Standing:
    """As the worker found it at its last look there."""
    known, last = _known(home, ledger, place), checkpoints.last(home, ledger)
    first = next(lines_from(checkpoints.file_of(home, ledger), known.n + 1), None)
    found = Standing(known.n, 0, None, known.wrong, known.written_at, known.failed_at)
    if first is None or last is None:
        return found
    since = datetime.fromisoformat(json.loads(first[1])["signed_at"])
    return replace(found, missing=last.n - first[0] + 1, since=since)


def differing(home: Path, ledger: str, place: Readable) -> Iterator[Finding]:
    """What a place holds otherwise than the home, read back whole. What it does not have yet is no finding."""

    def finding(wrong: str, n: int | None = None, why: str = "") -> Finding:
        return Finding("checkpoint", wrong, seal=n, why=f"{place.name}{why}")

    ours = lines_from(checkpoints.file_of(home, ledger), 1)
    try:
        for line in place.lines(ledger):
            n = number_of(line)
            own, mine = next(ours, (None, b""))
            if n is None:
                yield finding("outside_unreadable", own)
                return
            while own is not None and own < n:
                yield finding("outside_gap", own)
                own, mine = next(ours, (None, b""))
            if own is None:
                yield finding("outside_more", n)
                return
            if own != n or mine != line:
                yield finding("outside_other", n)
                return
    except OutsideUnreachable as problem:
        yield finding("outside_unread", why=f" ({problem.facts['why']})")


def _written(home: Path, ledger: str, place: Place, known: _Known, now: datetime) -> int:
    last = checkpoints.last(home, ledger)
    behind = (last.n if last else 0) != known.n
    if not (behind or known.wrong or place.asked_always):
        return 0
    count, (n, waiting) = 0, _missing(home, ledger, place, known.n)
    if known.upto is None and known.written_at and not known.wrong and now - known.written_at < place.every:
        return 0
    while lines := _batch(waiting, place, known.upto - n if known.upto else None):
        if (
            place.every and known.upto is None
        ):  # said before it is sent: sent again, it is the same to the byte
            known = _keep(home, ledger, place, known, replace(known, n=n, upto=lines[-1][0]))
        place.add(ledger, [line for _, line in lines], now)
        count, n = count + len(lines), lines[-1][0]
        known = _keep(
            home, ledger, place, known, _Known(place.name, n, written_at=now, failed_at=known.failed_at)
        )
    well = replace(known, n=n, wrong="", failures=0, next_try_at=None, upto=None)
    _keep(home, ledger, place, known, well)
    return count


def _batch(waiting: Iterator[tuple[int, bytes]], place: Place, size: int | None) -> list[tuple[int, bytes]]:
    """The next lines to send at once. `size`: of those that were tried before, and perhaps arrived."""
    if place.newest_only:
        *_, newest = [None, *islice(waiting, size)]
        return [newest] if newest else []
    return list(islice(waiting, size or AT_ONCE))


@dataclass(frozen=True)
class _Known:
    """The last seal whose line is outside, what was wrong at the last look, and up to where a try is under way."""

    place: str
    n: int = 0
    wrong: str = ""
    failures: int = 0
    upto: int | None = None
    written_at: datetime | None = None
    failed_at: datetime | None = None
    next_try_at: datetime | None = None

    @classmethod
    def of(cls, facts: dict[str, Any]) -> _Known:
        return cls(**facts | {each: datetime.fromisoformat(facts[each]) for each in TIMES if facts[each]})


def _state_file(home: Path, ledger: str, place: Place) -> Path:
    return home / STATE_FILE.format(ledger=ledger, kind=place.kind)


def _known(home: Path, ledger: str, place: Place) -> _Known:
    try:
        found = _Known.of(json.loads(_state_file(home, ledger, place).read_bytes()))
    except (OSError, ValueError, TypeError, KeyError):
        return _Known(place.name)
    return found if found.place == place.name else _Known(place.name)


def _keep(home: Path, ledger: str, place: Place, before: _Known, now: _Known) -> _Known:
    if now != before:
        content = json.dumps(asdict(now), default=datetime.isoformat).encode()
        files.replace(_state_file(home, ledger, place), content)
    return now


def _missing(home: Path, ledger: str, place: Place, known: int) -> tuple[int, Iterator[tuple[int, bytes]]]:
    """The last seal whose line is outside, and number and bytes of each line that follows it."""
    outside = place.last_line(ledger, known)
    n = known if outside is None else 0
    if outside:
        found = number_of(outside)
        if found is None:
            raise OutsideDisagrees(place=place.name, why="the last line there cannot be read")
        n = found
    lines = lines_from(checkpoints.file_of(home, ledger), n)
    if n:
        number, ours = next(lines, (None, b""))
        if number != n:
            raise OutsideDisagrees(
                place=place.name, why=f"there is a checkpoint of seal {n} there, and none here"
            )
        if outside and ours != outside:
            raise OutsideDisagrees(place=place.name, why=f"the checkpoint of seal {n} is another")
    return n, lines
