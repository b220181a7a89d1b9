"""What may be submitted as evidence, and why something is refused.

A file is what its content says it is, and its name must agree. Few formats are accepted: those that a mediator can be
shown safely, and office documents without programs in them, which are only ever downloaded. Sizes are bytes.
Milestone evidence is one of the four things every refund decision cites (payment-escrow-rules, Refund Rules).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from core.errors import DeskError, Wording

MIB = 1024 * 1024
MAX_BYTES = 20 * MIB
MAX_FILES = 60
MAX_PIXELS = 50_000_000
MAX_PAGES = 300
MAX_ATTACHMENTS = 20
# An e-mail: parts that hold others, and lines; reading one takes the product of both.
MAX_NESTED = 20
MAX_LINES = 400_000
# A video: seconds, tracks (a phone writes several of its own), and pixels of one picture (4K).
MAX_SECONDS = 180
MAX_TRACKS = 12
MAX_FRAME = 9_000_000
# Documents that are zip archives inside: entries, unpacked bytes, and how far one entry may have been packed.
MAX_ENTRIES = 2_000
MAX_UNPACKED = 200 * MIB
MAX_RATIO = 200
# What is shown, in pixels (a picture's longer side, a thumbnail's box, a page's width) and characters.
DISPLAY_SIDE = 2_400
THUMBNAIL_BOX = (400, 300)
PAGE_WIDTH = 1_400
TEXT_SHOWN = 200_000
CAPTION_LENGTH = 500
# A part of a picture or page: left, top, width, height, each in ten-thousandths of it.
Area = tuple[int, int, int, int]
WHOLE = 10_000


class EvidenceKind(StrEnum):
    IMAGE = "IMAGE"  # shown re-encoded
    PDF = "PDF"  # shown as pictures of its pages
    TEXT = "TEXT"  # shown as plain text
    VIDEO = "VIDEO"  # a picture of its beginning, and a download
    OTHER = "OTHER"  # download only


@dataclass(frozen=True)
class Format:
    """One accepted file format: the endings of its names, and the type it is sent out with."""

    name: str
    kind: EvidenceKind
    media_type: str
    endings: tuple[str, ...]


PNG = Format("PNG", EvidenceKind.IMAGE, "image/png", ("png",))
JPEG = Format("JPEG", EvidenceKind.IMAGE, "image/jpeg", ("jpg", "jpeg", "jfif"))
WEBP = Format("WebP", EvidenceKind.IMAGE, "image/webp", ("webp",))
HEIC = Format("HEIC", EvidenceKind.IMAGE, "image/heic", ("heic", "heif", "hif"))
PDF = Format("PDF", EvidenceKind.PDF, "application/pdf", ("pdf",))
TEXT = Format("text", EvidenceKind.TEXT, "text/plain", ("txt", "text", "log"))
EMAIL = Format("e-mail", EvidenceKind.TEXT, "message/rfc822", ("eml",))
CSV = Format("CSV", EvidenceKind.TEXT, "text/csv", ("csv",))
DOCX = Format(
    "Word",
    EvidenceKind.OTHER,
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ("docx",),
)
XLSX = Format(
    "Excel",
    EvidenceKind.OTHER,
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ("xlsx",),
)
MP4 = Format("MP4 video", EvidenceKind.VIDEO, "video/mp4", ("mp4", "m4v"))
MOV = Format("QuickTime video", EvidenceKind.VIDEO, "video/quicktime", ("mov", "qt"))
FORMATS = (PNG, JPEG, WEBP, HEIC, PDF, TEXT, EMAIL, CSV, DOCX, XLSX, MP4, MOV)
BY_ENDING = {ending: one for one in FORMATS for ending in one.endings}
BY_NAME = {one.name: one for one in FORMATS}
ACCEPTED = (
    "PNG, JPEG, WebP or HEIC pictures, MP4 or MOV videos of up to 3 minutes, PDF, plain text, e-mail (.eml), CSV, "
    "Word or Excel without macros"
)


class EvidenceRefused(DeskError):
    """This file cannot be taken as evidence."""


class FileEmpty(EvidenceRefused):
    """{file_name} is empty. Choose the file again; it may not have finished saving."""


class FileTooLarge(EvidenceRefused):
    """{file_name} is {size}, and a file may have at most {limit}. Submit a smaller copy, or split the document."""


class TooManyFiles(EvidenceRefused):
    """This milestone already has {count} files, and {limit} is the most. Combine several pictures into one PDF."""


class FormatNotAccepted(EvidenceRefused):
    """Files like {file_name} are not accepted as evidence. Submit {accepted}."""


class ContentDisagrees(EvidenceRefused):
    """{file_name} is named like a {named} file, but its content is {found}. Submit the original file, unrenamed."""


class TwoFormatsAtOnce(EvidenceRefused):
    """{file_name} is a {named} file that also reads as {found}. Save it again from the program that made it."""


class FileUnreadable(EvidenceRefused):
    """{file_name} cannot be read: {why}. Open it on your side, save it again and submit the new copy."""


class PictureTooLarge(EvidenceRefused):
    """{file_name} has {size} pixels, and {limit} million is the most. Submit a smaller copy."""


class VideoTooLong(EvidenceRefused):
    """{file_name} lasts {seconds} seconds, and {limit} is the most. Cut it to the part that matters."""


class TooManyPages(EvidenceRefused):
    """{file_name} has {pages} pages, and {limit} is the most. Submit the pages that matter, or split the document."""


class ActiveContent(EvidenceRefused):
    """{file_name} contains {what}, which could run on the reader's computer. Print it to a new PDF and submit that."""


