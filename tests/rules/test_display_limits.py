"""What is shown is bounded, whatever was sent, and ordinary text is left as it is."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from core.api.models import requests
from core.letters.template import clean
from core.rules import file_names, text_fields
from core.rules.display_limits import CUT, LINE, LINES, MARKS, bounded, few_marks

MARK = "\u0301"
HOSTILE = {
    "marks": "a" + MARK * 2_000_000,
    "marks on blanks": (" " + MARK * 50) * 40_000,
    "enclosing marks": "a" + "\u20dd" * 100_000,
    "one word": "a" * 2_000_000,
    "lines": "\n" * 2_000_000,
    "long lines": ("a" * 100_000 + "\n") * 20,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_whatever_was_sent_is_bounded_and_says_that_it_was_cut(name: str) -> None:
    shown = bounded(HOSTILE[name])
    lines = shown.split("\n")
    assert len(lines) <= LINES
    assert max(map(len, lines)) <= LINE + 2 * len(CUT)
    assert longest_row(shown) <= MARKS
    assert CUT in shown


def longest_row(text: str) -> int:
    longest = row = 0
    for each in text:
        row = row + 1 if unicodedata.category(each) in ("Mn", "Me") else 0
        longest = max(longest, row)
    return longest


@given(st.text(max_size=300), st.integers(1, 100))
def test_no_text_comes_out_longer_or_with_more_marks(text: str, longest: int) -> None:
    shown = bounded(text, longest=longest)
    assert len(shown) <= longest + len(CUT)
    assert longest_row(shown) <= MARKS
    if longest_row(text) <= MARKS and len(text) <= longest:
        assert shown == text


@pytest.mark.parametrize("text", ["Grüße, Tomás", "שָׁלוֹם", "नमस्ते", "Việt Nam", "👩‍👩‍👧", "a\nb\n", ""])
def test_the_writing_of_people_is_left_as_it_is(text: str) -> None:
    assert bounded(text) == text
    assert bounded(unicodedata.normalize("NFD", text)) == unicodedata.normalize("NFD", text)


def test_what_passed_its_limit_is_shown_and_sent_whole() -> None:
    """One line of it: a plan shows, and a letter says, all of the reasons that its hash binds."""
    assert text_fields.LONGEST <= LINE
    assert TypeAdapter(requests.Text).json_schema()["maxLength"] <= LINE
    reasons = "A reason that somebody wrote down. " * 570
    assert bounded(reasons) == clean(reasons) == reasons


def test_a_file_name_and_a_caption_carry_few_marks() -> None:
    assert longest_row(file_names.clean(f"z{MARK * 90}.pdf")) <= MARKS
    assert longest_row(file_names.words(f"z{MARK * 90}", longest=200)) <= MARKS
    assert few_marks("abc") == "abc"
