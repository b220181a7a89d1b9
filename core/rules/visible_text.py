"""Whether a text says anything. What nobody sees says nothing, however many characters of it there are.

Blanks, joiners, marks that turn or only decorate, and letters that are drawn as nothing may stand within words (scripts
and pictures need them), but not instead of them.
"""

from __future__ import annotations

import re
import unicodedata

# Letters and symbols by their category, blank by their shape: fillers of Hangul, and a pattern of Braille without dots.
BLANK = frozenset("\u115f\u1160\u3164\uffa0\u2800")
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Cn", "Co", "Mn", "Me", "Mc", "Zs", "Zl", "Zp"})
# Marks that change how the letter before them is drawn, or nothing at all: variation selectors, and what stands for a
# vowel that is not written.
_SELECTORS = frozenset(
    map(
        chr,
        (0x034F, 0x17B4, 0x17B5, *range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)),
    )
)
_DROPPED = frozenset({"Cf", "Cs"})
_TAGS = range(0xE0020, 0xE0080)  # what the flags of England, Scotland and Wales are spelled with
_JOINERS = frozenset({"\u200c", "\u200d", *map(chr, _TAGS)})
# A flag is a black one and tags that spell whose it is; elsewhere tags are drawn as nothing.
_STRAY_TAGS = re.compile("(?<![\U0001f3f4\U000e0020-\U000e007f])[\U000e0020-\U000e007f]+")
_PLAIN = re.compile(r"[!-~]")


def says_something(text: str) -> bool:
    """Whether at least one character of it can be seen by itself."""
    return bool(_PLAIN.search(text)) or any(
        unicodedata.category(each) not in _UNSEEN and each not in BLANK for each in text
    )


def length(text: str) -> int:
    """How many characters of it count: without blanks around them, and without what nobody sees."""
    if not says_something(text):
        return 0
    return len("".join(each for each in text if not _drops(each)).strip())


def tidy(text: str) -> str:
    """One line as it is kept: each letter in one way (NFC), single blanks, and no mark that nobody sees.

    Marks that turn what stands around them go too. Joiners stay, because scripts and pictures are written with them.
    """
    text = _STRAY_TAGS.sub("", text)
    kept = "".join(each for each in text if each in _JOINERS or not _drops(each))
    return " ".join(unicodedata.normalize("NFC", kept).split())


def has_unseen(text: str) -> bool:
    """Whether a mark in it is drawn as nothing by itself, so that another text without it would look the same, or is no
    character at all."""
    return any(
        each in BLANK or each in _SELECTORS or unicodedata.category(each) in ("Cc", "Cf", "Cs", "Cn", "Co")
        for each in text
    )


def _drops(mark: str) -> bool:
    return mark in BLANK or unicodedata.category(mark) in _DROPPED
