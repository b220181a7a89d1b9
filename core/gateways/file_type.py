"""What a file really is: told by its first bytes, never by its name.

A file that reads as two formats at once (a picture that is also an archive, a document that is also a page) is refused:
whoever checks it would see one of them, and whoever opens it the other.
"""

from __future__ import annotations

import io
import re
import zipfile

import puremagic

from core.rules.evidence import (
    CSV,
    DOCX,
    EMAIL,
    HEIC,
    JPEG,
    MOV,
    MP4,
    PDF,
    PNG,
    TEXT,
    WEBP,
    XLSX,
    ContentDisagrees,
    EvidenceKind,
    FileUnreadable,
    Format,
    TwoFormatsAtOnce,
    format_of,
)

SIGNATURES = {
    PNG: re.compile(rb"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"),
    JPEG: re.compile(rb"\xff\xd8\xff"),
    WEBP: re.compile(rb"RIFF....WEBPVP8[ LX]", re.DOTALL),
    HEIC: re.compile(rb"....ftyp(heic|heix|heim|heis|hevc|hevx|mif1|msf1)", re.DOTALL),
    MOV: re.compile(rb"....ftypqt  ", re.DOTALL),
    MP4: re.compile(rb"....ftyp(isom|iso[2-9]|mp4[12]|avc1|M4V |MSNV|3gp[4-7]|mmp4)", re.DOTALL),
    PDF: re.compile(rb"%PDF-[12]\.\d"),
    DOCX: re.compile(rb"PK\x03\x04"),
    XLSX: re.compile(rb"PK\x03\x04"),
}
TEXTUAL = (TEXT, EMAIL, CSV)
ZIPPED = (DOCX, XLSX)
MARKUP = re.compile(rb"<\s*(!doctype|html|svg|script|iframe|body|head|\?xml)", re.IGNORECASE)
PAGE = re.compile(rb"<\s*(html|script|svg)", re.IGNORECASE)
HEAD = 1024


def detect_format(file_name: str, content: bytes) -> Format:
    """The accepted format that name and content agree on. Raises `ContentDisagrees`, `TwoFormatsAtOnce` and others.

    What a phone names otherwise (HEIC as .jpg, QuickTime as .mp4) is taken for what it is.
    """
    claimed = _phones_own(format_of(file_name), content)
    signature = SIGNATURES.get(claimed)
    if signature is not None and not signature.match(content):
        if _begins_like(claimed, content):
            raise FileUnreadable(file_name=file_name, why="it is damaged at its beginning")
        raise ContentDisagrees(file_name=file_name, named=claimed.name, found=likely(content))
    if claimed in TEXTUAL and (other := _binary(content)):
        raise ContentDisagrees(file_name=file_name, named=claimed.name, found=other)
    if second := _second_format(claimed, content):
        raise TwoFormatsAtOnce(file_name=file_name, named=claimed.name, found=second)
    return claimed


def _phones_own(claimed: Format, content: bytes) -> Format:
    """Phones, and what shares their pictures, change endings without changing the file; the kind stays the same."""
    for true in (HEIC, MOV, MP4):
        if true.kind is claimed.kind and SIGNATURES[true].match(content):
            return true
    return claimed


def _begins_like(claimed: Format, content: bytes) -> bool:
    """Its first bytes are those of the format that its name says, and it is none of the others: it is not misnamed."""
    if any(signature.match(content) for signature in SIGNATURES.values()):
        return False
    return any(each.extension.lstrip(".") in claimed.endings for each in _guesses(content))


def _guesses(content: bytes) -> list[puremagic.PureMagicWithConfidence]:
    """What the first bytes could be, the likeliest first."""
    try:
        return list(puremagic.magic_string(content[:65_536]))
    except (puremagic.PureError, ValueError):
        return []


def likely(content: bytes) -> str:
    """What the content looks like, in words for the refusal. Only a name from our own lists ever comes out of here."""
    for known, signature in SIGNATURES.items():
        if signature.match(content):
            if known.kind is EvidenceKind.VIDEO:
                return "a video"
            return "a zip archive" if known in ZIPPED else f"a {known.name} file"
    if MARKUP.search(content[:HEAD]):
        return "a web page or vector graphic"
    names = [each.name for each in _guesses(content)[:1] if each.name]
    return f"something else ({names[0]})" if names else "something else"


def _binary(content: bytes) -> str | None:
    """The format that a file named as text is in truth, if it is not text."""
    if any(signature.match(content) for signature in SIGNATURES.values()) or content[:2] in (b"MZ", b"\x7fE"):
        return likely(content)
    return "a web page or vector graphic" if MARKUP.match(content.lstrip(b"\xef\xbb\xbf \t\r\n")) else None


def _second_format(claimed: Format, content: bytes) -> str | None:
    if claimed not in ZIPPED and zipfile.is_zipfile(io.BytesIO(content)):
        return "a zip archive"
    if claimed is PDF or claimed in TEXTUAL:
        return "a web page" if claimed is PDF and MARKUP.search(content[:HEAD]) else None
    if b"%PDF-" in content[:HEAD]:
        return "a PDF"
    return "a web page" if claimed not in ZIPPED and PAGE.search(content[:HEAD]) else None
