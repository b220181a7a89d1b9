"""Several files as one PDF for a bank: a page of contents, then each exhibit with its number on every page.

Runs apart (`evidence_sandbox`): the exhibits are files of outsiders. A bank takes one file for each kind of evidence,
and 4.5 MB of all, so pictures are set on a page each, no larger than a page needs.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import pikepdf
from PIL import Image, ImageOps
from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table

from core.paper import BOLD, DIM, INK, PLAIN, safe, style
from core.rules.evidence import FileUnreadable

TITLE = style("bundle-title", 15, 20, bold=True)
NOTE = style("bundle-note", 8, 11, textColor=DIM)
CELL = style("bundle-cell", 9, 12)
EDGE = 36
LONGER_SIDE = 1_600
STAMPED = "Helvetica-Bold"  # every reader brings it along: a font on each page would use up what a bank takes
BROKEN = (
    pikepdf.PdfError,
    OSError,
    RuntimeError,
    ValueError,
    TypeError,
    KeyError,
    Image.DecompressionBombError,
)


def bundle(
    content: bytes, *, title: str, said: str, exhibits: Sequence[dict[str, Any]]
) -> tuple[dict[str, Any], bytes]:
    """`exhibits`: title, media type and size of each, whose bytes follow each other in `content`. The facts say how
    many pages there are, and on which each exhibit begins."""
    parts = [_opened(each, part) for each, part in zip(exhibits, _cut(content, exhibits), strict=True)]
    counts = [len(part.pages) for part in parts]
    titles = [str(each["title"]) for each in exhibits]
    front = _contents(title, said, titles, counts, before=1)
    if (long := len(front.pages)) > 1:
        front = _contents(title, said, titles, counts, before=long)
    with pikepdf.new() as whole:
        whole.pages.extend(front.pages)
        for number, part in enumerate(parts, start=1):
            for at, page in enumerate(part.pages, start=1):
                whole.pages.append(page)
                _stamp(whole.pages[-1], f"Exhibit {number} · page {at} of {len(part.pages)}")
        out = io.BytesIO()
        whole.docinfo["/Title"] = title
        whole.save(out, deterministic_id=True, object_stream_mode=pikepdf.ObjectStreamMode.generate)
        pages = len(whole.pages)
    firsts = [long + sum(counts[:at]) + 1 for at in range(len(counts))]
    return {"pages": pages, "firsts": firsts, "counts": counts}, out.getvalue()


def _cut(content: bytes, exhibits: Sequence[dict[str, Any]]) -> list[bytes]:
    parts, at = [], 0
    for each in exhibits:
        parts.append(content[at : at + int(each["size"])])
        at += int(each["size"])
    return parts


def _opened(exhibit: dict[str, Any], content: bytes) -> pikepdf.Pdf:
    try:
        if exhibit["kind"] != "application/pdf":
            content = _on_a_page(content)
        return pikepdf.open(io.BytesIO(content), suppress_warnings=True)
    except BROKEN as error:
        raise FileUnreadable(file_name=str(exhibit["title"]), why="it cannot be put into one PDF") from error


def _on_a_page(content: bytes) -> bytes:
    """A picture, upright and without what the camera wrote into it, on a page of A4."""
    with Image.open(io.BytesIO(content)) as picture:
        upright = ImageOps.exif_transpose(picture)
        upright.thumbnail((LONGER_SIDE, LONGER_SIDE))
        flat = Image.new("RGB", upright.size, "white")
        flat.paste(upright, mask=upright.convert("RGBA").getchannel("A"))
    small, out = io.BytesIO(), io.BytesIO()
    flat.save(small, "JPEG", quality=80)
    small.seek(0)
    canvas = Canvas(out, pagesize=A4, invariant=1)
    wide, high = A4[0] - 2 * EDGE, A4[1] - 3 * EDGE
    scale = min(wide / flat.width, high / flat.height)
    across, down = flat.width * scale, flat.height * scale
    canvas.drawImage(ImageReader(small), (A4[0] - across) / 2, A4[1] - 2 * EDGE - down, across, down)
    canvas.save()
    return out.getvalue()


def _contents(
    title: str, said: str, titles: Sequence[str], counts: Sequence[int], *, before: int
) -> pikepdf.Pdf:
    out = io.BytesIO()
    rows: list[list[Any]] = [["Exhibit", "What it is", "Pages"]]
    first = before + 1
    for number, (name, count) in enumerate(zip(titles, counts, strict=True), start=1):
        last = first + count - 1
        rows.append(
            [str(number), Paragraph(safe(name), CELL), f"{first}" if count == 1 else f"{first}–{last}"]
        )
        first = last + 1
    look = [
        ("FONT", (0, 0), (-1, -1), PLAIN, 9),
        ("FONTNAME", (0, 0), (-1, 0), BOLD),
        ("LINEBELOW", (0, 0), (-1, 0), 0.5, INK),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("ALIGN", (2, 0), (2, -1), "RIGHT"),
    ]
    table = Table(rows, colWidths=(50, 340, 60), hAlign="LEFT", style=look, repeatRows=1)
    document = SimpleDocTemplate(out, pagesize=A4, title=title, author="Escrow Desk", invariant=1)
    document.build([Paragraph(safe(title), TITLE), Paragraph(safe(said), NOTE), Spacer(1, 10), table])
    return pikepdf.open(out)


def _stamp(page: pikepdf.Page, words: str) -> None:
    """The exhibit's number in the corner, on white, so that it can be read on any page."""
    left, bottom, right, top = (float(edge) for edge in page.trimbox)
    wide, high, out = right - left, top - bottom, io.BytesIO()
    canvas = Canvas(out, pagesize=(wide, high), invariant=1)
    canvas.setFillGray(1)
    canvas.rect(wide - 176, high - 22, 168, 16, stroke=0, fill=1)
    canvas.setFillColor(INK)
    canvas.setFont(STAMPED, 8)
    canvas.drawRightString(wide - 12, high - 17, words)
    canvas.save()
    with pikepdf.open(out) as stamp:
        page.add_overlay(stamp.pages[0], pikepdf.Rectangle(left, bottom, right, top))
