"""PDFs from outsiders: refused when anything in them could run, and shown only as pictures of their pages.

Runs apart (`evidence_apart`).
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pikepdf
import pypdfium2
from PIL import Image

from core.rules.evidence import (
    MAX_PAGES,
    PAGE_WIDTH,
    THUMBNAIL_BOX,
    ActiveContent,
    FileUnreadable,
    PasswordProtected,
    TooManyPages,
)

# Keys, action names and kinds of annotation that make a document do something, or carry files of its own.
KEYS = {
    "/JS": "JavaScript",
    "/JavaScript": "JavaScript",
    "/AA": "actions that start by themselves",
    "/XFA": "a programmed form",
    "/EmbeddedFiles": "attached files",
    "/EF": "attached files",
    "/RichMediaContent": "embedded media",
}
ACTIONS = {
    "/JavaScript": "JavaScript",
    "/Launch": "an action that starts programs",
    "/SubmitForm": "a form that sends data out",
    "/ImportData": "an action that reads files",
    "/GoToR": "links to files elsewhere",
    "/GoToE": "links into attached files",
    "/Rendition": "embedded media",
    "/RichMediaExecute": "embedded media",
}
ANNOTATIONS = {
    "/FileAttachment": "attached files",
    "/RichMedia": "embedded media",
    "/Screen": "embedded media",
    "/Movie": "embedded media",
    "/Sound": "embedded media",
    "/3D": "embedded media",
}
DEPTH = 60
TALLEST = 3 * PAGE_WIDTH


def inspect(file_name: str, content: bytes) -> dict[str, Any]:
    """The number of pages of a PDF in which nothing can run.

    Raises `PasswordProtected`, `ActiveContent`, `TooManyPages`, `FileUnreadable`.
    """
    try:
        with pikepdf.open(io.BytesIO(content), suppress_warnings=True) as document:
            if document.is_encrypted:
                raise PasswordProtected(file_name=file_name)
            pages = len(document.pages)
            if pages > MAX_PAGES:
                raise TooManyPages(file_name=file_name, pages=pages, limit=MAX_PAGES)
            for what in _active(document):
                raise ActiveContent(file_name=file_name, what=what)
    except pikepdf.PasswordError as error:
        raise PasswordProtected(file_name=file_name) from error
    except (pikepdf.PdfError, RuntimeError, RecursionError, ValueError, TypeError, KeyError) as error:
        raise FileUnreadable(file_name=file_name, why="the document is damaged or incomplete") from error
    if pages == 0:
        raise FileUnreadable(file_name=file_name, why="it has no pages")
    page(content, 1, width=THUMBNAIL_BOX[0], file_name=file_name)
    return {"pages": pages}


def count(content: bytes) -> int:
    """The pages of a document that was inspected when it came in."""
    document = pypdfium2.PdfDocument(content)
    try:
        return len(document)
    finally:
        document.close()


def page(
    content: bytes, number: int, *, width: int = PAGE_WIDTH, file_name: str = "The document"
) -> Image.Image:
    """Page `number` (from 1) drawn on white, `width` pixels wide; forms and scripts are not run."""
    try:
        document = pypdfium2.PdfDocument(content)
        try:
            sheet = document[number - 1]
            across, down = sheet.get_size()
            scale = min(width / max(across, 1), TALLEST / max(down, 1))
            drawn: Image.Image = sheet.render(scale=scale, may_draw_forms=False).to_pil()
            return drawn.convert("RGB")
        finally:
            document.close()
    except (pypdfium2.PdfiumError, IndexError, ValueError, MemoryError) as error:
        raise FileUnreadable(file_name=file_name, why=f"page {number} cannot be drawn") from error


def page_png(content: bytes, number: int) -> bytes:
    out = io.BytesIO()
    page(content, number).save(out, "PNG", compress_level=2)
    return out.getvalue()


def _active(document: pikepdf.Pdf) -> Iterator[str]:
    """What could run, anywhere in the document, reachable or not."""
    for one in (document.trailer, *document.objects):
        yield from _within(one, 0)


def _within(one: Any, depth: int) -> Iterator[str]:
    if depth > DEPTH:
        yield "objects nested too deeply to check"
        return
    if isinstance(one, pikepdf.Array):
        for child in one:
            yield from _direct(child, depth)
    elif isinstance(one, pikepdf.Dictionary | pikepdf.Stream):
        for key, value in one.items():
            if key in KEYS:
                yield KEYS[key]
            if key == "/S" and str(value) in ACTIONS:
                yield ACTIONS[str(value)]
            if key == "/Subtype" and str(value) in ANNOTATIONS:
                yield ANNOTATIONS[str(value)]
            yield from _direct(value, depth)


def _direct(child: Any, depth: int) -> Iterator[str]:
    """Into a child that is written in place; the others come along in the list of all objects."""
    if isinstance(child, pikepdf.Object) and not child.is_indirect:
        yield from _within(child, depth + 1)
