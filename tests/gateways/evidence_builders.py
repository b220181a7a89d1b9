"""Files that outsiders might hand in, good and hostile, made while the tests run."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from typing import Any

import pikepdf
from PIL import Image
from reportlab.pdfgen import canvas

TYPES = '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">{}</Types>'
DATE_TIME_ORIGINAL, OFFSET_ORIGINAL, EXIF_IFD, GPS_IFD, ORIENTATION = 0x9003, 0x9011, 0x8769, 0x8825, 0x0112


def picture(
    form: str = "JPEG", size: tuple[int, int] = (640, 480), mode: str = "RGB", **options: Any
) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, **({"color": (180, 60, 40)} if mode == "RGB" else {})).save(out, form, **options)
    return out.getvalue()


def with_exif(
    taken: str = "2026:03:02 10:11:12", offset: str | None = "+02:00", orientation: int = 1
) -> bytes:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    details = exif.get_ifd(EXIF_IFD)
    details[DATE_TIME_ORIGINAL] = taken
    if offset:
        details[OFFSET_ORIGINAL] = offset
    exif.get_ifd(GPS_IFD)[2] = (51.0, 30.0, 26.0)
    return picture(size=(800, 600), exif=exif)


def png_claiming(width: int, height: int) -> bytes:
    """A tiny PNG whose header promises a picture of any size."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 1000)), (b"IEND", b"")]
    body = b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body


def pdf(pages: int = 2) -> bytes:
    out = io.BytesIO()
    sheet = canvas.Canvas(out, invariant=1)
    for number in range(1, pages + 1):
        sheet.drawString(72, 720, f"Inspection report, page {number}")
        sheet.showPage()
    sheet.save()
    return out.getvalue()


def pdf_with(change: Any, **saving: Any) -> bytes:
    """A PDF after `change(document)`."""
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf())) as document:
        change(document)
        document.save(out, **saving)
    return out.getvalue()


def zipped(parts: dict[str, bytes | str], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
MAIN = {
    "word/document.xml": "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml",
    "xl/workbook.xml": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
}


def package(parts: dict[str, bytes | str], main: str, *, kind: str | None = None) -> bytes:
    """An Office file with the root relation and the list of types that every program writes (OPC, ECMA-376)."""
    kind = kind or next(
        each for name, each in MAIN.items() if name.partition("/")[0] == main.partition("/")[0]
    )
    override = f'<Override PartName="/{main}" ContentType="{kind}"/>'
    return zipped(
        {
            "[Content_Types].xml": TYPES.format(override),
            "_rels/.rels": relations(("officeDocument", main)),
            **parts,
        }
    )


def relations(*each: tuple[str, str], mode: str = "") -> str:
    rows = "".join(
        f'<Relationship Id="rId{n}" Type="{kind if "/" in kind else f"{OFFICE}/{kind}"}" Target="{target}"{mode}/>'
        for n, (kind, target) in enumerate(each, 1)
    )
    space = "http://schemas.openxmlformats.org/package/2006/relationships"
    return f'<?xml version="1.0"?><Relationships xmlns="{space}">{rows}</Relationships>'


def docx(extra: dict[str, bytes | str] | None = None, document: str = "<w:document/>") -> bytes:
    return package({"word/document.xml": document, **(extra or {})}, "word/document.xml")


def xlsx(extra: dict[str, bytes | str] | None = None) -> bytes:
    return package({"xl/workbook.xml": "<workbook/>", **(extra or {})}, "xl/workbook.xml")


def email(attachment: tuple[str, str] | None = None, html: bool = False) -> bytes:
    from email.message import EmailMessage

    letter = EmailMessage()
    letter["From"], letter["To"], letter["Subject"] = (
        "Maren <maren@example.org>",
        "desk@example.org",
        "The tiles",
    )
    letter["Date"] = "Mon, 02 Mar 2026 10:11:12 +0000"
    letter.set_content("Two tiles are cracked.\nPlease look.\n")
    if html:
        letter.add_alternative("<p onclick='x()'>Two tiles are cracked.</p>", subtype="html")
    if attachment:
        main, _, sub = attachment[1].partition("/")
        letter.add_attachment(b"MZ\0\0", maintype=main, subtype=sub, filename=attachment[0])
    return letter.as_bytes()
