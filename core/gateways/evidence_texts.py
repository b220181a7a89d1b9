"""Text and e-mail from outsiders: decoded, never interpreted.

Runs apart (`evidence_apart`). Marks that cannot be seen are made visible, because they change what a reader sees.
"""

from __future__ import annotations

import re
import unicodedata
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser

from core.rules.evidence import CSV, EMAIL, TEXT_SHOWN, ActiveContent, FileUnreadable, Format

FORMULA = re.compile(r'(?:^|[,;\t\n])\s*"?\s*(?:[=@]|[+-](?![\d.,\s]))')
HEADERS = ("From", "To", "Cc", "Date", "Subject")
HARMLESS_PARTS = ("text", "image", "multipart")
MARKS_PER_MILLE = 5


def inspect(file_name: str, content: bytes, form: Format) -> None:
    """Raises `FileUnreadable` for what is not text, `ActiveContent` for formulas and for e-mail that carries files."""
    text = _decoded(content)
    strange = 0 if text is None else sum(1 for mark in text if _control(mark))
    if text is None or strange * 1000 > len(text) * MARKS_PER_MILLE:
        raise FileUnreadable(file_name=file_name, why="it is not plain text")
    if form is CSV and FORMULA.search(text):
        raise ActiveContent(file_name=file_name, what="cells that a spreadsheet would run as formulas")
    if form is EMAIL:
        for part in _parsed(content).walk():
            if part.get_content_maintype() not in HARMLESS_PARTS:
                raise ActiveContent(
                    file_name=file_name, what=f"an attachment ({part.get_content_maintype()})"
                )


def shown(content: bytes, form: str) -> str:
    """The text as it is shown: at most 200,000 characters, invisible marks spelled out."""
    text = _letter(content) if form == EMAIL.name else _decoded(content) or ""
    cut = text.replace("\r\n", "\n").replace("\r", "\n")[:TEXT_SHOWN]
    spelled = "".join(mark if mark in "\n\t" or not _hidden(mark) else f"⟨U+{ord(mark):04X}⟩" for mark in cut)
    return spelled + ("\n…" if len(text) > TEXT_SHOWN else "")


def _letter(content: bytes) -> str:
    """An e-mail as people read it: who, when, what about, and its plain text."""
    letter = _parsed(content)
    lines = [f"{name}: {letter[name]}" for name in HEADERS if letter[name]]
    body = letter.get_body(("plain",))
    if not lines or body is None:
        return _decoded(content) or ""
    try:
        words = str(body.get_content())
    except (LookupError, KeyError, ValueError):
        words = (_decoded(content) or "").partition("\n\n")[2]
    pictures = sum(1 for part in letter.walk() if part.get_content_maintype() == "image")
    note = f"\n\n[{pictures} picture{'s' if pictures > 1 else ''} in the original]" if pictures else ""
    return "\n".join(lines) + "\n\n" + words.strip("\n") + note


def _parsed(content: bytes) -> EmailMessage:
    parsed = BytesParser(policy=policy.default).parsebytes(content)
    assert isinstance(parsed, EmailMessage)
    return parsed


def _decoded(content: bytes) -> str | None:
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encodings = ["utf-16"]
    elif b"\0" in content:
        return None
    else:
        encodings = ["utf-8-sig", "cp1252"]
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def _control(mark: str) -> bool:
    return unicodedata.category(mark) == "Cc" and mark not in "\t\n\r\f"


def _hidden(mark: str) -> bool:
    return unicodedata.category(mark) in ("Cc", "Cf", "Co", "Cs")
