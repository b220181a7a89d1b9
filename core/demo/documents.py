"""Papers for the demo: inspection reports, invoices and e-mails, made again and the same for the same words."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime

from reportlab import rl_config
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import ImageReader, simpleSplit
from reportlab.pdfgen.canvas import Canvas

from core.demo.photographs import SCENES, photo
from core.money import Money

__all__ = ["SCENES", "email_text", "invoice_pdf", "memo_pdf", "photo", "report_pdf"]

INK, DIM, LINE = HexColor("#1d2733"), HexColor("#68758a"), HexColor("#d5dbe3")
LEFT, RIGHT, TOP, BOTTOM = 62, A4[0] - 62, A4[1] - 70, 80


@contextmanager
def _pictures_as_they_are() -> Iterator[None]:
    """Instead of as text that is a quarter longer and slow to make. For these papers only: reportlab keeps the choice
    for the whole process, and a case file is printed the same to the byte wherever it is printed."""
    before, rl_config.useA85 = rl_config.useA85, 0
    try:
        yield
    finally:
        rl_config.useA85 = before


@_pictures_as_they_are()
def report_pdf(
    *,
    title: str,
    author: str,
    site: str,
    on: datetime,
    findings: Sequence[tuple[str, str]],
    photos: Sequence[tuple[bytes, str]] = (),
    conclusion: str = "",
) -> bytes:
    """An inspection report: findings as (heading, text), photographs as (JPEG, caption), a conclusion, a signature."""
    paper = _Paper(title)
    paper.heading(title)
    paper.pairs([("Site", site), ("Inspected on", f"{on:%-d %B %Y}"), ("Inspector", author)])
    for number, (heading, text) in enumerate(findings, 1):
        paper.subheading(f"{number}. {heading}")
        paper.paragraph(text)
    for number, (picture, caption) in enumerate(photos, 1):
        paper.picture(picture, f"Photograph {number}: {caption}")
    if conclusion:
        paper.subheading("Conclusion")
        paper.paragraph(conclusion)
    paper.signature(author, on)
    return paper.bytes()


def memo_pdf(*, title: str, text: str) -> bytes:
    """A page for the file."""
    paper = _Paper(title)
    paper.heading(title)
    paper.paragraph(text)
    return paper.bytes()


@_pictures_as_they_are()
def invoice_pdf(
    *,
    number: str,
    seller: str,
    buyer: str,
    on: datetime,
    lines: Sequence[tuple[str, Money]],
    note: str = "",
) -> bytes:
    """An invoice: what was done and what it costs, with its sum. All lines in one currency."""
    total = sum((price for _, price in lines[1:]), lines[0][1])
    paper = _Paper(f"Invoice {number}")
    paper.heading("Invoice")
    paper.pairs([("Number", number), ("Date", f"{on:%-d %B %Y}"), ("From", seller), ("To", buyer)])
    paper.gap(12)
    for what, price in lines:
        paper.row(what, price.text())
    paper.row("Total", total.text(), bold=True)
    if note:
        paper.gap(14)
        paper.paragraph(note)
    return paper.bytes()


def email_text(*, sender: str, to: str, at: datetime, subject: str, body: str) -> bytes:
    """An e-mail as a mail program saves it (.eml)."""
    letter = EmailMessage()
    letter["From"], letter["To"], letter["Subject"] = sender, to, subject
    letter["Date"] = format_datetime(at)
    letter.set_content(body)
    return letter.as_bytes()


class _Paper:
    """An A4 sheet that is written from top to bottom and goes on to the next when it is full."""

    def __init__(self, title: str) -> None:
        self._out = io.BytesIO()
        self._title = title
        # Invariant: no dates and no random ids inside, so the same words give the same bytes.
        self._sheet = Canvas(self._out, pagesize=A4, invariant=1)
        self._sheet.setTitle(title)
        self._y = float(TOP)

    def heading(self, text: str) -> None:
        self._write(text, "Helvetica-Bold", 20, 26)
        self._rule()

    def subheading(self, text: str) -> None:
        self.gap(10)
        self._write(text, "Helvetica-Bold", 12, 18)

    def paragraph(self, text: str) -> None:
        for part in text.split("\n"):
            self._write(part, "Helvetica", 10.5, 15)
        self.gap(4)

    def pairs(self, pairs: Sequence[tuple[str, str]]) -> None:
        for label, value in pairs:
            self._room(16)
            self._text(LEFT, label, "Helvetica", 10, DIM)
            self._text(LEFT + 110, value, "Helvetica", 10.5, INK)
            self._y -= 16

    def row(self, what: str, price: str, *, bold: bool = False) -> None:
        font = "Helvetica-Bold" if bold else "Helvetica"
        self._room(22)
        self._text(LEFT, what, font, 10.5, INK)
        self._sheet.drawRightString(RIGHT, self._y, price)
        self._y -= 7
        self._rule()

    def picture(self, content: bytes, caption: str) -> None:
        width, height = 320, 240
        self._room(height + 40)
        self._sheet.drawImage(ImageReader(io.BytesIO(content)), LEFT, self._y - height, width, height)
        self._y -= height + 14
        self._write(caption, "Helvetica-Oblique", 9, 16)

    def signature(self, name: str, on: datetime) -> None:
        self._room(70)
        self.gap(34)
        self._sheet.setStrokeColor(LINE)
        self._sheet.line(LEFT, self._y, LEFT + 200, self._y)
        self._y -= 14
        self._write(f"{name}, {on:%-d %B %Y}", "Helvetica", 9.5, 14)

    def gap(self, points: float) -> None:
        self._y -= points

    def bytes(self) -> bytes:
        self._foot()
        self._sheet.save()
        return self._out.getvalue()

    def _write(self, text: str, font: str, size: float, leading: float) -> None:
        for line in simpleSplit(text, font, size, RIGHT - LEFT) or [""]:
            self._room(leading)
            self._text(LEFT, line, font, size, INK)
            self._y -= leading

    def _text(self, x: float, text: str, font: str, size: float, colour: HexColor) -> None:
        self._sheet.setFont(font, size)
        self._sheet.setFillColor(colour)
        self._sheet.drawString(x, self._y, text)

    def _rule(self) -> None:
        self._sheet.setStrokeColor(LINE)
        self._sheet.line(LEFT, self._y + 4, RIGHT, self._y + 4)
        self._y -= 14

    def _room(self, needed: float) -> None:
        if self._y - needed < BOTTOM:
            self._foot()
            self._sheet.showPage()
            self._y = float(TOP)

    def _foot(self) -> None:
        self._sheet.setFont("Helvetica", 8.5)
        self._sheet.setFillColor(DIM)
        self._sheet.drawString(LEFT, 44, self._title)
        self._sheet.drawRightString(RIGHT, 44, f"Page {self._sheet.getPageNumber()}")