class PasswordProtected(EvidenceRefused):
    """{file_name} is locked with a password. Submit a copy without one, so that every reviewer can open it."""


class ArchiveUnsafe(EvidenceRefused):
    """{file_name} is packed in a way that is not safe to open: {why}. Save it as PDF and submit that."""


class AttachmentRefused(EvidenceRefused):
    """{file_name} carries {attachment}, which cannot be taken: {why} Submit the e-mail without it."""


class TooManyAttachments(EvidenceRefused):
    """{file_name} carries {count} files, and {limit} is the most. Submit the ones that matter by themselves."""


class LetterTooDeep(EvidenceRefused):
    """{file_name} has too many parts or lines to be read safely. Submit its text and its attachments by themselves."""


class InspectionFailed(EvidenceRefused):
    """{file_name} could not be inspected safely: {why}. Submit a simpler copy, for example the pages as pictures."""


class AreaOutside(DeskError):
    """That mark does not lie on the picture. Draw it again."""


def check_area(area: Area) -> Area:
    """An area that lies on the picture and is not nothing. Raises `AreaOutside`."""
    left, top, width, height = area
    if min(left, top) < 0 or min(width, height) < 1 or left + width > WHOLE or top + height > WHOLE:
        raise AreaOutside()
    return area


def check_size(file_name: str, size: int) -> None:
    if size == 0:
        raise FileEmpty(file_name=file_name)
    if size > MAX_BYTES:
        raise FileTooLarge(
            file_name=file_name,
            size=Wording(in_words(size), size),
            limit=Wording(in_words(MAX_BYTES), MAX_BYTES),
        )


def check_count(already: int) -> None:
    """Room for one more file on this milestone?"""
    if already >= MAX_FILES:
        raise TooManyFiles(count=already, limit=MAX_FILES)


def format_of(file_name: str) -> Format:
    """The accepted format that a (cleaned) name claims."""
    _, dot, ending = file_name.rpartition(".")
    if not dot or (claimed := BY_ENDING.get(ending.lower())) is None:
        raise FormatNotAccepted(file_name=file_name, accepted=ACCEPTED)
    return claimed


def named_for(file_name: str, form: Format) -> str:
    """The name with an ending of its true format: `IMG_1.jpg` that is HEIC inside becomes `IMG_1.jpg.heic`."""
    return file_name if format_of(file_name) is form else f"{file_name}.{form.endings[0]}"


def in_words(size: int) -> str:
    """A number of bytes as people read it, in whole numbers: 940 bytes, 12 KiB, 3.4 MiB."""
    if size < 1024:
        return f"{size} bytes"
    if size < MIB:
        return f"{size // 1024} KiB"
    tenths = size * 10 // MIB
    return f"{tenths // 10}.{tenths % 10} MiB" if tenths % 10 else f"{tenths // 10} MiB"
