"""Names and words from outsiders, cleaned: what remains cannot lie about itself, leave its folder or break a line."""

from __future__ import annotations

import re
import unicodedata

from core.rules.display_limits import few_marks

LONGEST = 120
_UNSAFE = re.compile(r'[<>:"|?*\\/]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)", re.IGNORECASE)
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def clean(name: str, *, fallback: str = "file") -> str:
    """The last part of a path, safe to show and to save under on any system, at most 120 characters.

    Control characters go, and with them the marks that reorder text: `invoice\\u202efdp.exe` would read as a PDF.
    """
    visible = _UNSAFE.sub("_", without_invisible(_last(name)))
    tidy = " ".join(visible.split()).strip(". ")
    stem, dot, ending = tidy.rpartition(".")
    if not dot:
        stem, ending = tidy, ""
    stem = stem.strip(". ") or fallback
    if _RESERVED.fullmatch(stem.split(".")[0]):
        stem = f"_{stem}"
    ending = ending[:12]
    return f"{stem[: LONGEST - len(ending) - 1]}.{ending}" if ending else stem[:LONGEST]


def chosen(name: str, *, fallback: str = "file") -> str:
    """The last part of a path as its owner reads it, for sentences: what cannot be seen is left out. To save a file
    under it, `clean` it."""
    return words(_last(name), longest=LONGEST) or fallback


def _last(name: str) -> str:
    return re.split(r"[\\/]", unicodedata.normalize("NFC", name))[-1]


def without_invisible(text: str) -> str:
    """The text without control, format and unassigned characters; line breaks and tabs become blanks."""
    spaced = re.sub(r"[\t\r\n]", " ", text)
    return few_marks("".join(mark for mark in spaced if unicodedata.category(mark) not in _INVISIBLE))


def words(text: str, *, longest: int) -> str:
    """A caption on one line, at most `longest` characters."""
    return " ".join(without_invisible(text).split())[:longest]
