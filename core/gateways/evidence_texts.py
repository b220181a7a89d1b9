"""Text and e-mail from outsiders: decoded, never interpreted. What an e-mail carries is taken out, file by file.

Runs apart (`evidence_apart`). Marks that cannot be seen are made visible, because they change what a reader sees.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage, Message
from email.parser import BytesParser

from core.rules import file_names
from core.rules.evidence import (
    CSV,
    EMAIL,
    FORMATS,
    MAX_ATTACHMENTS,
    TEXT_SHOWN,
    ActiveContent,
    FileUnreadable,
    Format,
    TooManyAttachments,
)

FORMULA = re.compile(r'(?:^|[,;\t\n])\s*"?\s*(?:[=@]|[+-](?![\d.,\s]))')
HEADERS = ("From", "Reply-To", "To", "Cc", "Date", "Subject", "Message-ID")
ENDINGS = {one.media_type: one.endings[0] for one in FORMATS}
MARKS_PER_MILLE = 5


def inspect(file_name: str, content: bytes, form: Format) -> None:
    """Raises `FileUnreadable` for what is not text, `ActiveContent` for formulas. What an e-mail carries is checked
    file by file, see `attachments`."""
    text = _decoded(content)
    strange = 0 if text is None else sum(1 for mark in text if _control(mark))
    if text is None or strange * 1000 > len(text) * MARKS_PER_MILLE:
        raise FileUnreadable(file_name=file_name, why="it is not plain text")
    if form is CSV and FORMULA.search(text):
        raise ActiveContent(file_name=file_name, what="cells that a spreadsheet would run as formulas")


@dataclass(frozen=True)
class Attachment:
    """A file that came inside an e-mail, under a cleaned name."""

    file_name: str
    content: bytes


def attachments(file_name: str, content: bytes) -> list[Attachment]:
    """Every file in an e-mail: attached, or put into its text. Raises `TooManyAttachments`, `ActiveContent`."""
    found = [part for part in _parsed(content).walk() if _is_file(part)]
    if len(found) > MAX_ATTACHMENTS:
        raise TooManyAttachments(file_name=file_name, count=len(found), limit=MAX_ATTACHMENTS)
    for part in found:
        if part.get_content_maintype() == "message":
            raise ActiveContent(file_name=file_name, what="another e-mail; hand that in by itself")
    return [
        Attachment(_named(part, number), bytes(part.get_payload(decode=True) or b""))
        for number, part in enumerate(found, 1)
    ]


def _is_file(part: Message) -> bool:
    if part.get_content_maintype() == "message":
        return True
    if part.is_multipart():
        return False
    return bool(part.get_filename()) or part.get_content_maintype() != "text" or _set_apart(part)


def _set_apart(part: Message) -> bool:
    return part.get_content_disposition() == "attachment"


def _named(part: Message, number: int) -> str:
    ending = ENDINGS.get(part.get_content_type(), "bin")
    return file_names.clean(str(part.get_filename() or f"attachment-{number}.{ending}"))


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
    carried = [part for part in letter.walk() if _is_file(part)]
    lines += [f"Attached: {_named(part, number)}" for number, part in enumerate(carried, 1)]
    return "\n".join(lines) + "\n\n" + words.strip("\n")


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
