"""Single lines of the checkpoint file, found by halving: they stand in the order of their seals' numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

NUMBER = re.compile(rb'\{"n":(\d{1,19}),')


def lines_from(path: Path, number: int) -> Iterator[tuple[int, bytes]]:
    """Number and bytes of each whole line from this seal's on, unchecked. What is no line of a seal is left out."""
    if not path.exists():
        return
    with path.open("rb") as file:
        file.seek(_start(file, number))
        for line in file:
            found = number_of(line)
            if found is not None and line.endswith(b"\n"):
                yield found, line


def _start(file: BinaryIO, number: int) -> int:
    """Where the line of this seal begins, or would begin."""
    low, high = 0, file.seek(0, 2)
    while low < high:
        middle = (low + high) // 2
        file.seek(middle)
        if middle:
            file.readline()
        begins, line = file.tell(), file.readline()
        found = number_of(line)
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


def number_of(line: bytes) -> int | None:
    """Of the seal whose line this says it is."""
    found = NUMBER.match(line)
    return int(found[1]) if found else None
