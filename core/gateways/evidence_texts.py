"""Text and e-mail from outsiders: decoded, never interpreted. What an e-mail carries is taken out, file by file.

Runs apart (`evidence_apart`). Marks that cannot be seen are made visible, because they change what a reader sees.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesParser
from email.policy import Compat32

from core.rules import file_names
from core.rules.display_limits import bounded
from core.rules.evidence import (
    CSV,
    EMAIL,
    FORMATS,
    MAX_ATTACHMENTS,
    MAX_LINES,
    MAX_NESTED,
    TEXT_SHOWN,
    ActiveContent,
    FileUnreadable,
    Format,
    LetterTooDeep,
    TooManyAttachments,
)

# Possessive, and without the separators: each mark of a file is looked at once, however many blanks it holds.
BLANKS = r"[^\S,;\t\n]*+"
FORMULA = re.compile(rf'(?:^|[,;\t\n]){BLANKS}"?+{BLANKS}(?:[=@]|[+-](?![\d.,\s]))')
HEADERS = ("From", "Reply-To", "To", "Cc", "Date", "Subject", "Message-ID")
ENDINGS = {one.media_type: one.endings[0] for one in FORMATS}
MARKS_PER_MILLE = 5
HEADER = 8_000
NESTED = re.compile(rb"^content-type\s*:\s*(?:multipart|message)/", re.IGNORECASE | re.MULTILINE)


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
    """Every file in an e-mail: attached, or put into its text.

    Raises `TooManyAttachments`, `ActiveContent`, `LetterTooDeep`.
    """
    found = [part for part in _parsed(file_name, content).walk() if _is_file(part)]
    if len(found) > MAX_ATTACHMENTS:
        raise TooManyAttachments(file_name=file_name, count=len(found), limit=MAX_ATTACHMENTS)
    for part in found:
        if part.get_content_maintype() == "message":
            raise ActiveContent(file_name=file_name, what="another e-mail; hand that in by itself")
    return [Attachment(_named(part, number), _bytes_of(part)) for number, part in enumerate(found, 1)]


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
    return file_names.clean(_words(part.get_filename() or "") or f"attachment-{number}.{ending}")


def _bytes_of(part: Message) -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def shown(content: bytes, form: str) -> str:
    """The text as it is shown: bounded, invisible marks spelled out."""
    text = _letter(content) if form == EMAIL.name else _decoded(content) or ""
    cut = text.replace("\r\n", "\n").replace("\r", "\n")[: TEXT_SHOWN + 1]
    return bounded("".join(_spelled(mark) for mark in cut), longest=TEXT_SHOWN)


def _letter(content: bytes) -> str:
    """An e-mail as people read it: who, when, what about, and its plain text."""
    letter = _parsed("The e-mail", content)
    lines = [f"{name}: {_words(str(letter[name]))}" for name in HEADERS if letter[name]]
    parts = list(letter.walk())
    body = next(
        (part for part in parts if part.get_content_type() == "text/plain" and not _is_file(part)), None
    )
    if not lines or body is None:
        return _decoded(content) or ""
    carried = [part for part in parts if _is_file(part)]
    lines += [f"Attached: {_named(part, number)}" for number, part in enumerate(carried, 1)]
    return "\n".join(lines) + "\n\n" + _body(body).strip("\n")


def _body(part: Message) -> str:
    charset = part.get_content_charset() or "utf-8"
    try:
        return _bytes_of(part).decode(charset, "replace")
    except (LookupError, ValueError):
        return _decoded(_bytes_of(part)) or ""


def _words(header: str) -> str:
    """A header on one line, its encoded words read."""
    try:
        decoded = str(make_header(decode_header(header)))
    except (HeaderParseError, LookupError, ValueError):
        decoded = header
    return " ".join(decoded.split())


class _Short(Compat32):
    """Headers as they stand, each cut to 8,000 characters: what reads their parameters takes the square of that."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        return name, value[:HEADER]


def _parsed(file_name: str, content: bytes) -> Message:
    """Raises `LetterTooDeep`: each part inside another is asked about every line below it."""
    if len(NESTED.findall(content)) > MAX_NESTED or content.count(b"\n") + content.count(b"\r") > MAX_LINES:
        raise LetterTooDeep(file_name=file_name)
    return BytesParser(policy=_Short()).parsebytes(content)


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


def _spelled(mark: str) -> str:
    return mark if mark in "\n\t" or not _hidden(mark) else f"⟨U+{ord(mark):04X}⟩"


def _hidden(mark: str) -> bool:
    return unicodedata.category(mark) in ("Cc", "Cf", "Co", "Cs")
