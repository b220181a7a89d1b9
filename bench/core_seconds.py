"""Seconds of a core that processes of this machine have had, as Linux counts them; none where it is not told."""

from __future__ import annotations

import os
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
PARENT, OWN, ENDED_CHILDREN = 4, slice(14, 16), slice(16, 18)  # as proc(5) counts the fields of /proc/…/stat


def of_process(number: int) -> float:
    return _sum(_fields(number)[OWN])


def with_children(number: int) -> float:
    """Of the process, its children, and those of them that have ended."""
    fields = {each: _fields(each) for each in (int(name) for name in os.listdir("/proc") if name.isdigit())}
    children = [each for each in fields.values() if int(each[PARENT]) == number]
    own = fields.get(number, _fields(number))
    return sum(_sum(each[OWN]) for each in (own, *children)) + _sum(own[ENDED_CHILDREN])


def _sum(ticks: list[str]) -> float:
    return sum(map(int, ticks)) / TICKS


def _fields(number: int) -> list[str]:
    """The first is 1; zeros of a process that has ended."""
    try:
        before, _, after = Path(f"/proc/{number}/stat").read_text().rpartition(")")
    except OSError:
        return ["0"] * 20
    return ["", *before.split(maxsplit=1), *after.split()]
