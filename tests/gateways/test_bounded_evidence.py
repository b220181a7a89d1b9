"""However deep, long or full of marks a file is, reading it ends soon and what is shown of it is bounded."""

from __future__ import annotations

import pytest

from core.gateways import evidence_files
from core.rules import evidence as rules
from core.rules.display_limits import LINE, LINES, MARKS
from core.rules.evidence import CSV, EMAIL, TEXT, Format

HEAD = b"From: a@example.org\r\nSubject: Tiles\r\n"


def nested(depth: int, lines: int) -> bytes:
    opened = b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (n, n) for n in range(depth)
    )
    return HEAD + opened + b"Content-Type: text/plain\r\n\r\n" + b"x\r\n" * lines


DEEP = {
    "deep": nested(3_000, 400_000),
    "folded": nested(3_000, 10).replace(b"Content-Type: ", b"Content-type:\r\n "),
    "messages": HEAD + b"Content-Type: message/rfc822\r\n\r\n" * 20_000,
    "lines": nested(1, 1_000_000),
}


@pytest.mark.parametrize("name", DEEP)
def test_an_email_too_deep_or_long_to_read_is_refused_at_once(name: str) -> None:
    with pytest.raises(rules.LetterTooDeep):
        evidence_files.inspect("mail.eml", DEEP[name])


def test_a_thousand_attachments_are_refused() -> None:
    part = b"--b\r\nContent-Type: text/plain\r\nContent-Disposition: attachment; filename=a.txt\r\n\r\nx\r\n"
    letter = HEAD + b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n' + part * 1_000 + b"--b--\r\n"
    with pytest.raises(rules.TooManyAttachments):
        evidence_files.inspect("mail.eml", letter)


LONG = {
    "parameters": HEAD + b"Content-Type: text/plain" + b'; a="' * 300_000 + b"\r\n\r\nTwo tiles.\r\n",
    "addresses": HEAD + b"To: " + b"a <a@example.org>,\r\n " * 60_000 + b"\r\n\r\nTwo tiles.\r\n",
    "encoded": b"Subject: " + b"=?utf-8?q?a?= " * 100_000 + b"\r\n" + HEAD + b"\r\nTwo tiles.\r\n",
    "headers": HEAD + b"X-A: b\r\n" * 150_000 + b"\r\nTwo tiles.\r\n",
}


@pytest.mark.parametrize("name", LONG)
def test_an_email_with_endless_headers_is_shown_within_bounds(name: str) -> None:
    evidence_files.inspect("mail.eml", LONG[name])
    shown = evidence_files.text(LONG[name], EMAIL)
    assert len(shown) <= rules.TEXT_SHOWN + 10
    assert "Two tiles." in shown


@pytest.mark.parametrize(
    ("content", "form"),
    [
        (b"a" + "\u0301".encode() * 1_000_000, TEXT),
        (b"a" * 2_000_000, TEXT),
        (b"\n" * 2_000_000, TEXT),
        (b"a," * 1_000_000, CSV),
        (b" " * 2_000_000, CSV),
        (b"\t" * 2_000_000, CSV),
        (b'" ' * 1_000_000, CSV),
    ],
)
def test_a_text_of_two_megabytes_is_taken_whole_and_shown_within_bounds(content: bytes, form: Format) -> None:
    evidence_files.inspect(f"a.{form.endings[0]}", content)
    shown = evidence_files.text(content, form)
    lines = shown.split("\n")
    assert len(lines) <= LINES
    assert max(map(len, lines)) <= LINE + 2
    assert shown.count("\u0301") <= MARKS


def test_formulas_are_still_found_behind_blanks() -> None:
    for row in ("a,  =1", 'a,"  =1', "\n  @a", "+a", "a;\t-x", ' "=1'):
        with pytest.raises(rules.ActiveContent):
            evidence_files.inspect("a.csv", row.encode())
    assert evidence_files.inspect("a.csv", b"a, -5, +3.2, -.5\n")
