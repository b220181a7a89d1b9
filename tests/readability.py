"""How hard a text is to read, by the Flesch–Kincaid grade: the years of school that it takes to follow it."""

from __future__ import annotations

import re

_SENTENCE = re.compile(r"(?<=[.!?:])\s+|\n{2,}")
_WORD = re.compile(r"[A-Za-z']+")


def sentences(text: str) -> list[list[str]]:
    found = [_WORD.findall(each) for each in _SENTENCE.split(text)]
    return [each for each in found if each]


def syllables(word: str) -> int:
    """Groups of vowels; a silent `e` or `ed` at the end is none."""
    plain = word.lower()
    count = len(re.findall(r"[aeiouy]+", plain))
    silent = re.search(r"(?<![aeiouytdl])ed$|(?<![aeiouyl])e$", plain) is not None
    return max(count - silent, 1)


def grade(text: str) -> float:
    found = sentences(text)
    words = [word for each in found for word in each]
    spoken = sum(map(syllables, words))
    return 0.39 * len(words) / len(found) + 11.8 * spoken / len(words) - 15.59
