"""Word and Excel files from outsiders: zip archives in which every entry is looked at before any is believed.

Runs apart (`evidence_apart`). They are never shown, only downloaded, so nothing in them may run or reach out.
"""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import PurePosixPath
from xml.etree import ElementTree

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

# What the main part may be declared as. A document with macros has another type, whatever its name says.
MAIN_TYPE = {
    DOCX: "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml",
    XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
}
TYPES, RELATIONS = "[Content_Types].xml", "_rels/.rels"
HARMLESS = frozenset(
    "xml rels vml png jpg jpeg jfif gif bmp tif tiff webp heic svg wdp emf wmf odttf ttf otf fntdata".split()
)
# Parts of which the ending says nothing: what a printer wanted, and what Google Sheets keeps for itself.
KNOWN_PARTS = re.compile(r"xl/printerSettings/printerSettings\d+\.bin|xl/metadata")
PROGRAMS = re.compile(r"vbaProject|vbaData|macroEnabled|activeX|/ctrlProps/", re.IGNORECASE)
EMBEDDED = re.compile(r"/embeddings/|oleObject|/aFChunk|relationships/package", re.IGNORECASE)
FETCHES = re.compile(r"externalLink|xl/(connections\.xml|queryTables/)|attachedTemplate", re.IGNORECASE)
FIELD = re.compile(rb"<(?:\w+:)?instrText[^>]*>([^<]*)<|\binstr\s*=\s*[\"']([^\"']*)")
DDE = re.compile(rb"\bDDE(AUTO)?\b|\bINCLUDE(TEXT|PICTURE)\b", re.IGNORECASE)
FORMULA = re.compile(rb"<(?:\w+:)?f\b[^>]*>([^<]*)<")
ASKS_OUTSIDE = re.compile(rb"\b(WEBSERVICE|RTD|_xlfn\.IMAGE|CALL|REGISTER\.ID)\s*\(", re.IGNORECASE)


def inspect(file_name: str, content: bytes, form: Format) -> None:
    """Raises `ArchiveUnsafe`, `ActiveContent`, `ContentDisagrees`, `PasswordProtected`."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            if not {TYPES, RELATIONS} <= set(archive.namelist()):
                raise ContentDisagrees(
                    file_name=file_name, named=form.name, found="another kind of zip archive"
                )
            _check_list(file_name, content, entries)
            _check_main(file_name, archive, form)
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
        _refuse_by_name(file_name, entry.filename)
        ending = entry.filename.rpartition(".")[2].lower()
        if not entry.is_dir() and ending not in HARMLESS and not KNOWN_PARTS.fullmatch(entry.filename):
            raise ActiveContent(file_name=file_name, what="embedded files")


def _refuse_by_name(file_name: str, name: str) -> None:
    """The name of a part, of its type or of its relation says that it runs, is a file of its own, or reaches out."""
    if PROGRAMS.search(name):
        raise ActiveContent(file_name=file_name, what="macros or embedded programs")
    if EMBEDDED.search(name):
        raise ActiveContent(file_name=file_name, what="embedded files")
    if FETCHES.search(name):
        raise ActiveContent(file_name=file_name, what="parts that are loaded from elsewhere")


def _check_main(file_name: str, archive: zipfile.ZipFile, form: Format) -> None:
    """The package's own root relation leads to a main part, and the part has the type of its format (OPC, ECMA-376).

    Where the part lies and what it is called is the program's choice.
    """
    names = set(archive.namelist())
    types, roots = (
        _elements(file_name, _read(file_name, archive, archive.getinfo(each), room=MIB))
        for each in (TYPES, RELATIONS)
    )
    main = {
        each.get("Target", "").lstrip("/")
        for each in roots
        if each.get("Type", "").endswith("/relationships/officeDocument")
    }
    declared = {each.get("PartName", "").lstrip("/"): each.get("ContentType", "") for each in types}
    if len(main) != 1 or not main <= names or {declared.get(each) for each in main} != {MAIN_TYPE[form]}:
        raise ContentDisagrees(file_name=file_name, named=form.name, found="another kind of zip archive")


def _elements(file_name: str, part: bytes) -> list[ElementTree.Element]:
    """Of a small part of relations or types. A part with a document type was refused before it comes here."""
    _refuse_definitions(file_name, part)
    try:
        return list(ElementTree.fromstring(part))
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise ArchiveUnsafe(file_name=file_name, why="the list of its parts is damaged") from error


def _refuse_definitions(file_name: str, part: bytes) -> None:
    if b"<!DOCTYPE" in part or b"<!ENTITY" in part or b"\0" in part:
        raise ActiveContent(file_name=file_name, what="definitions that unfold when read")


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
    _refuse_definitions(file_name, part)
    if name == TYPES:
        for each in _elements(file_name, part):
            _refuse_by_name(file_name, each.get("ContentType", ""))
    if name.lower().endswith(".rels"):
        for each in _elements(file_name, part):
            _check_relation(file_name, each)
    if DDE.search(b"".join(b"".join(each) for each in FIELD.findall(part))) or b"ddeLink" in part:
        raise ActiveContent(file_name=file_name, what="fields that fetch from other programs")
    if any(ASKS_OUTSIDE.search(each) for each in FORMULA.findall(part)):
        raise ActiveContent(file_name=file_name, what="formulas that fetch from elsewhere")


def _check_relation(file_name: str, relation: ElementTree.Element) -> None:
    """A link that a reader must press may lead outside, nothing else."""
    kind = relation.get("Type", "")
    _refuse_by_name(file_name, kind)
    if relation.get("TargetMode", "").lower() == "external" and not kind.endswith("/hyperlink"):
        raise ActiveContent(file_name=file_name, what="parts that are loaded from elsewhere")
