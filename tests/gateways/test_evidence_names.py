"""File names from outsiders, cleaned."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.rules.file_names import LONGEST, clean, words


@pytest.mark.parametrize(
    ("given_name", "cleaned"),
    [
        ("photo.jpg", "photo.jpg"),
        ("../../etc/passwd.txt", "passwd.txt"),
        ("C:\\Users\\me\\scan 1.pdf", "scan 1.pdf"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("a\x00b\nc\r.txt", "ab c.txt"),
        ("zero\u200bwidth\ufeff.png", "zerowidth.png"),
        ('we"ird<name>|?.png', "we_ird_name___.png"),
        ("   ..hidden.txt. ", "hidden.txt"),
        (".pdf", "pdf"),
        ("", "file"),
        ("con.txt", "_con.txt"),
        ("LPT1.pdf", "_LPT1.pdf"),
        ("дом.jpg", "дом.jpg"),
        ("x" * 400 + ".jpeg", "x" * 115 + ".jpeg"),
    ],
)
def test_a_name_keeps_what_is_readable_and_loses_what_misleads(given_name: str, cleaned: str) -> None:
    assert clean(given_name) == cleaned


@given(st.text(max_size=300))
def test_any_name_becomes_short_printable_and_without_a_path(name: str) -> None:
    cleaned = clean(name)
    assert 0 < len(cleaned) <= LONGEST
    assert cleaned.isprintable()
    assert not set('/\\:*?"<>|') & set(cleaned)
    assert cleaned[0] not in ". "
    assert clean(cleaned) == cleaned


def test_a_caption_stays_on_one_line_and_within_bounds() -> None:
    assert words("one\n\ttwo\u202e  three", longest=9) == "one two t"
