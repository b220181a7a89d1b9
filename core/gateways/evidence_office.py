"""Word and Excel files from outsiders: zip archives in which every entry is looked at before any is believed.

Runs apart (`evidence_apart`). They are never shown, only downloaded, so nothing in them may run or reach out.
"""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import PurePosixPath

from core.rules.evidence import (
    DOCX,
    MAX_ENTRIES,
    MAX_RATIO,
    MAX_UNPACKED,
    MIB,
    XLSX,
    ActiveContent,
    ArchiveUnsafe,
    ContentDisagrees,
    Format,
    PasswordProtected,
)

MAIN_PART = {DOCX: "word/document.xml", XLSX: "xl/workbook.xml"}
HARMLESS = {
    ".xml",
    ".rels",
    ".png",
    ".jpg",
    ".jpeg",
    ".gif",
    ".bmp",
    ".tif",
    ".tiff",
    ".emf",
    ".wmf",
    ".vml",
    ".odttf",
}
SETTINGS = re.compile(r"xl/printerSettings/printerSettings\d+\.bin")
PROGRAMS = re.compile(r"vbaProject|macroEnabled|activeX|/embeddings/|oleObject|externalLink", re.IGNORECASE)
REACHES_OUT = re.compile(rb"<Relationship\b[^>]*TargetMode\s*=\s*[\"']External[\"'][^>]*>")
HYPERLINK = re.compile(rb"Type\s*=\s*[\"'][^\"']*/hyperlink[\"']")
FIELD = re.compile(rb"<w:instrText[^>]*>([^<]*)<")
DDE = re.compile(rb"\bDDE(AUTO)?\b|\bINCLUDE(TEXT|PICTURE)\b", re.IGNORECASE)


def inspect(file_name: str, content: bytes, form: Format) -> None:
    """Raises `ArchiveUnsafe`, `ActiveContent`, `ContentDisagrees`, `PasswordProtected`."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            if not {"[Content_Types].xml", MAIN_PART[form]} <= {entry.filename for entry in entries}:
                raise ContentDisagrees(
                    file_name=file_name, named=form.name, found="another kind of zip archive"
                )
            _check_list(file_name, content, entries)
            unpacked = 0
            for entry in entries:
                part = _read(file_name, archive, entry, room=MAX_UNPACKED - unpacked)
                unpacked += len(part)
                _check_part(file_name, entry.filename, part)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, ValueError) as error:
        raise ArchiveUnsafe(file_name=file_name, why="the archive in it is damaged") from error


def _check_list(file_name: str, content: bytes, entries: list[zipfile.ZipInfo]) -> None:
    names = [entry.filename for entry in entries]
    if len(entries) > MAX_ENTRIES:
        raise ArchiveUnsafe(
            file_name=file_name, why=f"it holds {len(entries)} parts, and {MAX_ENTRIES} is the most"
        )
    if len({name.lower() for name in names}) < len(names):
        raise ArchiveUnsafe(file_name=file_name, why="two parts have the same name")
    if sum(entry.compress_size for entry in entries) > len(content):
        raise ArchiveUnsafe(file_name=file_name, why="its parts overlap")
    for entry in entries:
        path = PurePosixPath(entry.filename)
        if path.is_absolute() or ".." in path.parts or re.search(r"[\\:\x00-\x1f]", entry.filename):
            raise ArchiveUnsafe(file_name=file_name, why="a part would be written outside its folder")
        if entry.flag_bits & 0x1:
            raise PasswordProtected(file_name=file_name)
        if PROGRAMS.search(entry.filename):
            raise ActiveContent(file_name=file_name, what="macros or embedded programs")
        if (
            not entry.is_dir()
            and path.suffix.lower() not in HARMLESS
            and not SETTINGS.fullmatch(entry.filename)
        ):
            raise ActiveContent(file_name=file_name, what="embedded files")


def _read(file_name: str, archive: zipfile.ZipFile, entry: zipfile.ZipInfo, *, room: int) -> bytes:
    """The entry unpacked: counted while reading, because sizes in the list may lie."""
    with archive.open(entry) as stream:
        part = stream.read(min(room, max(MIB, entry.compress_size * MAX_RATIO)) + 1)
    if len(part) > room:
        raise ArchiveUnsafe(file_name=file_name, why=f"it unpacks to more than {MAX_UNPACKED // MIB} MiB")
    if len(part) > max(MIB, entry.compress_size * MAX_RATIO):
        raise ArchiveUnsafe(file_name=file_name, why="a part of it swells when unpacked")
    return part


def _check_part(file_name: str, name: str, part: bytes) -> None:
    if not name.lower().endswith((".xml", ".rels", ".vml")):
        return
    if b"<!DOCTYPE" in part or b"<!ENTITY" in part or b"\0" in part:
        raise ActiveContent(file_name=file_name, what="definitions that unfold when read")
    if name == "[Content_Types].xml" and PROGRAMS.search(part.decode("utf-8", "replace")):
        raise ActiveContent(file_name=file_name, what="macros or embedded programs")
    if any(not HYPERLINK.search(link) for link in REACHES_OUT.findall(part)):
        raise ActiveContent(file_name=file_name, what="parts that are loaded from elsewhere")
    if DDE.search(b"".join(FIELD.findall(part))) or b"ddeLink" in part:
        raise ActiveContent(file_name=file_name, what="fields that fetch from other programs")
