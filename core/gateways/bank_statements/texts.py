"""The bytes of a text file as lines with their numbers, decoded one at a time."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator

from core.gateways.bank_statements.parsed import StatementUnreadable

MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
AT_ONCE = 1 << 20
LONGEST_LINE = 100_000


def encoding_of(content: bytes) -> str:
    """By its mark, or UTF-8 where all of it is UTF-8, or else Western European."""
    for mark, name in MARKS:
        if content.startswith(mark):
            return name
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(content), AT_ONCE):
            decoder.decode(content[start : start + AT_ONCE])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def numbered(file: str, content: bytes, encoding: str | None = None) -> Iterator[tuple[int, str]]:
    """Each line with its number, without its end. Raises `StatementUnreadable`."""
    name, number = encoding or encoding_of(content), 0
    lines = io.TextIOWrapper(io.BytesIO(content), encoding=name, newline=None)
    try:
        while line := lines.readline(LONGEST_LINE + 1):
            number += 1
            if len(line) > LONGEST_LINE:
                raise StatementUnreadable(file=file, place=f"line {number}", what="the line is far too long")
            if "\0" in line:
                raise StatementUnreadable(file=file, place=f"line {number}", what="it holds a NUL character")
            yield number, line.rstrip("\n")
    except UnicodeDecodeError:
        what = f"it is not written in {name}"
        raise StatementUnreadable(file=file, place=f"line {number + 1} or soon after", what=what) from None


def start(content: bytes, most: int = 4_096) -> str:
    """The beginning of a file as text, for a look at what it is."""
    return content[:most].decode(encoding_of(content[:most]), errors="replace").lstrip("\ufeff \t\r\n")
