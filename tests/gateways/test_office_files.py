"""Word and Excel files as real programs write them come in; what runs, is embedded or reaches out does not."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import docx as python_docx
import openpyxl
import pytest
from openpyxl.comments import Comment
from openpyxl.drawing.image import Image as Picture

from core.gateways import evidence_files
from core.rules import evidence as rules
from core.rules.evidence import EvidenceKind
from tests.gateways.evidence_builders import TYPES, docx, package, picture, relations, xlsx, zipped

FILES = Path(__file__).parent / "files"


def of_python_docx() -> bytes:
    document, out = python_docx.Document(), io.BytesIO()
    document.add_heading("Quote for the doors")
    document.add_picture(io.BytesIO(picture("PNG")))
    document.add_table(rows=2, cols=2).cell(0, 0).text = "Oak"
    document.save(out)
    return out.getvalue()


def of_openpyxl() -> bytes:
    book, out = openpyxl.Workbook(), io.BytesIO()
    book.active["A1"] = "=SUM(B1:B3)"
    book.active["A1"].comment = Comment("In euros", "Maren")
    book.active["A2"].hyperlink = "https://example.org/invoice"
    book.active.add_image(Picture(io.BytesIO(picture("PNG"))), "C3")
    book.save(out)
    return out.getvalue()


# What the exports of programs that do not run here look like: the names of their parts, and what is odd about them.
GOOGLE_DOCS = package(
    {
        "word/document.xml": "<w:document/>",
        "word/fonts/ArialNarrow-regular.ttf": b"\0\1\0\0",
        "word/_rels/fontTable.xml.rels": relations(("font", "fonts/ArialNarrow-regular.ttf")),
        "customXml/item1.xml": "<go:gDocsCustomXmlDataStorage xmlns:go='http://customooxmlschemas.google.com/'/>",
        "word/media/image1.jpg": picture(),
    },
    "word/document.xml",
)
GOOGLE_SHEETS = package(
    {
        "xl/workbook.xml": "<workbook/>",
        "xl/metadata": b"{}",
        "xl/_rels/workbook.xml.rels": relations(
            ("http://customschemas.google.com/relationships/workbookmetadata", "metadata"),
            ("worksheet", "a.xml"),
        ),
        "xl/drawings/drawing1.xml": "<wsDr/>",
    },
    "xl/workbook.xml",
)
PAGES = package(
    {
        "word/document.xml": "<w:document/>",
        "docProps/thumbnail.jpeg": picture(),
        "word/media/image1.heic": (FILES / "photo.heic").read_bytes(),
        "word/theme/theme1.xml": "<a:theme/>",
    },
    "word/document.xml",
)
WORD_ONLINE = package({"word/document2.xml": "<w:document/>"}, "word/document2.xml")
ABSOLUTE = zipped(
    {
        "[Content_Types].xml": TYPES.format(
            '<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.'
            'spreadsheetml.sheet.main+xml"/>'
        ),
        "_rels/.rels": relations(("officeDocument", "/xl/workbook.xml")),
        "xl/workbook.xml": "<workbook/>",
        "xl/": "",
    }
)
REAL = {
    "python.docx": of_python_docx(),
    "openpyxl.xlsx": of_openpyxl(),
    "libreoffice.docx": (FILES / "libreoffice.docx").read_bytes(),
    "libreoffice.xlsx": (FILES / "libreoffice.xlsx").read_bytes(),
    "google.docx": GOOGLE_DOCS,
    "google.xlsx": GOOGLE_SHEETS,
    "pages.docx": PAGES,
    "online.docx": WORD_ONLINE,
    "numbers.xlsx": ABSOLUTE,
}


@pytest.mark.parametrize("name", REAL)
def test_a_file_as_a_real_program_writes_it_comes_in(name: str) -> None:
    assert "_rels/.rels" in zipfile.ZipFile(io.BytesIO(REAL[name])).namelist()
    assert evidence_files.inspect(name, REAL[name]).kind is EvidenceKind.OTHER


def with_part(content: bytes, name: str, part: str | bytes) -> bytes:
    """A real file in which one part is another, or is added."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = {each: archive.read(each) for each in archive.namelist()}
    return zipped({**parts, name: part})


OUTSIDE = ' TargetMode="External"'
PREFIXED = (
    '<p:Relationships xmlns:p="http://schemas.openxmlformats.org/package/2006/relationships"><p:Relationship '
    'TargetMode="External" Type="x/image" Target="http://a.example/b.png"/></p:Relationships>'
)


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("word/_rels/settings.xml.rels", relations(("attachedTemplate", "file:///x.dotm"), mode=OUTSIDE)),
        ("word/_rels/settings.xml.rels", relations(("attachedTemplate", "x.dotx"))),
        ("word/_rels/header1.xml.rels", relations(("image", "http://a.example/b.png"), mode=OUTSIDE)),
        ("word/_rels/header1.xml.rels", PREFIXED),
        ("word/_rels/header1.xml.rels", relations(("oleObject", "harmless.xml"))),
        ("word/_rels/header1.xml.rels", relations(("aFChunk", "harmless.xml"))),
        ("word/_rels/header1.xml.rels", relations(("package", "harmless.xml"))),
        ("word/embeddings/Microsoft_Excel_Sheet1.xlsx", b"PK"),
        ("word/vbaProject.bin", b"x"),
        ("word/footer1.xml", '<w:fldSimple w:instr=" DDEAUTO c:\\x "/>'),
        ("word/footer1.xml", "<x:instrText>INCLUDEPICTURE http://a.example/b</x:instrText>"),
        ("xl/worksheets/sheet9.xml", "<f>WEBSERVICE(&quot;http://a.example&quot;)</f>"),
        ("xl/worksheets/sheet9.xml", "<f>_xlfn.IMAGE(A1)</f>"),
        ("xl/connections.xml", "<connections/>"),
        ("xl/externalLinks/externalLink1.xml", "<externalLink/>"),
    ],
)
def test_what_runs_is_embedded_or_reaches_out_is_refused_in_a_real_file(name: str, part: str | bytes) -> None:
    real = "libreoffice.xlsx" if name.startswith("xl/") else "libreoffice.docx"
    with pytest.raises(rules.ActiveContent):
        evidence_files.inspect(real, with_part(REAL[real], name, part))


@pytest.mark.parametrize("ending", ["docx", "xlsx"])
def test_a_document_with_macros_is_refused_whatever_its_name(ending: str) -> None:
    main = "word/document.xml" if ending == "docx" else "xl/workbook.xml"
    kind = "application/vnd.ms-word.document.macroEnabled.main+xml"
    with pytest.raises((rules.ContentDisagrees, rules.ActiveContent)):
        evidence_files.inspect(f"quote.{ending}", package({main: "<a/>"}, main, kind=kind))


@pytest.mark.parametrize(
    "content",
    [
        zipped({"[Content_Types].xml": TYPES.format(""), "word/document.xml": "<w:document/>"}),
        xlsx(),
        with_part(docx(), "_rels/.rels", relations(("officeDocument", "word/other.xml"))),
        with_part(docx(), "_rels/.rels", relations()),
    ],
)
def test_an_archive_whose_root_does_not_lead_to_a_document_is_none(content: bytes) -> None:
    with pytest.raises(rules.ContentDisagrees):
        evidence_files.inspect("quote.docx", content)


def test_a_list_of_parts_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(rules.ArchiveUnsafe):
        evidence_files.inspect("quote.docx", with_part(docx(), "_rels/.rels", "<Relationships"))
